"""usage: what functions have cost, by day, function and line."""

import argparse
from typing import Any
from typing import Any

from tools.cli.commands.kinds import Commands
from tools.cli.context import Context
from tools.cli.output import money, table


def add(commands: Commands, common: argparse.ArgumentParser) -> None:
    parser = commands.add_parser("usage", parents=[common], help="what the functions cost")
    parser.add_argument("--from", dest="first", metavar="DAY", help="as 2026-12-01; UTC")
    parser.add_argument("--to", dest="last", metavar="DAY", help="the last day, itself included")
    parser.add_argument(
        "--group", default="function", help="day, function, line; several with commas"
    )
    parser.add_argument("--function", metavar="NAME", help="only this one's")
    parser.add_argument("--free-tier", action="store_true", help="less what AWS gives each month")
    parser.set_defaults(run=usage)


def usage(context: Context, options: argparse.Namespace) -> int:
    """Show the sums of the receipts."""
    query = {"from": options.first, "to": options.last, "group": options.group}
    query |= {"function": options.function, "freeTier": "1" if options.free_tier else None}
    found = context.api.get("/api/usage", **query)
    text = f"{found['from']} to {found['to']}: {money(found['total']['totalUsd'])}"
    context.out.result(found, f"{text}\n\n{_table(found['items'])}" if found["items"] else text)
    return 0


def _table(items: list[dict[str, Any]]) -> str:
    """Return a row per item; lines that an item holds itself would be a table in a table."""
    heads = [name for name in items[0] if name != "lines"]
    rows = [
        [money(item[head]) if head in ("usd", "totalUsd") else item[head] for head in heads]
        for item in items
    ]
    return table(heads, rows)
