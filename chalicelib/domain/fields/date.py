"""Date fields. What cannot be read as a date is no date, without an error."""

from typing import Any

from chalicelib.domain import dates
from chalicelib.domain.collection import Field
from chalicelib.domain.fields import common
from chalicelib.domain.fields.common import Context
from chalicelib.errors import ErrorData

DEFAULT_OPTIONS: dict[str, Any] = {**common.COMMON, "max": "", "min": ""}


def cast(field: Field, raw: Any) -> str:
    return dates.parse(raw)


def check(field: Field, value: str, context: Context) -> ErrorData | None:
    if not value:
        return common.required() if field.required else None
    # The kept form orders as text, like the times it stands for.
    least, most = (dates.parse(field.options.get(name)) for name in ("min", "max"))
    if least and value < least:
        return common.below(_rfc3339(least), _in_words(least))
    if most and value > most:
        return common.above(_rfc3339(most), _in_words(most))
    return None


def _seconds(text: str) -> str:
    """Return a kept date without the zeros and the point that end its fraction."""
    return text[:-1].rstrip("0").rstrip(".") if "." in text else text[:-1]


def _rfc3339(text: str) -> str:
    return _seconds(text).replace(" ", "T") + "Z"


def _in_words(text: str) -> str:
    return _seconds(text) + " +0000 UTC"


def option_errors(entry: dict[str, Any]) -> dict[str, ErrorData]:
    return {}
