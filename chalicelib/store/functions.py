"""Functions and their versions.

A function's item holds, beside `rev`:

doc      the function as it is live: what calls go by, whole in each write
wanted   a change that AWS does not have yet; it becomes `doc` with the version it makes
before   the function whose triggers AWS may still have (null: none); absent when all is settled
leaving  it is being deleted
busy     until when one request works on it, milliseconds since 1970: others wait
problem  why AWS refused the last change

So whoever comes after a crash knows what is to be done (services/function_deploys.py). Each
write replaces the whole item under the condition that nobody else has written (`rev`).
"""

import os
from typing import Any, NamedTuple

from chalicelib.aws import dynamodb
from chalicelib.domain.functions import function as functions
from chalicelib.domain.functions import version as versions_
from chalicelib.domain.functions.function import Function
from chalicelib.domain.functions.version import Code, Version
from chalicelib.light_orjson import orjson
from chalicelib.store import keys

Item = dict[str, dict[str, Any]]


class MovedError(Exception):
    """Somebody else wrote the function first, or made or deleted it."""


class Wanted(NamedTuple):
    """A change on its way."""

    function: Function
    code: Code | None
    """None: the code that is live."""
    publishes: bool
    """Whether it makes a version."""


class Stored(NamedTuple):
    """A function's whole item."""

    function: Function
    wanted: Wanted | None = None
    before: Function | None = None
    settled: bool = True
    """Whether AWS has the triggers of `function`, and not perhaps those of `before`."""
    leaving: bool = False
    busy_ms: int = 0
    problem: str = ""

    @property
    def newest(self) -> Function:
        """The function as it will be once AWS has all that is wanted."""
        return self.wanted.function if self.wanted is not None else self.function

    @property
    def is_done(self) -> bool:
        """Whether AWS has everything."""
        return self.wanted is None and self.settled and not self.leaving


def load(name: str) -> Function | None:
    """Return the function of a name, strongly consistent; None also while it is being deleted."""
    return of_item(dynamodb.get(keys.function(name)))


def of_item(item: Item | None) -> Function | None:
    """Return the function of an item that was read along with others; None as `load`."""
    return None if item is None or "leaving" in item else _read(item).function


def all() -> list[Function]:  # noqa: A001 (all functions)
    """Return every function, by name, but those that are being deleted."""
    return [stored.function for stored in read_all() if not stored.leaving]


def read_all() -> list[Stored]:
    """Return all that is stored of every function, by name (access pattern 11)."""
    found: list[Stored] = []
    start = None
    while True:
        page = dynamodb.query(
            "PK = :p", {":p": {"S": keys.FUNCTIONS}}, start=start, consistent=True
        )
        found += [_read(item) for item in page.items]
        start = page.next_key
        if start is None:
            return found


def read(name: str) -> Stored | None:
    """Return all that is stored of a function, strongly consistent (access pattern 11)."""
    item = dynamodb.get(keys.function(name))
    return None if item is None else _read(item)


def put(stored: Stored, expected_rev: str | None) -> Stored:
    """Write a function's item if it still has the revision; return it with its new one.

    Raises `MovedError`.
    """
    written = stored._replace(function=stored.function._replace(rev=os.urandom(8).hex()))
    try:
        if expected_rev is None:
            dynamodb.put(_item(written), "attribute_not_exists(PK)")
        else:
            dynamodb.put(_item(written), "rev = :rev", {":rev": {"S": expected_rev}})
    except dynamodb.ConditionFailedError as error:
        raise MovedError from error
    return written


def delete(function: Function) -> None:
    """Forget a function that is as it was read. Raises `MovedError`."""
    try:
        dynamodb.delete(keys.function(function.name), "rev = :rev", {":rev": {"S": function.rev}})
    except dynamodb.ConditionFailedError as error:
        if error.item is not None:
            raise MovedError from error


def versions(function_id: str) -> list[Version]:
    """Return a function's versions, the newest first (access pattern 12)."""
    values = {":p": {"S": keys.versions_partition(function_id)}}
    found: list[Version] = []
    start = None
    while True:
        page = dynamodb.query("PK = :p", values, forward=False, start=start, consistent=True)
        found += [_read_version(item) for item in page.items]
        start = page.next_key
        if start is None:
            return found


def version(function_id: str, number: int) -> Version | None:
    """Return one version."""
    item = dynamodb.get(keys.version(function_id, number))
    return None if item is None else _read_version(item)


def put_version(function_id: str, made: Version) -> None:
    """Write a version; one that is there already stays as it is."""
    document = orjson.dumps({**made._asdict(), "code": list(made.code)}).decode()
    item = {**keys.version(function_id, made.number), "doc": {"S": document}}
    try:
        dynamodb.put(item, "attribute_not_exists(PK)", own_attribute="doc")
    except dynamodb.ConditionFailedError:
        return


def delete_versions(function_id: str) -> None:
    """Forget all versions of a function."""
    found = versions(function_id)
    dynamodb.batch_write_deletes([keys.version(function_id, each.number) for each in found])


def _item(stored: Stored) -> Item:
    item: Item = {
        **keys.function(stored.function.name),
        "doc": {"S": _text(functions.to_document(stored.function))},
        "rev": {"S": stored.function.rev},
    }
    if stored.wanted is not None:
        function, code, publishes = stored.wanted
        document = [functions.to_document(function), code and list(code), publishes]
        item["wanted"] = {"S": _text(document)}
    if not stored.settled:
        item["before"] = {"S": _text(stored.before and functions.to_document(stored.before))}
    if stored.leaving:
        item["leaving"] = {"BOOL": True}
    if stored.busy_ms:
        item["busy"] = {"N": str(stored.busy_ms)}
    if stored.problem:
        item["problem"] = {"S": stored.problem}
    return item


def _read(item: Item) -> Stored:
    rev = item["rev"]["S"]
    before = orjson.loads(item["before"]["S"]) if "before" in item else None
    return Stored(
        function=functions.of_document(orjson.loads(item["doc"]["S"]), rev),
        wanted=_read_wanted(item["wanted"]["S"], rev) if "wanted" in item else None,
        before=functions.of_document(before, "") if before is not None else None,
        settled="before" not in item,
        leaving="leaving" in item,
        busy_ms=int(item["busy"]["N"]) if "busy" in item else 0,
        problem=item["problem"]["S"] if "problem" in item else "",
    )


def _read_wanted(text: str, rev: str) -> Wanted:
    document, code, publishes = orjson.loads(text)
    function = functions.of_document(document, rev)
    return Wanted(function, Code(*code) if code else None, publishes)


def _read_version(item: Item) -> Version:
    return versions_.of_document(orjson.loads(item["doc"]["S"]))


def _text(value: Any) -> str:
    return orjson.dumps(value).decode()
