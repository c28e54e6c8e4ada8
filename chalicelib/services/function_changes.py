"""A change of a function, from what a body asks for to the note of it in the table.

Secrets go to their encrypted parameter before the note: what is noted can always be done. A value
that was stored and then not noted is in no version, since a version has the secrets it names.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import Any, NamedTuple

from chalicelib import aws, services, store
from chalicelib.aws.control import ControlError
from chalicelib.config import settings
from chalicelib.domain import dates, ids
from chalicelib.domain.functions import names, plan, specification
from chalicelib.domain.functions.function import Function
from chalicelib.domain.functions.version import Code
from chalicelib.domain.request import Call
from chalicelib.errors import BadRequestError, NotFoundError, UnavailableError, field_error
from chalicelib.services.function_holds import Hold, held, until_ms
from chalicelib.services.session import Session
from chalicelib.store.functions import MovedError, Stored, Wanted

log = logging.getLogger("dormouse")


class Asked(NamedTuple):
    """What a body asks of a function."""

    function: Function
    secrets: dict[str, str | None]
    """To be set, or removed (None)."""
    old_secrets: dict[str, str]

    @property
    def all_secrets(self) -> dict[str, str]:
        merged = {**self.old_secrets, **self.secrets}
        return {name: value for name, value in merged.items() if value is not None}


def of_new(session: Session) -> Asked:
    """Return what a POST asks for. Raises `BadRequestError`."""
    change = specification.new(
        session.call.body.data,
        ids.record_id(),
        now_text(),
        url_of(session.call),
        schema=session.schema,
    )
    _require_short(change.function)
    return _checked(Asked(*change, {}))


def of_body(session: Session, base: Function, body: dict[str, Any]) -> Asked:
    """Return what a body asks for on top of `base`. Raises `BadRequestError`."""
    old: dict[str, str] = {}
    if base.secret_names:
        kept = aws.parameters.load(_secrets_name(base))
        old = {name: kept[name] for name in base.secret_names if name in kept}
    url = url_of(session.call)
    change = specification.changed(
        base, body, now_text(), url, schema=session.schema, stored_secrets=old
    )
    return _checked(Asked(*change, old))


@contextmanager
def creating(asked: Asked) -> Iterator[Hold]:
    """Put a function in the table, and hold it.

    Raises `BadRequestError` if its name is taken, and as `changing`.
    """
    name = asked.function.name
    _finish_leaving(name)
    services.function_triggers.check(asked.function)
    blank = asked.function._replace(secret_names=())  # until they are stored
    new = Stored(blank, settled=False, busy_ms=until_ms())
    try:
        hold = Hold(store.functions.put(new, None))
    except MovedError as error:
        taken = field_error("validation_not_unique", "There is a function of this name already")
        raise BadRequestError("Failed to create the function.", {"name": taken}) from error
    with _no_trouble(name), hold:
        if asked.secrets:
            _save_secrets(asked)
            hold.put(function=asked.function._replace(rev=hold.stored.function.rev))
        yield hold


@contextmanager
def changing(name: str) -> Iterator[Hold]:
    """Hold a function to change it.

    Raises `NotFoundError`, `UnavailableError`: held by another for too long, or AWS has trouble.
    """
    if not names.FUNCTION_NAME.fullmatch(name):
        raise not_found(name)
    with _no_trouble(name), held(name) as hold:
        if hold.stored.leaving:
            services.function_deploys.finish(hold)
            raise not_found(name)
        yield hold


def note(hold: Hold, asked: Asked, code: Code | None = None) -> None:
    """Note a change on top of what is wanted already.

    Raises `BadRequestError` for triggers that other functions leave no room for.
    """
    services.function_triggers.check(asked.function)
    _save_secrets(asked)
    newest, earlier = hold.stored.newest, hold.stored.wanted
    publishes = bool(code or asked.secrets) or plan.needs_version(newest, asked.function)
    if earlier is not None:
        code, publishes = code or earlier.code, publishes or earlier.publishes
    hold.put(wanted=Wanted(asked.function, code, publishes), problem="")


def not_found(name: str) -> NotFoundError:
    return NotFoundError(f"There is no function {name[:80]!r}.")


def url_of(call: Call) -> str:
    """Return where functions call the API: as configured, or where this request came in."""
    if settings().public_url:
        return settings().public_url.rstrip("/")
    host = call.headers.get("host", "")
    scheme = "https" if call.headers.get("x-forwarded-proto") == "https" else "http"
    return f"{scheme}://{host}" if host else ""


def now_text() -> str:
    """Return the time as functions keep it."""
    return dates.now_text(datetime.now(UTC))


def _require_short(function: Function) -> None:
    """Raise `BadRequestError` if AWS has no room for the name behind a long name of the stage."""
    full = names.lambda_function(settings().resource_prefix, function.name)
    if len(full) > names.MAX_AWS_CHARACTERS:
        most = names.MAX_AWS_CHARACTERS - len(full) + len(function.name)
        message = f"Must be no more than {most} character(s) here, as the stage's name is long"
        error = field_error("validation_length_too_long", message)
        raise BadRequestError("Failed to validate the new function.", {"name": error})


def _checked(asked: Asked) -> Asked:
    """Return it, if its secrets fit a parameter. Raises `BadRequestError`."""
    most = aws.parameters.MOST_BYTES
    if asked.secrets and len(aws.parameters.text(asked.all_secrets).encode()) > most:
        message = f"All secrets of a function may have {most} bytes as JSON"
        error = field_error("validation_length_too_long", message)
        raise BadRequestError("Failed to validate the function.", {"secrets": error})
    return asked


def _save_secrets(asked: Asked) -> None:
    if asked.secrets:
        aws.parameters.save(_secrets_name(asked.function), asked.all_secrets)


def _secrets_name(function: Function) -> str:
    return names.secrets(settings().resource_prefix, function.name)


def _finish_leaving(name: str) -> None:
    stored = store.functions.read(name)
    if stored is not None and stored.leaving:
        with suppress(NotFoundError), changing(name):
            pass


@contextmanager
def _no_trouble(name: str) -> Iterator[None]:
    try:
        yield
    except ControlError as error:
        log.exception("AWS did not do what function %s needs", name)
        raise UnavailableError(
            "AWS did not do what the function needs. Asking again goes on where it stopped."
        ) from error
