"""Dead letters of functions: calls in the background that failed at their last attempt."""

import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from chalicelib import services, store
from chalicelib.domain import dates
from chalicelib.domain.functions import invocation as calls
from chalicelib.domain.functions import listing
from chalicelib.domain.functions.function import Function
from chalicelib.domain.functions.invocation import Invocation
from chalicelib.domain.request import Call
from chalicelib.errors import NotFoundError
from chalicelib.services.invoking_attempt import now_ms
from chalicelib.store.dead_letters import DeadLetter

PER_PAGE = 50
MOST_PER_PAGE = 200
REDRIVE_SECONDS = 15.0
DAY_SECONDS = 24 * 3600


def keep(function: Function, invocation: Invocation) -> None:
    """Write the dead letter of a call that nobody tries again."""
    kept_seconds = function.retention_days * DAY_SECONDS
    letter = DeadLetter(
        owner=function.id,
        id=invocation.id,
        name=function.name,
        error=invocation.error or {"type": invocation.status, "message": ""},
        attempts=invocation.attempt,
        created_ms=now_ms(),
        expires=invocation.created_ms // 1000 + kept_seconds,
        event=None if "event" in invocation.spilled else invocation.event,
        trigger=invocation.trigger,
        source=invocation.source,
        depth=invocation.depth,
    )
    store.dead_letters.put(letter)


def keep_unmade(
    function: Function, letter_id: str, error: dict[str, str], source: dict[str, Any]
) -> None:
    """Write the dead letter of a change that no call could be made of: it cannot be sent again."""
    at_ms = now_ms()
    expires = at_ms // 1000 + function.retention_days * DAY_SECONDS
    letter = DeadLetter(
        function.id, letter_id, function.name, error, 0, at_ms, expires,
        trigger=calls.RECORD, source=source,
    )  # fmt: skip
    store.dead_letters.put(letter)


def page(call: Call, name: str) -> dict[str, Any]:
    """Return a function's dead letters, newest first, as `{"items", "nextCursor"}`.

    Raises 401, 403, 404.
    """
    return listed(call, _function(call, name).id, exported)


def listed(call: Call, owner: str, export: Callable[[DeadLetter], Any]) -> dict[str, Any]:
    """Return a page of an owner's letters. Raises `BadRequestError` for a bad question."""
    limit = listing.count(call.query, "perPage", PER_PAGE, MOST_PER_PAGE)
    found = store.dead_letters.page(owner, limit, listing.before(call.query))
    return {"items": [export(each) for each in found.letters], "nextCursor": found.before}


def delete(call: Call, name: str, letter_id: str) -> None:
    """Remove a dead letter. Raises 401, 403, 404."""
    function = _function(call, name)
    store.dead_letters.delete(function.id, find(function.id, letter_id).id)


def redrive(call: Call, name: str, letter_id: str) -> dict[str, Any]:
    """Queue a dead letter's event as a new call, and remove it; return the new call's id.

    Raises 401, 403, 404.
    """
    function = _function(call, name)
    return {"invocation": _send(function, find(function.id, letter_id))}


def redrive_all(call: Call, name: str) -> dict[str, Any]:
    """Queue the events of dead letters as new calls, oldest first, as far as time allows.

    Returns how many were, and whether some are left. Raises 401, 403, 404.
    """
    function = _function(call, name)
    return in_turn(function.id, lambda letter: _send(function, letter))


def in_turn(owner: str, send: Callable[[DeadLetter], object]) -> dict[str, Any]:
    """Send an owner's letters, oldest first, and none twice; `{"redriven", "more"}`."""
    until = time.monotonic() + REDRIVE_SECONDS
    last_id, sent = services.invoking.new_id(), 0
    seen: set[str] = set()
    while letters := _others(store.dead_letters.oldest(owner, MOST_PER_PAGE), seen):
        for letter in letters:
            # What fails again meanwhile is a new letter, for the next time.
            if letter.id > last_id or time.monotonic() > until:
                return {"redriven": sent, "more": letter.id <= last_id}
            seen.add(letter.id)
            with suppress(NotFoundError):  # another request is sending it, or has
                send(letter)
                sent += 1
    return {"redriven": sent, "more": False}


def _others(letters: list[DeadLetter], seen: set[str]) -> list[DeadLetter]:
    return [each for each in letters if each.id not in seen]


def exported(letter: DeadLetter) -> dict[str, Any]:
    """Return a letter as the API shows it."""
    return {
        "id": letter.id,
        "function": letter.name,
        "trigger": letter.trigger,
        "source": letter.source,
        "event": letter.event,
        "error": letter.error,
        "attempts": letter.attempts,
        "depth": letter.depth,
        "created": dates.text_of_ms(letter.created_ms),
    }


def _send(function: Function, letter: DeadLetter) -> str:
    """Queue the event of a letter's call; the letter goes only when that is done.

    Whoever dies in between leaves a letter that says under which id it was queued, so a second
    try is the same call. Raises `NotFoundError` if the letter or its call is gone.
    """
    failed = store.invocations.load(function.id, letter.id)
    if failed is None:
        raise NotFoundError("There is no such call any more, so its event cannot be sent again.")
    try:
        new_id = store.dead_letters.begin_redrive(letter, services.invoking.new_id())
    except LookupError:
        raise NotFoundError from None
    services.background_calls.queue(
        function,
        store.invocations.loads(failed.input) if failed.input else failed.event,
        trigger=failed.trigger,
        source=failed.source,
        depth=failed.depth,
        invocation_id=new_id,
        replay_of=letter.id,
    )
    store.dead_letters.delete(letter.owner, letter.id)
    return new_id


def _function(call: Call, name: str) -> Function:
    services.session.open(call).require_superuser()
    function: Function = services.functions.require(name)
    return function


def find(owner: str, letter_id: str) -> DeadLetter:
    """Return a letter. Raises `NotFoundError`."""
    letter = store.dead_letters.load(owner, letter_id) if calls.is_id(letter_id) else None
    if letter is None:
        raise NotFoundError
    return letter
