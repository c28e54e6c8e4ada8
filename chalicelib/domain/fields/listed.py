"""What select, relation and file fields share: one text, or a list of them by maxSelect."""

from typing import Any

from chalicelib.domain.collection import Field
from chalicelib.domain.fields import casting

Value = str | list[str]


def items(value: Value) -> list[str]:
    """Return the value as a list, whichever of the two it is."""
    return casting.to_texts(value) if isinstance(value, str) else value


def shape(field: Field, texts: list[str]) -> Value:
    """Return texts as the field keeps them: all of them, or the last one."""
    if field.is_multiple:
        return texts
    return texts[-1] if texts else ""


def cast(field: Field, raw: Any) -> Value:
    return shape(field, casting.to_texts(raw))


def modify(field: Field, modifier: str, current: Value, raw: Any) -> Value:
    """`+f` puts before, `f+` after, `f-` removes. A single value is the last of both."""
    old, new = items(current), casting.to_texts(raw)
    if modifier == "f-":
        return shape(field, [text for text in old if text not in new])
    both = new + old if modifier == "+f" else old + new
    return shape(field, list(dict.fromkeys(both)))
