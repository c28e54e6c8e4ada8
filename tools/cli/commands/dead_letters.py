"""dead-letters: events that no retry could get through, and sending them again."""

import argparse
from typing import Any

from tools.cli.commands.kinds import Commands
from tools.cli.context import Context, function_path
from tools.cli.output import table

HEADS = ("id", "trigger", "attempts", "created", "error")


def add(commands: Commands, common: argparse.ArgumentParser) -> None:
    parser = commands.add_parser(
        "dead-letters", parents=[common], help="events that failed for good; send them again"
    )
    parser.add_argument("name", metavar="NAME")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--redrive", metavar="ID", help="send one again")
    what.add_argument("--redrive-all", action="store_true", help="send all again")
    what.add_argument("--delete", metavar="ID", help="drop one")
    parser.add_argument("--cursor", help="of the page before, as it said")
    parser.set_defaults(run=dead_letters)


def dead_letters(context: Context, options: argparse.Namespace) -> int:
    """List dead letters, or do something with them."""
    path = function_path(options.name, "dead-letters")
    if options.redrive:
        path = function_path(options.name, "dead-letters", options.redrive, "redrive")
        answer = context.api.post(path)
        context.out.result(answer, f"{options.redrive} is queued again as {answer['invocation']}.")
    elif options.redrive_all:
        _redrive_all(context, options.name)
    elif options.delete:
        context.api.ask("DELETE", function_path(options.name, "dead-letters", options.delete))
        context.out.result({"deleted": options.delete}, f"{options.delete} is dropped.")
    else:
        _list(context, context.api.get(path, cursor=options.cursor))
    return 0


def _list(context: Context, found: dict[str, Any]) -> None:
    text = table(HEADS, [_row(letter) for letter in found["items"]])
    context.out.result(found, text if found["items"] else "No dead letters.")
    if found["nextCursor"]:
        context.out.say(f"More: --cursor {found['nextCursor']}")


def _redrive_all(context: Context, name: str) -> None:
    count, is_more = 0, True
    while is_more:
        answer = context.api.post(function_path(name, "dead-letters", "redrive"))
        count, is_more = count + answer["redriven"], answer["more"] and answer["redriven"]
    context.out.result({"redriven": count}, f"{count} queued again.")


def _row(letter: dict[str, Any]) -> list[Any]:
    error = letter.get("error") or {}
    return [
        letter["id"], letter.get("trigger", ""), letter.get("attempts", ""),
        letter.get("created", ""), f"{error.get('type', '')}: {error.get('message', '')}",
    ]  # fmt: skip
