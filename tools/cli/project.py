"""What is deployed: a file or a folder, and the settings that go with it.

A `dormouse.toml` says the settings whole: what it leaves out takes its default, so that taking a
line out takes it back. Without one, only what the command line names is changed.
"""

import ast
import difflib
import re
import tomllib
from pathlib import Path
from typing import Any, NamedTuple

from chalicelib.domain.functions.function import Function
from tools.cli.failures import Failure

FILE_NAME = "dormouse.toml"
DEFAULT_RUNTIMES = {
    ".py": "python3.13",
    ".mjs": "nodejs22.x",
    ".js": "nodejs22.x",
    ".cjs": "nodejs22.x",
}
ENTRIES = ("lambda_function", "handler", "index", "main", "app")
HANDLERS = ("lambda_handler", "handler", "main")

API_NAMES = {
    "runtime": "runtime", "handler": "handler", "memory_mb": "memoryMb",
    "timeout_seconds": "timeoutSeconds", "description": "description",
    "environment": "environment", "triggers": "triggers", "invoke_rule": "invokeRule",
    "cap_usd": "capUsd", "reserved_concurrency": "reservedConcurrency",
    "retry_attempts": "retryAttempts", "retry_delay_seconds": "retryDelaySeconds",
    "retention_days": "retentionDays", "redact": "redact", "rights": "rights",
}  # fmt: skip
"""The settings by their name in dormouse.toml, with the API's name."""

OTHERS = ("name", "secrets")
_DETECTED = ("runtime", "handler")


class Project(NamedTuple):
    """What to deploy. `settings` are the API's, without secrets."""

    path: Path
    name: str
    settings: dict[str, Any]
    secret_names: tuple[str, ...] = ()
    is_whole: bool = False
    """Whether these are all settings; else those that are not here stay as they are."""
    guessed: tuple[str, ...] = ()
    """The settings that nobody said: they are for a function that has none yet."""

    def settings_for(self, before: dict[str, Any] | None) -> dict[str, Any]:
        """Return the settings that a function is to have; `before` is what it has."""
        if before is None or self.is_whole:
            return self.settings
        said = {name: value for name, value in self.settings.items() if name not in self.guessed}
        if "environment" in said:
            said["environment"] = {**before["environment"], **said["environment"]}
        return said


def read(path: Path, given: dict[str, Any]) -> Project:
    """Return the project of a file or folder; `given` are settings of the command line by their
    name in dormouse.toml, `name` among them. Raises `Failure`.
    """
    if not path.exists():
        raise Failure(f"{path} is not there.", "Name a file or a folder with the function's code.")
    file = path / FILE_NAME
    written = _table(file) if path.is_dir() and file.is_file() else {}
    values = {**written, **given}
    if isinstance(written.get("environment"), dict) and "environment" in given:
        values["environment"] = {**written["environment"], **given["environment"]}
    whole = {**_defaults(), **values} if written else values
    guessed = _detected(path, values)
    values = {**whole, **guessed}
    return Project(
        path,
        str(values.get("name") or _name_of(path)),
        {API_NAMES[name]: values[name] for name in API_NAMES if name in values},
        tuple(values.get("secrets", ())),
        bool(written),
        tuple(guessed),
    )


def _table(file: Path) -> dict[str, Any]:
    try:
        content = tomllib.loads(file.read_text())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Failure(f"{file}: {error}") from error
    table = content.get("function", content)
    beside = sorted(set(content) - {"function"}) if "function" in content else []
    if beside or not isinstance(table, dict):
        raise Failure(f"{file} has [function] and, outside of it: {', '.join(beside) or 'text'}.")
    for name in table:
        _check_name(file, name)
    _check_secrets(file, table.get("secrets", []))
    if isinstance(table.get("triggers"), list):
        table["triggers"] = [_camel(trigger) for trigger in table["triggers"]]
    return table


def _camel(trigger: Any) -> Any:
    """Return a trigger with the API's names for its keys: batch_size is batchSize there."""
    if not isinstance(trigger, dict):
        return trigger
    return {re.sub(r"_([a-z])", lambda found: found[1].upper(), key): value
            for key, value in trigger.items()}  # fmt: skip


def _check_name(file: Path, name: str) -> None:
    known = (*API_NAMES, *OTHERS)
    if name in known:
        return
    snake = re.sub(r"([A-Z])", r"_\1", name).lower()
    close = [snake] if snake in known else difflib.get_close_matches(name, known, 1)
    hint = f"Did you mean {close[0]}?" if close else f"Known are: {', '.join(sorted(known))}."
    raise Failure(f"{file}: {name!r} is no setting.", hint)


def _check_secrets(file: Path, secrets: Any) -> None:
    if not isinstance(secrets, list) or not all(isinstance(name, str) for name in secrets):
        raise Failure(
            f"{file}: secrets is the list of their names, never of their values.",
            'Write secrets = ["NAME"], and set it: functions deploy PATH --secret NAME',
        )


def _defaults() -> dict[str, Any]:
    """Return what a setting is that dormouse.toml leaves out, as the server has it."""
    own = {name: Function._field_defaults.get(name) for name in API_NAMES if name != "cap_usd"}
    values = {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in own.items() if name not in _DETECTED
    }  # fmt: skip
    return {**values, "cap_usd": None}


def _detected(path: Path, values: dict[str, Any]) -> dict[str, Any]:
    """Return runtime and handler where nobody says them."""
    if all(name in values for name in _DETECTED):
        return {}
    entry = _entry(path)
    if entry is None:
        return {}
    found = {
        "runtime": DEFAULT_RUNTIMES[entry.suffix],
        "handler": f"{entry.stem}.{_handler(entry)}",
    }
    return {name: value for name, value in found.items() if name not in values}


def _entry(path: Path) -> Path | None:
    """Return the file whose handler is called: the only one, or the one with a usual name."""
    if path.is_file():
        return path if path.suffix in DEFAULT_RUNTIMES else None
    files = sorted(file for file in path.iterdir() if file.suffix in DEFAULT_RUNTIMES)
    usual = [file for name in (*ENTRIES, path.name) for file in files if file.stem == name]
    if usual:
        return usual[0]
    return files[0] if len(files) == 1 else None


def _handler(entry: Path) -> str:
    """Return the name of the handler in a file, Lambda's own if none of the usual ones is."""
    text = entry.read_text("utf-8", "replace")
    names = _python_names(text) if entry.suffix == ".py" else _node_names(text)
    usual = "lambda_handler" if entry.suffix == ".py" else "handler"
    return next((name for name in HANDLERS if name in names), usual)


def _python_names(text: str) -> set[str]:
    try:
        return {node.name for node in ast.parse(text).body if isinstance(node, ast.FunctionDef)}
    except (SyntaxError, ValueError):
        return set()


def _node_names(text: str) -> set[str]:
    declared = re.findall(r"\bexport\s+(?:const|let|async\s+function|function)\s+(\w+)", text)
    return {*declared, *re.findall(r"\bexports\.(\w+)\s*=", text)}


def _name_of(path: Path) -> str:
    """Return the function's name that a path suggests."""
    text = path.resolve().stem if path.is_file() else path.resolve().name
    name = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")
    if not re.match(r"[a-z]", name):
        raise Failure(f"{text!r} suggests no name for the function.", "Give one: --name NAME")
    return name
