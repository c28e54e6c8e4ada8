"""list, show, delete and rollback."""

import argparse
import sys
from typing import Any

from tools.cli import program
from tools.cli.commands.deploy import trigger_text
from tools.cli.commands.kinds import Commands, positive
from tools.cli.context import Context, function_path
from tools.cli.failures import Failure
from tools.cli.output import document, money, size, table

MOST_SHOWN = 1000
NAME_CHARACTERS = 22
HEADS = ("name", "runtime", "version", "state", "calls", "last wake", "this month")


def add(commands: Commands, common: argparse.ArgumentParser) -> None:
    parser = commands.add_parser("list", parents=[common], help="all functions")
    parser.set_defaults(run=list_)
    parser = commands.add_parser(
        "show", parents=[common], help="a function's settings and versions"
    )
    parser.add_argument("name", metavar="NAME")
    parser.set_defaults(run=show)
    parser = commands.add_parser("delete", parents=[common], help="delete a function and its code")
    parser.add_argument("name", metavar="NAME")
    parser.add_argument("--yes", action="store_true", help="do not ask")
    parser.set_defaults(run=delete)
    parser = commands.add_parser("rollback", parents=[common], help="make an older version live")
    parser.add_argument("name", metavar="NAME")
    parser.add_argument("version", metavar="VERSION", type=positive)
    parser.set_defaults(run=rollback)


def list_(context: Context, _options: argparse.Namespace) -> int:
    """Show all functions, with what each has cost this month."""
    found = context.api.get("/api/functions", perPage=MOST_SHOWN)
    items = found["items"]
    text = table(HEADS, [_row(item) for item in items])
    empty = f"No functions yet. Deploy one: {program.NAME} deploy examples/functions/hello"
    context.out.result(found, text if items else empty)
    return 0


def show(context: Context, options: argparse.Namespace) -> int:
    """Show one function and its versions."""
    found = context.api.get(function_path(options.name))
    versions = context.api.get(function_path(options.name, "versions"))["items"]
    text = f"{_settings(found, context.api.session.url)}\n\n{_versions(versions)}"
    context.out.result({**found, "versions": versions}, text)
    return 0


def delete(context: Context, options: argparse.Namespace) -> int:
    """Delete a function, once somebody has said so."""
    if not options.yes and not _is_sure(options.name):
        context.out.say("Nothing was deleted.")
        return Failure.exit_status
    context.api.ask("DELETE", function_path(options.name))
    context.out.result({"deleted": options.name}, f"{options.name} is deleted.")
    return 0


def rollback(context: Context, options: argparse.Namespace) -> int:
    """Point `live` to another version."""
    path = function_path(options.name, "rollback")
    found = context.api.post(path, {"version": options.version})
    context.out.result(found, f"{options.name}: version {options.version} is live.")
    return 0


def _is_sure(name: str) -> bool:
    if not sys.stdin.isatty():
        raise Failure("There is no terminal to ask whether you are sure.", "Give --yes.")
    print(f"Delete {name} with all its versions and calls? [y/N] ", end="", file=sys.stderr)
    return input().strip().lower() in ("y", "yes")


def _row(item: dict[str, Any]) -> list[Any]:
    return [
        item["name"], item["runtime"], item["liveVersion"] or "-", state_text(item),
        item["calls"], item["lastWake"] or "never",
        money(item["costThisMonthUsd"]),
    ]  # fmt: skip


def state_text(item: dict[str, Any]) -> str:
    """Return asleep, waking, deploying, or running with how many."""
    is_running = item["state"] == "running"
    return f"running {item['running']}" if is_running else str(item["state"])


def _settings(found: dict[str, Any], url: str) -> str:
    hidden = ("triggers", "state", "running")
    lines = [
        _pair(name, _shown(name, value)) for name, value in found.items() if name not in hidden
    ]
    lines += [_pair("trigger", trigger_text(one, url, found["name"])) for one in found["triggers"]]
    return "\n".join([*lines, _pair("state", state_text(found))])


def _pair(name: str, text: str) -> str:
    return f"{name:{NAME_CHARACTERS}}{text}".rstrip()


def _shown(name: str, value: Any) -> str:
    """Return a setting for people."""
    if name == "invokeRule" and not value:
        return "superusers only" if value is None else "everyone"
    if name == "costThisMonthUsd":
        return money(value)
    return value if isinstance(value, str) else document(value)


def _versions(versions: list[dict[str, Any]]) -> str:
    rows = [
        [
            one["version"], "live" if one["live"] else "", one["sha256"][:12],
            size(one["sizeBytes"]), one["handler"], one["created"],
        ]
        for one in versions
    ]  # fmt: skip
    return table(("version", "", "SHA-256", "size", "handler", "created"), rows)
