"""Functions: what superusers make, change, roll back and delete.

    POST    -> the function is in the table, with its role     its code comes with a PUT
    PATCH   -> a new version if what Lambda runs changes       else only the table changes
    DELETE  -> all that AWS has of it, its calls excepted

Each change is one hold (`function_holds`): it is noted as wanted (`function_changes`), then AWS is
brought to it (`function_deploys`). A request that dies or is late leaves the note, and the next
one goes on.
"""

import logging
from typing import Any

from chalicelib import services, store
from chalicelib.domain import paging
from chalicelib.domain.functions import names
from chalicelib.domain.functions import version as versions_
from chalicelib.domain.functions.function import Function
from chalicelib.domain.request import Call
from chalicelib.errors import ApiError, BadRequestError, field_error
from chalicelib.services import function_changes
from chalicelib.services.function_changes import changing
from chalicelib.services.function_holds import is_held
from chalicelib.services.session import open as open_session
from chalicelib.store.functions import Stored

log = logging.getLogger("dormouse")


def list(call: Call) -> dict[str, Any]:  # noqa: A001 (functions are listed)
    """Return a page of the functions by name, as PocketBase pages records."""
    open_session(call).require_superuser()
    options = paging.read(call.query)
    found = [each for each in store.functions.read_all() if not each.leaving]
    start = (options.page - 1) * options.per_page
    page = found[start : start + options.per_page]
    return {
        "page": options.page,
        "perPage": options.per_page,
        "totalItems": len(found),
        "totalPages": -(-len(found) // options.per_page),
        "items": services.function_answers.of_many(page),
    }


def view(call: Call, name: str) -> dict[str, Any]:
    """Return a function, after going on with what a request before has left undone."""
    open_session(call).require_superuser()
    return services.function_answers.of_stored(_up_to_date(name))


def create(call: Call) -> dict[str, Any]:
    """Make a function without code, and return it. Raises `BadRequestError`."""
    session = open_session(call)
    session.require_superuser()
    with function_changes.creating(function_changes.of_new(session)) as hold:
        services.function_deploys.finish(hold)
    return services.function_answers.of_stored(hold.stored)


def update(call: Call, name: str) -> dict[str, Any]:
    """Change a function's settings, and return it. Raises `BadRequestError`."""
    session = open_session(call)
    session.require_superuser()
    with changing(name) as hold:
        asked = function_changes.of_body(session, hold.stored.newest, call.body.data)
        function_changes.note(hold, asked)
        services.function_deploys.finish(hold)
    return services.function_answers.of_stored(hold.stored)


def delete(call: Call, name: str) -> None:
    """Delete a function and all that AWS has of it."""
    open_session(call).require_superuser()
    with changing(name) as hold:
        hold.put(leaving=True, wanted=None)
        services.function_deploys.finish(hold)


def versions(call: Call, name: str) -> dict[str, Any]:
    """Return a function's versions, the newest first."""
    open_session(call).require_superuser()
    function = require(name)
    found = store.functions.versions(function.id)
    return {"items": [versions_.export(each, function.live_version) for each in found]}


def rollback(call: Call, name: str) -> dict[str, Any]:
    """Make an earlier (or later) version live, with its settings, and return the function.

    A change that is under way is given up. Secrets stay as that version was given them.
    """
    open_session(call).require_superuser()
    number = _number(call.body.data.get("version"))
    with changing(name) as hold:
        stored = hold.stored
        found = store.functions.version(stored.function.id, number)
        if found is None or not services.function_deploys.has_version(stored.function, number):
            raise _no_version(number)
        after = versions_.settings_of(found, stored.function)
        after = after._replace(updated=function_changes.now_text())
        before = stored.function if stored.settled else stored.before
        hold.put(function=after, wanted=None, before=before, settled=False, problem="")
        services.function_deploys.finish(hold)
    return services.function_answers.of_stored(hold.stored)


def require(name: str) -> Function:
    """Return the function of a name. Raises `NotFoundError`."""
    function = store.functions.load(name) if names.FUNCTION_NAME.fullmatch(name) else None
    if function is None:
        raise function_changes.not_found(name)
    return function


def _up_to_date(name: str) -> Stored:
    """Return a function's item, after finishing what can be finished now."""
    stored = store.functions.read(name) if names.FUNCTION_NAME.fullmatch(name) else None
    if stored is not None and not stored.is_done and not is_held(stored):
        stored = _finished(name)
    if stored is None or stored.leaving:
        raise function_changes.not_found(name)
    return stored


def _finished(name: str) -> Stored | None:
    try:
        with changing(name) as hold:
            services.function_deploys.finish(hold)
        return hold.stored
    except ApiError as error:
        log.warning("function %s is not finished: %s", name, error)
    return store.functions.read(name)


def _number(value: Any) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 10**8:
        return value
    error = field_error("validation_invalid_value", "The number of one of the versions")
    raise BadRequestError("Failed to roll back.", {"version": error})


def _no_version(number: int) -> BadRequestError:
    error = field_error("validation_unknown_version", f"There is no version {number}")
    return BadRequestError("The function has no such version.", {"version": error})
