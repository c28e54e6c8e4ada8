"""One JSON line per event on standard error, where Lambda and `make run` both collect it.

Values of fields whose name tells a secret are replaced: `log.info("signed in", token=...)`
prints `"token": "***"`.
"""

import json
import sys
from datetime import UTC, datetime
from typing import Any

_SECRET_NAMES = ("password", "secret", "token", "authorization", "cookie", "api_key", "apikey")


def info(event: str, **fields: Any) -> None:
    """Log what happened, with its details by name."""
    _write("info", event, fields)


def warning(event: str, **fields: Any) -> None:
    """Log what somebody should look at when it happens often."""
    _write("warning", event, fields)


def error(event: str, **fields: Any) -> None:
    """Log what somebody should look at today."""
    _write("error", event, fields)


def _write(level: str, event: str, fields: dict[str, Any]) -> None:
    line = {"time": datetime.now(UTC).isoformat(), "level": level, "event": event}
    sys.stderr.write(json.dumps(line | _masked(fields), default=str) + "\n")
    sys.stderr.flush()


def _masked(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(name): _masked_field(str(name), item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_masked(item) for item in value]
    return value


def _masked_field(name: str, value: Any) -> Any:
    is_secret = any(word in name.lower() for word in _SECRET_NAMES)
    return "***" if is_secret and value else _masked(value)
