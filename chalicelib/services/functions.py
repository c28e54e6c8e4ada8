"""Functions: what superusers make, change, roll back and delete.

    POST    -> the function is in the table, with its role     its code comes with a PUT
    PATCH   -> a new version if what Lambda runs changes       else only the table changes
    DELETE  -> all that AWS has of it, its calls excepted

Each change is one hold (`function_holds`): it is noted as wanted, then AWS is brought to it
(`function_deploys`). A request that dies or is late leaves a note, and the next one goes on.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from chalicelib import aws, services, store
from chalicelib.aws.control import ControlError
from chalicelib.config import settings
from chalicelib.domain import dates, ids, paging
from chalicelib.domain.functions import names, plan, specification
from chalicelib.domain.functions import version as versions_
from chalicelib.domain.functions.function import Function
from chalicelib.domain.functions.specification import Change
from chalicelib.domain.request import Call
from chalicelib.errors import (
    ApiError,
    BadRequestError,
    NotFoundError,
    UnavailableError,
    field_error,
)
from chalicelib.services.function_holds import Hold, held, is_held, until_ms
from chalicelib.services.session import Session
from chalicelib.services.session import open as open_session
from chalicelib.store.functions import MovedError, Stored, Wanted

log = logging.getLogger("dormouse")


def list(call: Call) -> dict[str, Any]:  # noqa: A001 (functions are listed)
    """Return a page of the functions by name, as PocketBase pages records."""
    open_session(call).require_superuser()
    options = paging.read(call.query)
    found = store.functions.all()
    start = (options.page - 1) * options.per_page
    page = found[start : start + options.per_page]
    return {
        "page": options.page,
        "perPage": options.per_page,
        "totalItems": len(found),
        "totalPages": -(-len(found) // options.per_page),
        "items": [services.function_answers.of_function(each) for each in page],
    }


def view(call: Call, name: str) -> dict[str, Any]:
    """Return a function, after going on with what a request before has left undone."""
    open_session(call).require_superuser()
    return services.function_answers.of_stored(_up_to_date(name))


def create(call: Call) -> dict[str, Any]:
    """Make a function without code, and return it. Raises `BadRequestError`."""
    session = open_session(call)
    session.require_superuser()
    change = specification.new(
        call.body.data, ids.record_id(), now_text(), url_of(call), schema=session.schema
    )
    blank = change.function._replace(secret_names=())
    with _held_new(blank) as hold:
        _save_secrets(change, {})
        hold.put(function=change.function._replace(rev=hold.stored.function.rev))
        services.function_deploys.finish(hold)
    return services.function_answers.of_stored(hold.stored)


def update(call: Call, name: str) -> dict[str, Any]:
    """Change a function's settings, and return it. Raises `BadRequestError`."""
    session = open_session(call)
    session.require_superuser()
    with changing(name) as hold:
        stored = hold.stored
        change = _changed(session, stored.newest)
        want(
            hold,
            change.function,
            plan.needs_version(stored.newest, change.function) or bool(change.secrets),
        )
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
    session = open_session(call)
    session.require_superuser()
    function = require(session, name)
    found = store.functions.versions(function.id)
    return {"items": [versions_.export(each, function.live_version) for each in found]}


def rollback(call: Call, name: str) -> dict[str, Any]:
    """Make an earlier (or later) version live, with its settings, and return the function.

    A change that was under way is given up. Secrets stay as that version was given them.
    """
    open_session(call).require_superuser()
    number = _number(call.body.data.get("version"))
    with changing(name) as hold:
        stored = hold.stored
        found = store.functions.version(stored.function.id, number)
        if found is None:
            raise _no_version(number)
        after = versions_.settings_of(found, stored.function)._replace(updated=now_text())
        before = stored.function if stored.settled else stored.before
        hold.put(function=after, wanted=None, before=before, settled=False, problem="")
        services.function_deploys.finish(hold)
    return services.function_answers.of_stored(hold.stored)


def require(_session: Session, name: str) -> Function:
    """Return the function of a name. Raises `NotFoundError`."""
    function = store.functions.load(name) if names.FUNCTION_NAME.fullmatch(name) else None
    if function is None:
        raise NotFoundError(f"There is no function {name[:80]!r}.")
    return function


def url_of(call: Call) -> str:
    """Return where functions call the API: as configured, or where this request came in."""
    if settings().public_url:
        return settings().public_url.rstrip("/")
    host = call.headers.get("host", "")
    scheme = "https" if call.headers.get("x-forwarded-proto") == "https" else "http"
    return f"{scheme}://{host}" if host else ""


@contextmanager
def changing(name: str) -> Iterator[Hold]:
    """Hold a function to change it. Raises `NotFoundError`, `UnavailableError`.

    What AWS refuses to do for reasons of its own is a 503: the function says what is left.
    """
    if not names.FUNCTION_NAME.fullmatch(name):
        raise NotFoundError(f"There is no function {name[:80]!r}.")
    try:
        with held(name) as hold:
            if hold.stored.leaving:
                services.function_deploys.finish(hold)
                raise NotFoundError(f"There is no function {name!r}.")
            yield hold
    except ControlError as error:
        raise _trouble(name) from error


def want(
    hold: Hold, function: Function, publishes: bool, code: versions_.Code | None = None
) -> None:
    """Note a change on top of what is wanted already."""
    earlier = hold.stored.wanted
    if earlier is not None:
        code, publishes = code or earlier.code, publishes or earlier.publishes
    hold.put(wanted=Wanted(function, code, publishes), problem="")


def _changed(session: Session, base: Function) -> Change:
    """Return what a PATCH asks for, its secrets stored."""
    body = session.call.body.data
    old: dict[str, str] = {}
    if base.secret_names:
        kept = aws.parameters.load(_secrets_name(base))
        old = {name: kept[name] for name in base.secret_names if name in kept}
    change = specification.changed(
        base, body, now_text(), url_of(session.call), schema=session.schema, stored_secrets=old
    )
    _save_secrets(change, old)
    return change


def _save_secrets(change: Change, old: dict[str, str]) -> None:
    if not change.secrets:
        return
    merged = {**old, **change.secrets}
    kept = {name: value for name, value in merged.items() if value is not None}
    if len(aws.parameters.text(kept).encode()) > aws.parameters.MOST_BYTES:
        message = f"All secrets of a function may have {aws.parameters.MOST_BYTES} bytes"
        error = field_error("validation_length_too_long", message)
        raise BadRequestError("Failed to validate the function.", {"secrets": error})
    aws.parameters.save(_secrets_name(change.function), kept)


def _secrets_name(function: Function) -> str:
    return names.secrets(settings().resource_prefix, function.name)


@contextmanager
def _held_new(function: Function) -> Iterator[Hold]:
    """Put a function in the table, and hold it. Raises `BadRequestError` if its name is taken."""
    _finish_leaving(function.name)
    new = Stored(function, settled=False, busy_ms=until_ms())
    try:
        hold = Hold(store.functions.put(new, None))
    except MovedError as error:
        taken = field_error("validation_not_unique", "There is a function of this name already")
        raise BadRequestError("Failed to create the function.", {"name": taken}) from error
    try:
        with hold:
            yield hold
    except ControlError as error:
        raise _trouble(function.name) from error


def _finish_leaving(name: str) -> None:
    stored = store.functions.read(name)
    if stored is not None and stored.leaving:
        try:
            with changing(name):
                pass
        except NotFoundError:
            return


def _up_to_date(name: str) -> Stored:
    """Return a function's item, after finishing what can be finished now."""
    stored = store.functions.read(name) if names.FUNCTION_NAME.fullmatch(name) else None
    if stored is not None and not stored.is_done and not is_held(stored):
        stored = _finished(name)
    if stored is None or stored.leaving:
        raise NotFoundError(f"There is no function {name[:80]!r}.")
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


def _trouble(name: str) -> UnavailableError:
    log.exception("AWS did not do what function %s needs", name)
    return UnavailableError(
        "AWS did not do what was asked. The function says what is left; asking again goes on."
    )


def now_text() -> str:
    """Return the time as functions keep it."""
    return dates.now_text(datetime.now(UTC))
