"""What a request to change the collections comes to, or why it is refused.

Each function takes the definitions as they are (by id) and returns those to write; services
write them and retry from here if someone else was faster. Messages: measured on
PocketBase 0.40.6.
"""

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from chalicelib.domain import definition, definition_checks, definition_indexes
from chalicelib.domain.collection import Definition
from chalicelib.domain.definition_errors import Errors
from chalicelib.domain.definition_shape import FormatError, text
from chalicelib.errors import BadRequestError, field_error

Definitions = Mapping[str, Definition]

BAD_FORMAT = "Failed to load the submitted data due to invalid formatting."
BAD_TYPE = "Failed to load the collection type data due to invalid formatting."
BAD_IMPORT_BODY = "An error occurred while loading the submitted data."
_CREATE_FAILED = "Failed to create collection."
_UPDATE_FAILED = "Failed to update collection."
_BAD_IMPORT = "Failed to import collections."


class Import(NamedTuple):
    """The outcome of an import: what to write, and the ids to delete."""

    puts: list[Definition]
    deletes: list[str]


def created(body: Any, definitions: Definitions, now: str) -> Definition:
    """Return the definition to create. Raises `BadRequestError`."""
    _refuse_bad_type(body)
    try:
        made = definition.create(body, definitions, now)
    except FormatError:
        raise BadRequestError(BAD_FORMAT) from None
    _refuse(made, None, definitions, _CREATE_FAILED)
    return _with_states(made, None, definition_indexes.READY)


def _refuse_bad_type(body: Any) -> None:
    if not isinstance(body, dict):
        raise BadRequestError(BAD_TYPE)
    try:
        for name in ("type", "name", "id"):
            text(body.get(name), None)
    except FormatError:
        raise BadRequestError(BAD_TYPE) from None


def updated(body: Any, before: Definition, definitions: Definitions, now: str) -> Definition:
    """Return the definition to write in place of `before`. Raises `BadRequestError`."""
    try:
        made = definition.update(body, before, now)
    except FormatError:
        raise BadRequestError(BAD_FORMAT) from None
    if made["id"] != before["id"]:
        raise BadRequestError(f"{_UPDATE_FAILED} Raw error: \nthe id of a collection stays")
    others = {each: found for each, found in definitions.items() if each != before["id"]}
    _refuse(made, before, others, _UPDATE_FAILED)
    return _with_states(made, before, definition_indexes.BUILDING)


def _refuse(made: Definition, before: Definition | None, others: Definitions, message: str) -> None:
    errors = definition_checks.check(made, before, others)
    errors = errors or definition_checks.check_indexes(made, others)
    if errors:
        raise BadRequestError(message, errors)
    if made["name"].lower().startswith("sqlite_"):
        reason = f"object name reserved for internal use: {made['name']}"
        raise BadRequestError(f"{message} Raw error: \n{reason}")


def _with_states(made: Definition, before: Definition | None, new_state: str) -> Definition:
    return made | {
        "indexStates": definition_indexes.states(made, before, new_state),
        "formerUniques": definition_indexes.former_uniques(made, before),
    }


def refuse_delete(found: Definition, definitions: Definitions) -> None:
    """Raises `BadRequestError` for a system collection and for one that others point to."""
    message = "Failed to delete collection"
    names = referring(found, definitions)
    if names:
        message += f" probably due to existing reference in {', '.join(names)}"
    if names or found["system"]:
        raise BadRequestError(message)


def referring(found: Definition, definitions: Definitions) -> list[str]:
    """Return the names of the other collections with a relation to this one, oldest first."""
    others = sorted(definitions.values(), key=lambda each: (each["created"], each["name"]))
    return [
        other["name"]
        for other in others
        if other["id"] != found["id"]
        and any(entry.get("collectionId") == found["id"] for entry in other["fields"])
    ]


def imported(body: Any, definitions: Definitions, now: str) -> Import:
    """Return what an import comes to, all or nothing. Raises `BadRequestError`."""
    sent, delete_missing = _import_body(body)
    after = dict(definitions)
    changed: list[str] = []
    for each in sent:
        made = _import_one(each, after, definitions, now, delete_missing=delete_missing)
        after[made["id"]] = made
        changed.append(made["id"])
    deletes = _missing(definitions, changed) if delete_missing else []
    for collection_id in deletes:
        del after[collection_id]
    for collection_id in changed:
        _check_imported(after[collection_id], definitions.get(collection_id), after)
    puts = [_imported_states(after[collection_id], definitions) for collection_id in changed]
    return Import(puts, deletes)


def _missing(definitions: Definitions, imported_ids: list[str]) -> list[str]:
    return [
        collection_id
        for collection_id, found in definitions.items()
        if collection_id not in imported_ids and not found["system"]
    ]


def _import_body(body: Any) -> tuple[list[dict[str, Any]], bool]:
    if not isinstance(body, dict):
        raise BadRequestError(BAD_IMPORT_BODY)
    sent, delete_missing = body.get("collections"), body.get("deleteMissing") or False
    is_list = sent is None or (
        isinstance(sent, list) and all(isinstance(each, dict) for each in sent)
    )
    if not is_list or not isinstance(delete_missing, bool):
        raise BadRequestError(BAD_IMPORT_BODY)
    if not sent:
        error = field_error("validation_required", "Cannot be blank")
        message = "An error occurred while validating the submitted data."
        raise BadRequestError(message, {"collections": error})
    return sent, delete_missing


def _import_one(
    sent: dict[str, Any],
    after: Definitions,
    definitions: Definitions,
    now: str,
    *,
    delete_missing: bool,
) -> Definition:
    try:
        before = _find(sent, definitions)
        if before is None:
            made = definition.create(sent, after, now)
        else:
            made = definition.imported(sent, before, now, delete_missing=delete_missing)
    except FormatError:
        name = sent.get("name")
        raise _import_error(f'the data of collection "{name}" is wrongly formatted') from None
    changed_already = made["id"] in after and after[made["id"]] is not definitions.get(made["id"])
    if changed_already:
        raise _import_error(f'collection "{made["name"]}" is there twice')
    return made


def _find(sent: dict[str, Any], definitions: Definitions) -> Definition | None:
    """Match by id, else (without an id) by the exact name."""
    wanted, name = text(sent.get("id"), None), text(sent.get("name"), None)
    if wanted:
        return definitions.get(wanted)
    return next((each for each in definitions.values() if each["name"] == name), None)


def _check_imported(made: Definition, before: Definition | None, after: Definitions) -> None:
    others = {each: found for each, found in after.items() if each != made["id"]}
    errors = definition_checks.check(made, before, others, is_import=True)
    if errors:
        listed = json.dumps(
            definition_checks.raw(errors), indent=2, sort_keys=True, ensure_ascii=False
        )
        raise _import_error(
            f'Data validations failed for collection "{made["name"]}" ({made["id"]}):\n{listed}',
            is_raw=False,
        )
    problems: Errors = definition_checks.check_indexes(made, others)
    if problems:
        raise BadRequestError(_BAD_IMPORT, problems)


def _import_error(reason: str, *, is_raw: bool = True) -> BadRequestError:
    prefix = "Failed to import the collections configuration. Raw error:\n" if is_raw else ""
    error = field_error("validation_collections_import_failure", prefix + reason)
    return BadRequestError(_BAD_IMPORT, {"collections": error})


def _imported_states(made: Definition, definitions: Definitions) -> Definition:
    before = definitions.get(made["id"])
    is_new = before is None
    state = definition_indexes.READY if is_new else definition_indexes.BUILDING
    return _with_states(made, before, state)
