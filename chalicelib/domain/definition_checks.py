"""What is wrong with a definition: every code of PocketBase's collection validation.

`check` looks at the definition beside its old self and the other collections, and reports
every wrong key at once; of one key only the first error. `check_indexes` comes second, when
nothing else is wrong, as in PocketBase, where the database judges the indexes then.
Codes, messages and order: measured on PocketBase 0.40.6.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from chalicelib.domain import (
    definition_auth,
    definition_field_checks,
    definition_rules,
    indexes,
)
from chalicelib.domain.collection import RULES, Definition
from chalicelib.domain.definition_errors import (
    BLANK,
    NOT_IN,
    VIA,
    WRONG_FORMAT,
    Errors,
    length_between,
)
from chalicelib.domain.indexes import ParsedIndex
from chalicelib.errors import ErrorData, field_error

Definitions = Mapping[str, Definition]
"""Collection id -> definition."""

_WORD = re.compile(r"\w+", re.ASCII)
_INTERNAL_TABLES = frozenset(("_collections", "_params", "_migrations"))


def check(
    definition: Definition,
    before: Definition | None,
    others: Definitions,
    *,
    is_import: bool = False,
) -> Errors:
    """Return every error of a definition; `others` are the other collections afterwards.

    A collection may point to itself once it is stored, or when it is imported.
    """
    is_known = before is not None or is_import
    targets = {**others, definition["id"]: definition} if is_known else others
    errors: Errors = {
        "id": _check_id(definition, before, others),
        "name": _check_name(definition, before, others),
        "type": _check_type(definition, before),
        "system": _check_system(definition, before),
        "fields": definition_field_checks.check(definition, before, targets),
        "indexes": _check_indexes(definition, before, others),
    }
    errors |= definition_rules.check(RULES, definition, before, others)
    if definition["type"] == "auth":
        errors |= _check_auth(definition, before, others)
    return {name: error for name, error in errors.items() if error}


def _check_id(
    definition: Definition, before: Definition | None, others: Definitions
) -> ErrorData | None:
    if before is not None:
        return None  # `definition_changes` lets no id change
    wrong = length_between(definition["id"], 1, 100)
    if wrong:
        return wrong
    if not _WORD.fullmatch(definition["id"]):
        return WRONG_FORMAT
    if definition["id"] in others:
        message = "The model id is invalid or already exists"
        return field_error("validation_invalid_or_existing_id", message)
    return None


def _check_name(
    definition: Definition, before: Definition | None, others: Definitions
) -> ErrorData | None:
    name: str = definition["name"]
    wrong = length_between(name, 1, 255)
    if wrong:
        return wrong
    if not _WORD.fullmatch(name):
        return WRONG_FORMAT
    if "_via_" in name.lower():
        return VIA
    if before is not None and before["system"] and name != before["name"]:
        message = "System collection name cannot be changed"
        return field_error("validation_collection_system_name_change", message)
    return _check_name_is_free(name, others)


def _check_name_is_free(name: str, others: Definitions) -> ErrorData | None:
    if any(other["name"].lower() == name.lower() for other in others.values()):
        message = "Collection name must be unique (case insensitive)"
        return field_error("validation_collection_name_exists", message)
    if name in others:
        message = "The name must not match an existing collection id"
        return field_error("validation_collection_name_id_duplicate", message)
    if name.lower() in _INTERNAL_TABLES:
        message = "The name shouldn't match with an existing internal table"
        return field_error("validation_collection_name_invalid", message)
    return None


def _check_type(definition: Definition, before: Definition | None) -> ErrorData | None:
    if definition["type"] not in ("base", "auth", "view"):
        return NOT_IN
    if before is not None and definition["type"] != before["type"]:
        message = "Collection type cannot be changed"
        return field_error("validation_collection_type_change", message)
    if definition["type"] == "view":
        message = "View collections are not supported yet"
        return field_error("validation_view_collections_not_supported", message)
    return None


def _check_system(definition: Definition, before: Definition | None) -> ErrorData | None:
    if before is None or definition["system"] == before["system"]:
        return None
    message = "System collection state cannot be changed"
    return field_error("validation_collection_system_flag_change", message)


def _check_auth(definition: Definition, before: Definition | None, others: Definitions) -> Errors:
    """Return the errors of the options: what goes deeper is judged when all else is right."""
    errors = definition_auth.check(definition)
    errors |= definition_rules.check(("authRule", "manageRule"), definition, before, others)
    return (
        errors
        or definition_auth.check_mfa_methods(definition)
        or definition_rules.check_mfa(definition, others)
        or definition_auth.check_identity_fields(definition)
    )


def _check_indexes(
    definition: Definition, before: Definition | None, others: Definitions
) -> Errors:
    used = {
        indexes.name_of(sql).lower(): other["name"]
        for other in others.values()
        if other["name"].lower() != definition["name"].lower()  # that is another error
        for sql in other["indexes"]
    }
    names: set[str] = set()
    bodies: set[str] = set()
    for position, sql in enumerate(definition["indexes"]):
        try:
            parsed = indexes.parse(sql)
        except ValueError as error:
            return {str(position): field_error("validation_invalid_index_expression", str(error))}
        body = indexes.build(parsed._replace(name="", optional=False), "")
        wrong = _check_index_name(parsed, names, used) or _check_index_body(body, bodies)
        if wrong:
            return {str(position): wrong}
        names.add(parsed.name.lower())
        bodies.add(body)
    return _check_system_indexes(definition, before)


def _check_index_name(
    parsed: ParsedIndex, names: set[str], used: Mapping[str, str]
) -> ErrorData | None:
    name = parsed.name.lower()
    if name in used:
        message = f"The index name is already used in {used[name]} collection"
        params = {"usedTableName": used[name]}
        return field_error("validation_existing_index_name", message, params)
    if name in names:
        return field_error("validation_duplicated_index_name", "The index name already exists")
    return None


def _check_index_body(body: str, bodies: set[str]) -> ErrorData | None:
    if body not in bodies:
        return None
    message = "The index definition already exists"
    return field_error("validation_duplicated_index_definition", message)


def _check_system_indexes(definition: Definition, before: Definition | None) -> Errors:
    """Unique indexes over system fields of a stored collection must stay, whatever their names."""
    if before is None:
        return {}
    kept = {_columns(each) for each in _unique(definition)}
    system = {entry["name"].lower() for entry in before["fields"] if entry["system"]}
    for each in _unique(before):
        columns = _columns(each)
        if system.issuperset(columns) and columns not in kept:
            name = each.columns[0].name
            message = f"Unique index definition on system fields ({name}) is invalid or missing"
            code = "validation_invalid_unique_system_field_index"
            return field_error(code, message, {"fieldName": name})
    return {}


def _unique(definition: Definition) -> Iterable[ParsedIndex]:
    parsed = (indexes.parse(sql) for sql in definition["indexes"])
    return [each for each in parsed if each.unique]


def _columns(parsed: ParsedIndex) -> tuple[str, ...]:
    return tuple(sorted(column.name.lower() for column in parsed.columns))


def check_indexes(definition: Definition, others: Definitions) -> Errors:
    """Return `{"indexes": ...}` for the indexes that cannot be kept, empty if all can."""
    errors: Errors = {}
    tables = {other["name"].lower() for other in others.values()} | {definition["name"].lower()}
    names = [entry["name"] for entry in definition["fields"]]
    ordered = 0
    for position, sql in enumerate(definition["indexes"]):
        parsed = indexes.parse(sql)
        ordered += not parsed.unique
        reason = _index_problem(parsed, names, tables, ordered)
        if reason:
            message = f"Failed to create index {parsed.name} - {reason}"
            error = field_error("validation_invalid_index_expression", message)
            errors[str(position)] = error
    return {"indexes": errors} if errors else {}


def _index_problem(parsed: ParsedIndex, names: list[str], tables: set[str], ordered: int) -> str:
    if parsed.schema:
        return f"unknown database: {parsed.schema}"
    if parsed.name.lower() in tables:
        return f"there is already a table named {parsed.name}"
    if parsed.name.lower().startswith("sqlite_"):
        return f"object name reserved for internal use: {parsed.name}"
    wrong = indexes.problem(parsed, names)
    if wrong or parsed.unique or ordered <= indexes.SLOTS:
        return wrong
    return f"a collection may have at most {indexes.SLOTS} indexes that are not unique"


def raw(errors: Any) -> Any:
    """Return errors as PocketBase's import prints them: messages alone, in its own case."""
    if "code" in errors and isinstance(errors["code"], str):
        message: str = errors["message"]
        if errors["code"] in _PLAIN:
            return message[0].lower() + message[1:].removesuffix(".")
        return message
    return {name: raw(error) for name, error in errors.items()}


_PLAIN = frozenset(error["code"] for error in (BLANK, WRONG_FORMAT, NOT_IN)) | frozenset(
    (
        "validation_length_out_of_range",
        "validation_not_in_invalid",
        "validation_values_mismatch",
        "validation_is_url",
        "validation_min_greater_equal_than_required",
        "validation_max_less_equal_than_required",
    )
)
