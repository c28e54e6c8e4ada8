"""The settings: what superusers see and change, and what the other services read.

    services.settings.current()["batch"]["maxRequests"]

A change of the settings moves the schema version, which every request reads. So `current`
reads them once for each schema that this process loads, and a change holds in every instance
from its next request on.
"""

from typing import Any

from chalicelib import services, store
from chalicelib.domain import app_settings, binding
from chalicelib.domain.app_settings import AppSettings
from chalicelib.domain.collection import Schema
from chalicelib.domain.request import Call
from chalicelib.errors import BadRequestError, ForbiddenError, UnavailableError

_MAX_ATTEMPTS = 10

_known: list[tuple[Schema, AppSettings]] = []


def current() -> AppSettings:
    """Return the settings in force, secrets included. Do not change what you get."""
    schema = store.schema.cached() or store.schema.load()
    if not _known or _known[0][0] is not schema:
        _known[:] = [(schema, _read(store.settings.load().document))]
    return _known[0][1]


def forget() -> None:
    """Drop what this process knows, so that the settings are read again."""
    _known.clear()


def view(call: Call) -> AppSettings:
    """Return the settings as superusers see them. Raises 401 or 403 for others."""
    services.session.open(call).require_superuser()
    return app_settings.public(_read(store.settings.load().document))


def update(call: Call) -> AppSettings:
    """Merge the body into the settings and return them. Raises `BadRequestError`, 401, 403."""
    services.session.open(call).require_superuser()
    patch = _submitted(call)
    for _ in range(_MAX_ATTEMPTS):
        stored = store.settings.load()
        wanted = _checked(_read(stored.document), patch)
        try:
            store.settings.save(wanted, stored.rev)
        except store.settings.SettingsMovedError:
            continue
        forget()
        return app_settings.public(wanted)
    raise UnavailableError("The settings are being changed by others. Please try again.")


def client_address(call: Call) -> str:
    """Return the client's IP address, from a trusted proxy's header if there is one."""
    from chalicelib.domain import client_address as addresses  # noqa: PLC0415 - lazy: few ask

    return addresses.client_address(current(), call.headers, call.ip)


def require_superuser_address(call: Call) -> None:
    """Raises `ForbiddenError` if superusers may not come from this address (`superuserIPs`)."""
    if not current()["superuserIPs"]:
        return
    from chalicelib.domain import client_address as addresses  # noqa: PLC0415 - lazy: few ask

    if not addresses.allows_superuser(current(), client_address(call)):
        raise ForbiddenError


def _submitted(call: Call) -> dict[str, Any]:
    try:
        if binding.is_form(call.headers):
            return binding.nested(app_settings.DEFAULTS, call.body.data)
        return call.body.data
    except (BadRequestError, ValueError) as error:
        raise _unreadable() from error


def _checked(stored: AppSettings, patch: dict[str, Any]) -> AppSettings:
    from chalicelib.domain import app_settings_errors  # noqa: PLC0415 - lazy: only PATCH needs it

    try:
        wanted = app_settings.merge(stored, patch)
    except ValueError as error:
        raise _unreadable() from error
    if found := app_settings_errors.errors(wanted):
        raise BadRequestError("An error occurred while saving the new settings.", found)
    return wanted


def _unreadable() -> BadRequestError:
    return BadRequestError("An error occurred while loading the submitted data.")


def _read(document: dict[str, Any] | None) -> AppSettings:
    """Return stored settings with what they lack: options that are younger than they are."""
    return app_settings.merge(app_settings.defaults(), document or {})
