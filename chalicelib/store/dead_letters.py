"""Dead letters: events that a function could not work on however often it was tried.

They belong to a function (by its id), or to a queue. A letter holds its event as it came, so it
can be sent again; it goes once that is done, or when it expires. One letter per call: writing it
twice changes nothing.
"""

import time
from typing import Any, NamedTuple

from chalicelib import aws
from chalicelib.aws import dynamodb
from chalicelib.light_orjson import orjson
from chalicelib.store import keys, sweeps

Item = dict[str, dict[str, Any]]

INLINE_BYTES = 300_000
"""A larger letter lies in the bucket: an item ends at 400 KB."""
_DAY_SECONDS = 24 * 3600


class DeadLetter(NamedTuple):
    """One event that nobody could work on."""

    owner: str
    """The function's id, or `of_queue(name)`."""
    id: str
    """The call's, or one derived from the message; ids sort by time."""
    name: str
    """Of the function or queue."""
    event: Any
    """The event as it came; a queue's is `{"body": text, "messageId"}`."""
    error: dict[str, str]
    trigger: str = ""
    source: dict[str, Any] = {}  # noqa: RUF012 (a default that nobody changes)
    depth: int = 1
    attempts: int = 1
    created_ms: int = 0


class Page(NamedTuple):
    letters: list[DeadLetter]
    before: str
    """The id to go on before; "" on the last page."""


def of_queue(name: str) -> str:
    """Return the owner of a queue's letters; no function's id has a colon."""
    return f"queue:{name}"


def put(letter: DeadLetter, kept_days: int) -> None:
    """Keep a letter for so many days."""
    if not letter.created_ms:
        letter = letter._replace(created_ms=int(time.time() * 1000))
    expires = int(time.time()) + kept_days * _DAY_SECONDS
    document = orjson.dumps({**letter._asdict(), "owner": None, "id": None})
    item: Item = {
        **keys.dead_letter(letter.owner, letter.id),
        "ttl": {"N": str(expires)},
    }
    if len(document) > INLINE_BYTES:
        name = _object(letter.owner, letter.id)
        for sweep in sweeps.of([name], expires - int(time.time()) + _DAY_SECONDS):
            sweeps.announce(sweep)
        aws.s3.put(name, document, "application/json")
        item["spill"] = {"S": name}
    else:
        item["doc"] = {"S": document.decode()}
    dynamodb.put(item)


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
    return Page(
        [each for each in letters if each], found.next_key["SK"]["S"] if found.next_key else ""
    )


def oldest(owner: str, limit: int) -> list[DeadLetter]:
    """Return the letters that wait longest."""
    values = {":p": {"S": keys.dead_letters_partition(owner)}}
    found = dynamodb.query("PK = :p", values, limit=limit, consistent=True)
    return [each for item in found.items if _is_kept(item) and (each := _read(item))]


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


def delete(owner: str, letter_id: str) -> None:
    """Remove a letter; an absent one is fine. What lies in the bucket goes when it expires."""
    dynamodb.delete(keys.dead_letter(owner, letter_id))


def delete_all(owner: str) -> None:
    """Remove all letters of an owner."""
    values = {":p": {"S": keys.dead_letters_partition(owner)}}
    while found := dynamodb.query("PK = :p", values, consistent=True, projection="PK, SK").items:
        dynamodb.batch_write_deletes(found)


def _object(owner: str, letter_id: str) -> str:
    return f".functions/{owner.replace(':', '/')}/letters/{letter_id}.json"


def _read(item: Item) -> DeadLetter | None:
    if "spill" in item:
        try:
            document = orjson.loads(aws.s3.get(item["spill"]["S"]))
        except aws.s3.MissingObjectError:
            return None
    else:
        document = orjson.loads(item["doc"]["S"])
    values = {name: document[name] for name in DeadLetter._fields if name in document}
    owner = item["PK"]["S"].partition("#")[2]
    return DeadLetter(**{**values, "owner": owner, "id": item["SK"]["S"]})


def _is_kept(item: Item) -> bool:
    return int(item["ttl"]["N"]) > time.time()
