"""Whether the rules of a definition can be read, given the schema as it would be.

Codes and messages: measured on PocketBase 0.40.6.
"""

import itertools
from collections.abc import Iterable, Mapping
from functools import partial

from chalicelib.domain import indexes
from chalicelib.domain.collection import Collection, Definition, Loader, Schema
from chalicelib.domain.definition_errors import Errors
from chalicelib.errors import ErrorData, field_error

Definitions = Mapping[str, Definition]

_BLANK = field_error("validation_nil_or_not_empty_required", "Cannot be blank")
_versions = itertools.count(-1, -1)


def check(
    names: Iterable[str], definition: Definition, before: Definition | None, others: Definitions
) -> Errors:
    """Return the errors of these rules by name; `others` are the other collections."""
    errors: Errors = {}
    for name in names:
        rule = definition[name]
        wrong = _BLANK if name == "manageRule" and rule == "" else None
        wrong = wrong or (_check_rule(rule, definition, others) if rule else None)
        wrong = wrong or _check_system_rule(name, definition, before)
        if wrong:
            errors[name] = wrong
    return errors


def check_mfa(definition: Definition, others: Definitions) -> Errors:
    """Return the error of the rule that says who needs a second factor, if that is on."""
    rule = definition["mfa"]["rule"] if definition["mfa"]["enabled"] else ""
    wrong = _check_rule(rule, definition, others) if rule else None
    return {"mfa": {"rule": wrong}} if wrong else {}


def _check_system_rule(
    name: str, definition: Definition, before: Definition | None
) -> ErrorData | None:
    if before is None or not before["system"] or definition[name] == before.get(name):
        return None
    message = "System collection API rule cannot be changed"
    return field_error("validation_collection_system_rule_change", message)


def _check_rule(rule: str, definition: Definition, others: Definitions) -> ErrorData | None:
    from chalicelib.domain import filters  # noqa: PLC0415 (lazy: only a schema write parses rules)

    collection = readable(definition)
    try:
        filters.check_rule(rule, collection, schema_with(collection, others))
    except filters.FilterError as error:
        return field_error("validation_invalid_rule", f"Invalid rule. Raw error: {error}")
    return None


def readable(definition: Definition) -> Collection:
    """Return the collection of a definition that may be wrong: bad indexes are left out."""
    try:
        return Collection(definition, indexes.read(definition | {"indexStates": {}}))
    except (KeyError, ValueError):
        return Collection(definition)


def schema_with(collection: Collection, others: Definitions) -> Schema:
    """Return the schema as it would be. Its version is new: nothing cached is about it."""
    loaders: dict[tuple[str, str], Loader] = {
        (each["id"], each["name"]): partial(readable, each) for each in others.values()
    }
    loaders[collection.id, collection.name] = lambda: collection
    return Schema(next(_versions), loaders)
