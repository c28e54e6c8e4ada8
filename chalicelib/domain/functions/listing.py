"""How lists of calls, dead letters and log lines are asked for: how many, and from where on."""

from collections.abc import Mapping

from chalicelib.domain.functions import invocation as invocations
from chalicelib.errors import BadRequestError


def count(query: Mapping[str, str], name: str, default: int, most: int) -> int:
    """Return how many items a parameter asks for. Raises `BadRequestError`."""
    text = query.get(name, "") or str(default)
    if not (text.isascii() and text.isdigit() and len(text) < 10 and 0 < int(text) <= most):
        raise BadRequestError(f"{name} has to be 1 to {most}.")
    return int(text)


def before(query: Mapping[str, str]) -> str:
    """Return the id that a page begins behind, "" for the first. Raises `BadRequestError`."""
    cursor = query.get("cursor", "")
    if cursor and not invocations.is_id(cursor):
        raise BadRequestError("The cursor is not one that a list has returned.")
    return cursor
