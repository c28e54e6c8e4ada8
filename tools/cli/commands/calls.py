"""invocations and replay."""

import argparse
from typing import Any

from chalicelib.domain.functions.diff import diff
from tools.cli.commands.invoke import (
    HELD_BACK,
    call_path,
    finish,
    log_text,
    summary,
    wait,
)
from tools.cli.commands.kinds import Commands, positive
from tools.cli.context import Context, function_path
from tools.cli.failures import CallFailed, HeldBack
from tools.cli.output import document, money, table

OUTCOME = ("status", "result", "error")
HEADS = ("id", "status", "trigger", "version", "created", "ms", "cold", "usd")


def add(commands: Commands, common: argparse.ArgumentParser) -> None:
    parser = commands.add_parser(
        "invocations",
        parents=[common],
        help="the calls of a function, newest first; or one of them",
    )
    parser.add_argument("name", metavar="NAME")
    parser.add_argument("id", metavar="ID", nargs="?")
    parser.add_argument("--status", help="only failed, timedOut, outOfMemory, queued, ...")
    parser.add_argument("--limit", type=positive, default=30)
    parser.add_argument("--cursor", help="of the page before, as it said")
    parser.set_defaults(run=invocations)
    parser = commands.add_parser(
        "replay", parents=[common], help="call again with the event of an earlier call; compare"
    )
    parser.add_argument("name", metavar="NAME")
    parser.add_argument("id", metavar="ID")
    parser.add_argument("--version", type=positive, help="another one than the live one")
    parser.set_defaults(run=replay)


def invocations(context: Context, options: argparse.Namespace) -> int:
    """Show a page of calls, or one call whole."""
    if options.id:
        return _one(context, options.name, options.id)
    path = function_path(options.name, "invocations")
    found = context.api.get(
        path, status=options.status, perPage=options.limit, cursor=options.cursor
    )
    text = table(HEADS, [_row(call) for call in found["items"]])
    context.out.result(found, text if found["items"] else "No such calls.")
    if found["nextCursor"]:
        context.out.say(f"More: --cursor {found['nextCursor']}")
    return 0


def replay(context: Context, options: argparse.Namespace) -> int:
    """Call again with the same event; show how the outcome differs."""
    body = {"version": options.version} if options.version else {}
    answer = context.api.post(f"{call_path(options.name, options.id)}/replay", body)
    call = wait(context, options.name, answer["invocation"])
    changes = difference(answer["original"], call)
    if context.out.as_json:
        context.out.result({**answer, "invocation": call, "changes": changes}, "")
        return _status(call)
    status = finish(context, call)
    context.out.say(difference_text(changes, options.id))
    if answer.get("warning"):
        context.out.say(answer["warning"])
    return status


def difference(before: dict[str, Any], after: dict[str, Any]) -> list[dict[str, Any]]:
    """Return in what two finished calls differ for whoever made them."""
    outcomes = ({name: call.get(name) for name in OUTCOME} for call in (before, after))
    return diff(*outcomes)


def difference_text(changes: list[dict[str, Any]], before: str) -> str:
    """Return a diff of two outcomes, a line per path and side."""
    if not changes:
        return f"The same outcome as {before}."
    lines = [f"Compared with {before}:"]
    for part in changes:
        lines.append(f"  {part.get('path') or str(part.get('more')) + ' more'}")
        lines += [
            f"    {sign} {document(part[side])}"
            for sign, side in (("-", "before"), ("+", "after")) if side in part
        ]  # fmt: skip
    return "\n".join(lines)


def _one(context: Context, name: str, call_id: str) -> int:
    call = context.api.get(call_path(name, call_id))
    lines = [summary(call), f"trigger {call['trigger']} {document(call['source'])}"]
    lines += [f"event {document(call['event'], indent=2)}"]
    lines += [] if call.get("error") else [f"result {document(call.get('result'), indent=2)}"]
    lines += [log_text(call)]
    context.out.result(call, "\n".join(line for line in lines if line))
    return 0


def _row(call: dict[str, Any]) -> list[Any]:
    receipt = call.get("receipt") or {}
    return [
        call["id"], call["status"], call["trigger"], call["version"], call["created"],
        call.get("billedMs") or 0, "cold" if call.get("initMs") else "",
        money(receipt.get("totalUsd")),
    ]  # fmt: skip


def _status(call: dict[str, Any]) -> int:
    if call["status"] == "succeeded":
        return 0
    return HeldBack.exit_status if call["status"] in HELD_BACK else CallFailed.exit_status
