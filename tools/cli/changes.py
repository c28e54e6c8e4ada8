"""What a deployment changes: the settings and secrets that the server has otherwise."""

import getpass
import os
import sys
from decimal import Decimal
from typing import Any

from chalicelib.domain.functions.trigger_keys import TYPES
from tools.cli.failures import Failure
from tools.cli.project import Project

Seen = dict[str, Any] | None
"""A function as the API shows it, None if there is none yet."""


def settings(found: Project, before: Seen) -> dict[str, Any]:
    """Return the settings to send: all of a new function, else those that change.

    Raises `Failure`.
    """
    if before is not None:
        return {
            name: value
            for name, value in sorted(found.settings_for(before).items())
            if not _is_same(name, before.get(name), value)
        }
    if not {"runtime", "handler"} <= set(found.settings):
        raise Failure(
            f"{found.path} does not tell which file holds the handler.",
            'Write handler = "file.function" and runtime = "python3.13" in its dormouse.toml.',
        )
    return dict(sorted(found.settings.items()))


def secrets(given: list[str], named: tuple[str, ...], before: Seen) -> dict[str, str]:
    """Return the secrets to set: those of the command line, and those the server lacks.

    Raises `Failure`.
    """
    asked = dict(_split(text) for text in given)
    there = (before or {}).get("secrets") or {}
    for name in named:
        if name not in there:
            asked.setdefault(name, None)
    return {name: _secret(name) if value is None else value for name, value in asked.items()}


def _is_same(name: str, there: Any, wanted: Any) -> bool:
    if name == "triggers" and isinstance(wanted, list):
        pairs = zip(there, wanted, strict=False)
        return len(there) == len(wanted) and all(_is_same_trigger(*pair) for pair in pairs)
    if name == "capUsd" and there and isinstance(wanted, dict):
        return {**there, "amount": _amount(there)} == {**wanted, "amount": _amount(wanted)}
    return bool(there == wanted)


def _is_same_trigger(there: dict[str, Any], wanted: Any) -> bool:
    """Return whether the server's trigger says what is wanted, defaults for what it leaves out."""
    kind = wanted.get("type") if isinstance(wanted, dict) else None
    if kind not in TYPES or kind != there["type"]:
        return False
    readers, defaults = TYPES[kind]
    full = {**defaults, **wanted}
    return {*wanted} <= {*readers, "type"} and all(
        _ordered(there.get(key)) == _ordered(full.get(key)) for key in readers
    )


def _ordered(value: Any) -> Any:
    """Return a list without its order, which the actions of a trigger do not have."""
    return sorted(value, key=str) if isinstance(value, list) else value


def _amount(cap: dict[str, Any]) -> Decimal | None:
    try:
        return Decimal(str(cap["amount"]))
    except (KeyError, ArithmeticError):
        return None


def _split(text: str) -> tuple[str, str | None]:
    name, sign, value = text.partition("=")
    return name, value if sign else None


def _secret(name: str) -> str:
    value = os.environ.get(name)
    if value is None and sys.stdin.isatty():
        value = getpass.getpass(f"Value of the secret {name}: ")
    if not value:
        raise Failure(
            f"The secret {name} has no value yet.",
            f"Give it in the environment variable {name}, or: --secret {name}=VALUE",
        )
    return value
