"""deploy: settings first, then the code if it is another than the server has."""

import argparse
import time
from typing import Any, NamedTuple

from tools.cli import changes, program, project, uploads
from tools.cli.commands.kinds import Commands, json_value, pair, path, positive
from tools.cli.context import Context, function_path
from tools.cli.failures import OutOfReach
from tools.cli.output import size
from tools.cli.packing.pack import Package, check_handler, pack
from tools.cli.packing.target import Target, choose
from tools.cli.project import Project

POLL_SECONDS = 0.5
SETTLE_SECONDS = 120.0
"""Publishing a version takes Lambda seconds, after the answer if need be."""

FLAGS = ("name", "runtime", "handler", "memory_mb", "timeout_seconds", "description")


class Deployed(NamedTuple):
    """What a deployment did, as `--json` shows it."""

    name: str
    version: int
    created: bool
    settings: list[str]
    """The settings that changed."""
    code: str
    """uploaded or unchanged."""
    sha256: str
    size_bytes: int


def add(commands: Commands, common: argparse.ArgumentParser) -> None:
    parser = commands.add_parser(
        "deploy", parents=[common], help="make or update a function from a file or a folder",
        description="Settings come from dormouse.toml in the folder; options override them.",
    )  # fmt: skip
    parser.add_argument("path", type=path, metavar="PATH", help="one file, or a folder")
    parser.add_argument("--name", help="else dormouse.toml's, else the file's or folder's")
    parser.add_argument("--runtime", help="python3.11 to 3.14, nodejs20.x to 24.x")
    parser.add_argument("--handler", help="file.function")
    parser.add_argument("--memory-mb", type=positive)
    parser.add_argument("--timeout-seconds", type=positive)
    parser.add_argument("--description")
    parser.add_argument(
        "--invoke-rule", help="who may call /fn/NAME; empty: everyone; null: superusers"
    )
    parser.add_argument("--env", type=pair, action="append", metavar="NAME=VALUE", default=[])
    parser.add_argument(
        "--secret", action="append", metavar="NAME[=VALUE]", default=[],
        help="without a value: from the environment, else asked for",
    )  # fmt: skip
    parser.add_argument(
        "--trigger", type=json_value, action="append", metavar="JSON",
        help="instead of dormouse.toml's triggers",
    )  # fmt: skip
    parser.set_defaults(run=deploy)


def deploy(context: Context, options: argparse.Namespace) -> int:
    """Make the function on the server what the path and the options say."""
    found = project.read(options.path, given(options))
    before = context.function(found.name)
    changed = changes.settings(found, before)
    secrets = changes.secrets(options.secret, found.secret_names, before)
    package = _packed(context, found, before)
    body = changed | ({"secrets": secrets} if secrets else {})
    if before is None:
        context.api.post("/api/functions", {"name": found.name, **body})
    is_uploaded = uploads.live_sha256(context, found.name) != package.sha256
    if is_uploaded:
        uploads.upload(context, found.name, package, body if before else {})
    elif before and body:
        context.api.patch(function_path(found.name), body)
    after = settled(context, found.name)
    done = Deployed(
        found.name, after["liveVersion"], before is None,
        [*changed, *(f"secrets.{name}" for name in secrets)],
        "uploaded" if is_uploaded else "unchanged", package.sha256, len(package.content),
    )  # fmt: skip
    told = done._asdict()
    told |= {"sizeBytes": told.pop("size_bytes"), "function": after}
    context.out.result(told, _text(context, done, after))
    return 0


def settled(context: Context, name: str) -> dict[str, Any]:
    """Return a function once AWS has all of the change. Raises `OutOfReach` if it takes too long.

    Asking is what makes the server go on with it.
    """
    give_up_at = time.monotonic() + SETTLE_SECONDS
    while True:
        found: dict[str, Any] = context.api.get(function_path(name))
        if found["state"] != "deploying":
            return found
        if time.monotonic() > give_up_at:
            reason = found.get("problem") or "AWS is not done with it"
            raise OutOfReach(f"{name} is still being deployed: {reason}.", f"show {name} goes on.")
        time.sleep(POLL_SECONDS)


def given(options: argparse.Namespace) -> dict[str, Any]:
    """Return the settings of the command line by their name in dormouse.toml."""
    found = {name: value for name in FLAGS if (value := getattr(options, name)) is not None}
    if options.invoke_rule is not None:
        found["invoke_rule"] = None if options.invoke_rule == "null" else options.invoke_rule
    if options.env:
        found["environment"] = dict(options.env)
    if options.trigger is not None:
        found["triggers"] = options.trigger
    return found


def _packed(context: Context, found: Project, before: dict[str, Any] | None) -> Package:
    after = {"runtime": "", "handler": "", **(before or {}), **found.settings_for(before)}
    target = choose(after["runtime"], context.api.session.url, after.get("architecture", ""))
    if target.native and target.runtime.startswith("python"):
        _say_interpreter(context, target)
    package = pack(found.path, target, context.out.say)
    check_handler(str(after["handler"]), target.runtime, package)
    return package


def _say_interpreter(context: Context, target: Target) -> None:
    if target.runtime != f"python{target.python}":
        context.out.say(f"The local AWS runs {target.runtime} with its own Python {target.python}.")


def _text(context: Context, done: Deployed, after: dict[str, Any]) -> str:
    what = "unchanged" if done.code == "unchanged" else f"uploaded ({size(done.size_bytes)})"
    lines = [
        f"{done.name}: {'made' if done.created else 'deployed'}, version {done.version} is live"
    ]
    lines += [f"  code      {what}, SHA-256 {done.sha256[:12]}"]
    lines += [f"  settings  {_settings_text(done, after)}"]
    for trigger in after.get("triggers", []):
        lines.append(f"  trigger   {trigger_text(trigger, context.api.session.url, done.name)}")
    lines.append(f"  try it    {program.NAME} invoke {done.name}")
    return "\n".join(lines)


def _settings_text(done: Deployed, after: dict[str, Any]) -> str:
    if done.created:
        size_and_time = f"{after['memoryMb']} MB, {after['timeoutSeconds']} s"
        return f"{after['runtime']}, {after['handler']}, {size_and_time}"
    return f"{', '.join(done.settings)} changed" if done.settings else "unchanged"


def trigger_text(trigger: dict[str, Any], url: str, name: str) -> str:
    """Return one line about a trigger."""
    match trigger.get("type"):
        case "http":
            # A REST API's stage is called api, and nothing else reaches it.
            return f"HTTP at {url}{'/api' if '.execute-api.' in url else ''}/fn/{name}"
        case "schedule":
            runs = trigger.get("nextRuns") or []
            return f"schedule {trigger['expression']}" + (f", next {runs[0]}" if runs else "")
        case "record":
            return f"records of {trigger['collection']}: {', '.join(trigger.get('actions', []))}"
        case "file":
            return f"files in {trigger['collection']}.{trigger['field']}"
        case "queue":
            return f"queue {trigger['queue']}"
        case other:
            return str(other)
