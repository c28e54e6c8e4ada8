"""usage: what functions have cost, by day, function and line."""

import argparse

from tools.cli.commands.kinds import Commands
from tools.cli.context import Context
from tools.cli.output import money, table


def add(commands: Commands, common: argparse.ArgumentParser) -> None:
    parser = commands.add_parser("usage", parents=[common], help="what the functions cost")
    parser.add_argument("--from", dest="first", metavar="DAY", help="as 2026-12-01; UTC")
    parser.add_argument("--to", dest="last", metavar="DAY", help="the last day, itself included")
    parser.add_argument("--group", help="day, function or line; several with commas")
    parser.set_defaults(run=usage)


def usage(context: Context, options: argparse.Namespace) -> int:
    """Show the sums of the receipts."""
    query = {"from": options.first, "to": options.last, "group": options.group}
    found = context.api.get("/api/usage", **query)
    items = found["items"]
    if items:
        heads = list(items[0])
        rows = [[money(item[head]) if "usd" in head.lower() else item[head] for head in heads]
                for item in items]  # fmt: skip
        text = table(heads, rows)
    else:
        text = "Nothing was used."
    context.out.result(found, text)
    return 0
