"""The commands and their options. Every function command works with and without `functions`."""

import argparse

from tools.cli import program
from tools.cli.commands import (
    account,
    calls,
    code,
    dead_letters,
    deploy,
    functions,
    invoke,
    logs,
    queues,
    usage,
)

EPILOG = """\
exit status:
  0  done                                5  refused: the input is not accepted
  1  the function ran and failed         6  no connection, or the server failed
  2  the command cannot be read          7  throttled, or stopped by the money cap
  3  not signed in, or not allowed     130  Ctrl-C
  4  no such function or call

docs/functions.md is the guide.
"""
FUNCTION_COMMANDS = (deploy, functions, invoke, logs, calls, code, dead_letters)


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """Return the options of a command line; ends the process with 2 if it cannot be read."""
    return parser().parse_args(arguments)


def parser() -> argparse.ArgumentParser:
    """Return the whole parser."""
    common = _common()
    root = argparse.ArgumentParser(
        prog=program.NAME,
        description="Deploy functions to Dormouse, call them, and see what they do and cost.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    root.set_defaults(json=False, url="")
    _add_common(root)
    commands = root.add_subparsers(metavar="COMMAND", required=True)
    account.add(commands, common)
    for module in FUNCTION_COMMANDS:
        module.add(commands, common)
    for module in (queues, usage):
        module.add(commands, common)
    group = commands.add_parser("functions", help="the same commands of functions, as a group")
    inner = group.add_subparsers(metavar="COMMAND", required=True)
    for module in FUNCTION_COMMANDS:
        module.add(inner, common)
    return root


def _common() -> argparse.ArgumentParser:
    """Return the options that stand after a command as well as before it."""
    common = argparse.ArgumentParser(add_help=False)
    _add_common(common)
    return common


def _add_common(to: argparse.ArgumentParser) -> None:
    # Left out means: what stands before the command holds.
    to.add_argument(
        "--json", action="store_true", default=argparse.SUPPRESS,
        help="the result as JSON on stdout, an error as JSON on stderr",
    )  # fmt: skip
    to.add_argument(
        "--url",
        default=argparse.SUPPRESS,
        help="of the server; else DORMOUSE_URL, else as signed in",
    )
