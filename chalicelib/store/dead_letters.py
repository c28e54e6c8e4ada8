"""Dead letters: events that a function could not work on however often it was tried.

They belong to a function (by its id), or to a queue. A function's letter stands for a call
(`store.invocations`), which has the event; a queue's letter holds the message. It goes once it is
sent again, or when it expires. One letter per call or message: writing it twice changes nothing.
"""

import time
from contextlib import suppress
from typing import Any, NamedTuple

from chalicelib.aws import dynamodb
from chalicelib.store import invocations, keys

Item = dict[str, dict[str, Any]]

_IN_KEYS_AND_ATTRIBUTES = ("owner", "id", "expires")


class DeadLetter(NamedTuple):
    """One event that nobody could work on."""

    owner: str
    """The function's id, or `of_queue(name)`."""
    id: str
    """The call's, or one derived from the message; ids sort by time."""
    name: str
    """Of the function or queue."""
    error: dict[str, str]
    attempts: int
    created_ms: int
    expires: int
    """Seconds since 1970."""
    event: Any = None
    """A queue's: the message's body. A call's: what is kept of it, None if that is large."""
    trigger: str = ""
    source: dict[str, Any] = {}  # noqa: RUF012 (a default that nobody changes)
    depth: int = 1


class Page(NamedTuple):
    letters: list[DeadLetter]
    before: str
    """The id to go on before; "" on the last page."""


def of_queue(name: str) -> str:
    """Return the owner of a queue's letters; no function's id has a colon."""
    return f"queue:{name}"


def put(letter: DeadLetter) -> None:
    """Keep a letter until it expires; one that is there already stays as it is."""
    document = letter._asdict()
    for name in _IN_KEYS_AND_ATTRIBUTES:
        del document[name]
    item: Item = {
        **keys.dead_letter(letter.owner, letter.id),
        "doc": {"S": invocations.dumps(document).decode()},
        "ttl": {"N": str(letter.expires)},
    }
    # Whoever is sending it again has written under which id: that must not get lost.
    with suppress(dynamodb.ConditionFailedError):
        dynamodb.put(item, "attribute_not_exists(PK)", own_attribute="doc")


def load(owner: str, letter_id: str) -> DeadLetter | None:
    """Return a letter, None if there is none or it expired."""
    item = dynamodb.get(keys.dead_letter(owner, letter_id))
    return _read(item) if item and _is_kept(item) else None


def page(owner: str, limit: int, before: str = "") -> Page:
    """Return letters, newest first (access pattern 15); `before` is excluded itself."""
    partition = keys.dead_letters_partition(owner)
    start = keys.dead_letter(owner, before) if before else None
    found = dynamodb.query(
        "PK = :p", {":p": {"S": partition}}, forward=False, limit=limit, start=start,
        consistent=True,
    )  # fmt: skip
    letters = [_read(item) for item in found.items if _is_kept(item)]
    return Page(letters, found.next_key["SK"]["S"] if found.next_key else "")


def oldest(owner: str, limit: int) -> list[DeadLetter]:
    """Return the letters that wait longest."""
    values = {":p": {"S": keys.dead_letters_partition(owner)}}
    found = dynamodb.query("PK = :p", values, limit=limit, consistent=True)
    return [_read(item) for item in found.items if _is_kept(item)]


def count(owner: str) -> int:
    """Return how many letters there are."""
    total, start = 0, None
    while True:
        values = {":p": {"S": keys.dead_letters_partition(owner)}}
        found = dynamodb.query("PK = :p", values, start=start, count_only=True)
        total, start = total + found.count, found.next_key
        if start is None:
            return total


def begin_redrive(letter: DeadLetter, new_id: str) -> str:
    """Return the one id under which a letter is sent again, whoever asks and how often.

    Raises `LookupError` if the letter is gone.
    """
    try:
        dynamodb.update(
            keys.dead_letter(letter.owner, letter.id),
            "SET redrive = :id",
            {":id": {"S": new_id}},
            condition="attribute_exists(PK) AND attribute_not_exists(redrive)",
        )
    except dynamodb.ConditionFailedError as error:
        if error.item is None:
            raise LookupError(letter.id) from error
        return str(error.item["redrive"]["S"])
    return new_id


def claim(letter: DeadLetter, seconds: int) -> bool:
    """Return whether the caller alone may send a letter again, for a while."""
    now = int(time.time())
    try:
        dynamodb.update(
            keys.dead_letter(letter.owner, letter.id),
            "SET claimed = :until",
            {":until": {"N": str(now + seconds)}, ":now": {"N": str(now)}},
            condition="attribute_exists(PK) AND (attribute_not_exists(claimed) OR claimed < :now)",
        )
    except dynamodb.ConditionFailedError:
        return False
    return True


def delete(owner: str, letter_id: str) -> None:
    """Remove a letter; an absent one is fine."""
    dynamodb.delete(keys.dead_letter(owner, letter_id))


def delete_all(owner: str) -> None:
    """Remove all letters of an owner."""
    values = {":p": {"S": keys.dead_letters_partition(owner)}}
    while found := dynamodb.query("PK = :p", values, consistent=True, projection="PK, SK").items:
        dynamodb.batch_write_deletes(found)


def _read(item: Item) -> DeadLetter:
    document = invocations.loads(item["doc"]["S"])
    values = {name: document[name] for name in DeadLetter._fields if name in document}
    return DeadLetter(
        owner=item["PK"]["S"].partition("#")[2],
        id=item["SK"]["S"],
        expires=int(item["ttl"]["N"]),
        **values,
    )


def _is_kept(item: Item) -> bool:
    return int(item["ttl"]["N"]) > time.time()
