"""logs: what a function has written; `-f` waits for more."""

import argparse
import time
from typing import Any

from tools.cli.commands.kinds import Commands
from tools.cli.context import Context, function_path

POLL_SECONDS = 1.0


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
        page = context.api.get(function_path(options.name, "logs"), after=after)
        for line in page["items"]:
            context.out.line(line, line_text(line))
        is_more = page["after"] != after and page["items"]
        after = page["after"] or after
        if not is_more and not options.follow:
            return 0
        if not is_more:
            time.sleep(POLL_SECONDS)


def line_text(line: dict[str, Any]) -> str:
    return f"{line['time']}  {str(line['message']).rstrip()}"
