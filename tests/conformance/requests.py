"""Short ways to write the requests that most scenarios make."""

from typing import Any

from tests.conformance.client import Part
from tests.conformance.scenario import NOTHING, Scenario, Step


def records(collection: str, record_id: str = "") -> str:
    """Return the path of a collection's records or of one of them."""
    path = f"/api/collections/{collection}/records"
    return f"{path}/{record_id}" if record_id else path


def listing(collection: str, who: str = "guest", **query: Any) -> Step:
    return Step("GET", records(collection), who, query)


def view(collection: str, record_id: str, who: str = "guest", **query: Any) -> Step:
    return Step("GET", records(collection, record_id), who, query)


def create(collection: str, body: Any = NOTHING, who: str = "guest", **query: Any) -> Step:
    return Step("POST", records(collection), who, query, json=body)


def update(
    collection: str, record_id: str, body: Any = NOTHING, who: str = "guest", **query: Any
) -> Step:
    return Step("PATCH", records(collection, record_id), who, query, json=body)


def delete(collection: str, record_id: str, who: str = "guest") -> Step:
    return Step("DELETE", records(collection, record_id), who)


def form(collection: str, *parts: tuple[str, str], who: str = "guest") -> Step:
    """Create from a multipart body of text parts."""
    return Step("POST", records(collection), who, parts=tuple(Part(*part) for part in parts))


def admin(method: str, path: str, body: Any = NOTHING, **query: Any) -> Step:
    """Return a superuser's call."""
    return Step(method, path, "super", query, json=body)


def found_row(step: Step, expression: str, found: str | int | None, key: str = "k") -> Scenario:
    """Return a list that finds the records whose `key` are the letters of `found`.

    None and numbers: refused, with 400 or that status.
    """
    if not isinstance(found, str):
        return Scenario(f"{expression!r} is refused", step, found or 400)
    items = ",".join(f'{{"{key}":"{letter}"}}' for letter in found)
    return Scenario(
        f"{expression!r} finds {found or 'none'}", step, 200, has=(f'"items":[{items}]',),
    )  # fmt: skip
