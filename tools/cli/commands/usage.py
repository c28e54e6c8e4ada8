"""usage: what functions have cost, by day, function and line."""

import argparse
from typing import Any

from tools.cli.commands.kinds import Commands
from tools.cli.context import Context
from tools.cli.output import money, table


def add(commands: Commands, common: argparse.ArgumentParser) -> None:
    parser = commands.add_parser("usage", parents=[common], help="what the functions cost")
    parser.add_argument("--from", dest="first", metavar="DAY", help="as 2026-12-01; UTC")
    parser.add_argument("--to", dest="last", metavar="DAY", help="the last day, itself included")
    parser.add_argument("--group", help="day, function or line; several with commas")
    parser.add_argument("--function", metavar="NAME", help="of this function alone")
    parser.set_defaults(run=usage)


def usage(context: Context, options: argparse.Namespace) -> int:
    """Show the sums of the receipts."""
    query = {"from": options.first, "to": options.last, "group": options.group,
             "function": options.function}  # fmt: skip
    found = context.api.get("/api/usage", **query)
    text = "Nothing was used." if not _was_used(found["total"]) else _text(found)
    context.out.result(found, text)
    return 0


def _was_used(total: dict[str, Any]) -> bool:
    return any(value for value in total.values())


def _text(found: dict[str, Any]) -> str:
    """Return the parts asked for, or the lines of the total, and what it all comes to."""
    items = found["items"] or found["total"]["lines"]
    heads = [head for head in items[0] if head != "lines"] if items else []
    rows = [[money(item[head]) if "usd" in head.lower() else item[head] for head in heads]
            for item in items]  # fmt: skip
    total = f"Total {money(found['total']['totalUsd'])}"
    note = found["sheet"].get("note", "")
    return "\n".join(filter(None, [table(heads, rows) if items else "", total, note]))
