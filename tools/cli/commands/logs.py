"""logs: what a function has written; `-f` waits for more."""

import argparse
import time
from typing import Any

from tools.cli.commands.kinds import Commands
from tools.cli.context import Context, function_path
from tools.cli.failures import OutOfReach

POLL_SECONDS = 1.0
AWAY_SECONDS = 2.0


def add(commands: Commands, common: argparse.ArgumentParser) -> None:
    parser = commands.add_parser("logs", parents=[common], help="what a function has written")
    parser.add_argument("name", metavar="NAME")
    parser.add_argument("-f", "--follow", action="store_true", help="go on until Ctrl-C")
    parser.add_argument("--after", default="", metavar="TIME", help="only later lines")
    parser.set_defaults(run=logs)


def logs(context: Context, options: argparse.Namespace) -> int:
    """Show log lines, oldest first."""
    after = options.after
    while True:
        page = _page(context, options, after)
        for line in page["items"]:
            context.out.line(line, line_text(line))
        after = page["after"] or after
        if not page["items"]:
            if not options.follow:
                return 0
            time.sleep(POLL_SECONDS)


def _page(context: Context, options: argparse.Namespace, after: str) -> dict[str, Any]:
    """Return the next lines; who follows a log waits for a server that is away."""
    is_told = False
    while True:
        try:
            found: dict[str, Any] = context.api.get(
                function_path(options.name, "logs"), after=after
            )
        except OutOfReach as failure:
            if not options.follow or not after:
                raise
            if not is_told:
                context.out.say(f"{failure} Waiting for it ...")
            is_told = True
            time.sleep(AWAY_SECONDS)
        else:
            return found


def line_text(line: dict[str, Any]) -> str:
    return f"{line['time']}  {str(line['message']).rstrip()}"
