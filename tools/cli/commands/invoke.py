"""invoke: call a function and show its result, its log and its receipt."""

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

from tools.cli import program
from tools.cli.api import segment
from tools.cli.commands.kinds import Commands, positive
from tools.cli.context import Context, function_path
from tools.cli.failures import CallFailed, Failure, HeldBack
from tools.cli.output import document, money, table

POLL_SECONDS = 1.0
UNFINISHED = ("queued", "running")
HELD_BACK = ("throttled", "capped")


def add(commands: Commands, common: argparse.ArgumentParser) -> None:
    parser = commands.add_parser("invoke", parents=[common], help="call a function")
    parser.add_argument("name", metavar="NAME")
    parser.add_argument(
        "--event",
        default="{}",
        metavar="JSON|@FILE|-",
        help="what the handler gets; {} if left out",
    )
    mode = parser.add_mutually_exclusive_group()
    mode.add_argument(
        "--async", dest="mode", action="store_const", const="async", help="do not wait for it"
    )
    mode.add_argument(
        "--dry-run", dest="mode", action="store_const", const="dry-run",
        help="check everything, run nothing",
    )  # fmt: skip
    parser.add_argument("--version", type=positive, help="an older one than the live one")
    parser.add_argument(
        "--idempotency-key", metavar="KEY", help="the same key within 24 h runs nothing anew"
    )
    parser.set_defaults(run=invoke, mode="")


def invoke(context: Context, options: argparse.Namespace) -> int:
    """Call a function; 1 if it failed, 7 if it was held back."""
    body: dict[str, Any] = {"event": event(options.event)}
    if options.version:
        body["version"] = options.version
    key = {"Idempotency-Key": options.idempotency_key} if options.idempotency_key else {}
    path = function_path(options.name, "invoke") + (f"?mode={options.mode}" if options.mode else "")
    answer = context.api.ask("POST", path, body, key)
    call = answer.json()
    if options.mode == "dry-run":
        context.out.result(call, dry_run_text(call))
        return 0 if call["wouldRun"] else HeldBack.exit_status
    if options.mode == "async":
        hint = f"{program.NAME} invocations {options.name} {call['id']}"
        context.out.result(call, f"Queued as {call['id']}. See what became of it: {hint}")
        return 0
    if answer.headers.get("idempotent-replayed"):
        context.out.say("Nothing was run: this key stands for an earlier call.")
    return finish(context, wait(context, options.name, call))


def dry_run_text(told: dict[str, Any]) -> str:
    """Return what a call would do, and what it can cost at most."""
    if not told["wouldRun"]:
        return f"It would not run: {told.get('problem') or 'the money cap has no room for it'}"
    how = "in the background" if told["background"] else "at once"
    return f"Version {told['version']} would run {how}, for at most {money(told['worstCaseUsd'])}."


def event(text: str) -> Any:
    """Return the event of an option's text, a file (`@name`) or stdin (`-`). Raises `Failure`."""
    try:
        if text == "-":
            text = sys.stdin.read()
        elif text.startswith("@"):
            text = Path(text[1:]).read_text()
        return json.loads(text)
    except OSError as error:
        raise Failure(f"The event cannot be read: {error}") from error
    except ValueError as error:
        hint = """Quote it for the shell: --event '{"name": "Ann"}'"""
        raise Failure(f"The event is no JSON: {error}", hint) from error


def wait(context: Context, name: str, call: dict[str, Any]) -> dict[str, Any]:
    """Return a call when it has finished: one longer than a request goes on in the background."""
    said = False
    while call["status"] in UNFINISHED:
        if not said:
            context.out.say(f"Waiting for {call['id']}; it goes on if you stop waiting ...")
            said = True
        time.sleep(POLL_SECONDS)
        call = context.api.get(function_path(name, "invocations", call["id"]))
    return call


def finish(context: Context, call: dict[str, Any]) -> int:
    """Show a finished call; return the exit status that fits."""
    if not context.out.as_json:
        context.out.say(log_text(call))
    context.out.result(call, "" if call.get("error") else document(call.get("result"), indent=2))
    context.out.say(summary(call))
    if call["status"] == "succeeded":
        return 0
    return HeldBack.exit_status if call["status"] in HELD_BACK else CallFailed.exit_status


def log_text(call: dict[str, Any]) -> str:
    return str(call.get("logs") or "").rstrip("\n")


def summary(call: dict[str, Any]) -> str:
    """Return what happened, and what it cost, in a few lines."""
    lines = [_what(call)]
    if call.get("error"):
        lines.append(f"{call['error']['type']}: {call['error']['message']}")
    receipt = call.get("receipt")
    if receipt:
        lines += [f"receipt {money(receipt['totalUsd'])}", _indented(receipt_table(receipt))]
    return "\n".join(lines)


def receipt_table(receipt: dict[str, Any]) -> str:
    rows = [
        [line["what"], f"{line['quantity']} {line['unit']}", money(line["usd"])]
        for line in receipt["lines"]
    ]
    return table(("what", "quantity", "usd"), rows)


def _what(call: dict[str, Any]) -> str:
    cold = f", cold start {call['initMs']} ms" if call.get("initMs") else ""
    took = f" in {call['durationMs']} ms (billed {call['billedMs']} ms{cold})"
    memory = f", {call['memoryUsedMb']} MB" if call.get("memoryUsedMb") else ""
    ran = took + memory if call.get("billedMs") else ""
    return f"{call['status']}{ran}, version {call.get('version')}, call {call['id']}"


def _indented(text: str) -> str:
    return "\n".join(f"  {line}" for line in text.splitlines())


def call_path(name: str, call_id: str) -> str:
    """Return the path of one call."""
    return f"{function_path(name, 'invocations')}/{segment(call_id)}"
