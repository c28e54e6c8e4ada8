"""Level in an answer's body what two correct servers may answer differently.

Every rule here is a licence to differ, so each is as narrow as it can be: dates only under
`created` and `updated`, ids only under `id` when no test chose them, tokens only by their claims.
"""

import base64
import json
import re
import time
from typing import Any

_DATE = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}Z")
_RANDOM_ID = re.compile(r"[a-z0-9]{15}")
_SCAFFOLD_INDEX = re.compile(r"[a-z0-9]{10}` ON ``")
_RANDOM_KEYS = frozenset({"id", "recordRef"})
_TAILS = {"Raw error:": "database's words", " ex.:": "random example"}
_TOKEN_GRAIN_SECONDS = 20
_EXACT = 2.0**53


def level(value: Any, *, is_sorted: bool, ignore: tuple[str, ...], known: frozenset[str]) -> Any:
    """Return `value` with random and timed parts replaced by what they are, e.g. `<date>`.

    `known` are the ids that the test chose: they stay. A list that no `sort` ordered is put in
    order of its text.
    """
    levelled = _level("", value, frozenset(ignore), known)
    if not is_sorted and isinstance(levelled, dict) and isinstance(levelled.get("items"), list):
        levelled["items"] = sorted(levelled["items"], key=lambda item: json.dumps(item))
    return levelled


def _level(key: str, value: Any, ignore: frozenset[str], known: frozenset[str]) -> Any:
    if key in ignore:
        return f"<{type(value).__name__}>"
    if key.endswith("Template") and isinstance(value, dict) and "{APP_NAME}" in str(value):
        return sorted(value)  # our own words in the default mails
    if isinstance(value, dict):
        return {name: _level(name, item, ignore, known) for name, item in sorted(value.items())}
    if isinstance(value, list):
        return [_level("", item, ignore, known) for item in value]
    if isinstance(value, str):
        return _level_text(key, value, known)
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        # Numbers are float64 on both sides; how many digits of a large one are written is free.
        return int(value) if abs(value) < _EXACT and value == int(value) else float(value)
    return value


def _level_text(key: str, value: str, known: frozenset[str]) -> str:
    if key in ("created", "updated") and _DATE.fullmatch(value):
        return "<date>"
    if key in _RANDOM_KEYS and value not in known and _RANDOM_ID.fullmatch(value):
        return "<id>"
    if key == "token" and value.count(".") == 2:
        return _claims(value, known)
    if key == "message":
        return _level_message(value)
    return _SCAFFOLD_INDEX.sub("<random>` ON ``", value) if "` ON ``" in value else value


def _level_message(value: str) -> str:
    for mark in _TAILS:
        head, found, _ = value.partition(mark)
        if found:
            return f"{head}{mark} <{_TAILS[mark]}>"
    if value.startswith("Failed to create index "):
        return value.split(" - ")[0] + " - <database's words>"
    if "existing reference in " in value:
        head, names = value.rstrip(".").split("existing reference in ")
        return f"{head}existing reference in {sorted(names.split(', '))}"
    return value


def _claims(token: str, known: frozenset[str]) -> str:
    header, payload, _ = token.split(".")
    claims = _part(payload)
    left_seconds = claims.pop("exp", 0) - time.time()
    claims["lives"] = round(left_seconds / _TOKEN_GRAIN_SECONDS) * _TOKEN_GRAIN_SECONDS
    if claims.get("id") not in known:
        claims["id"] = "<id>"
    return f"jwt {json.dumps(_part(header), sort_keys=True)} {json.dumps(claims, sort_keys=True)}"


def _part(text: str) -> dict[str, Any]:
    decoded: dict[str, Any] = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    return decoded
