"""Fields and collections for the tests of `domain.fields` and `domain.record`."""

from typing import Any

from chalicelib.domain import fields
from chalicelib.domain.collection import Collection, Field, read_field
from chalicelib.domain.fields.common import Context
from chalicelib.errors import ErrorData


def entry(type_: str, name: str = "f", **options: Any) -> dict[str, Any]:
    """Return a field's JSON as a definition has it."""
    defaults = fields.of(type_).DEFAULT_OPTIONS
    return {"name": name, "type": type_, "id": f"{type_}_{name}", **defaults, **options}


def field(type_: str, **options: Any) -> Field:
    return read_field(entry(type_, **options))


def cast(type_: str, raw: Any, **options: Any) -> Any:
    return fields.of(type_).cast(field(type_, **options), raw)


def check(
    type_: str, value: Any, context: Context | None = None, **options: Any
) -> ErrorData | None:
    """Return the error of a value that the field already holds."""
    found: ErrorData | None = fields.of(type_).check(
        field(type_, **options), value, context or Context()
    )
    return found


def code(error: ErrorData | None) -> str:
    """Return an error's code, "" for no error."""
    return error["code"] if error else ""


def collection(*entries: dict[str, Any], type_: str = "base", id_: str = "c") -> Collection:
    """Return a collection whose fields are stored under `key_<name>`."""
    own_id = entry(
        "text",
        "id",
        required=True,
        primaryKey=True,
        min=15,
        max=15,
        pattern="^[a-z0-9]+$",
        autogeneratePattern="[a-z0-9]{15}",
    )
    given = entries if any(one["name"] == "id" for one in entries) else (own_id, *entries)
    keyed = [{"key": f"key_{one['name']}", **one} for one in given]
    return Collection({"id": id_, "name": "things", "type": type_, "storage": "s", "fields": keyed})
