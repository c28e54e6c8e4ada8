"""The collections as this process knows them, and the version that says whether it still may.

A process keeps the last schema it read. Every request reads the version item along with
its other keys (services/session.py); if the version moved, the schema is read again, so a
changed rule is obeyed on the next request by every instance.
"""

import time

from chalicelib.aws import dynamodb
from chalicelib.domain import indexes
from chalicelib.domain.collection import Collection, Definition, Loader, Schema
from chalicelib.light_orjson import orjson
from chalicelib.store import keys

_known: list[tuple[Schema, float]] = []


def cached() -> Schema | None:
    """Return the schema read last by this process, if any; it may be out of date."""
    return _known[0][0] if _known else None


def load() -> Schema:
    """Read all collections, strongly consistent (access pattern 1), and keep them.

    The version is 0 and there is no collection when the table has never been set up.
    """
    read_at = time.monotonic()
    items = _all_items()
    version = next((int(item["n"]["N"]) for item in items if item["SK"]["S"] == "VERSION"), 0)
    schema = Schema(version, dict(map(_loader, (item for item in items if "doc" in item))))
    _known[:] = [(schema, read_at)]
    return schema


def forget() -> None:
    """Drop what this process knows, so that the next request reads the collections again."""
    _known.clear()


def version_of(item: dict[str, dict[str, str]] | None) -> int:
    """Return the version that a VERSION item states, 0 for none."""
    return int(item["n"]["N"]) if item else 0


def _all_items() -> list[dict[str, dict[str, str]]]:
    items: list[dict[str, dict[str, str]]] = []
    start = None
    while True:
        page = dynamodb.query(
            "PK = :p", {":p": {"S": keys.COLLECTIONS}}, start=start, consistent=True
        )
        items += page.items
        start = page.next_key
        if start is None:
            return items


def _loader(item: dict[str, dict[str, str]]) -> tuple[tuple[str, str], Loader]:
    collection_id = item["SK"]["S"].removeprefix(keys.COLLECTION_PREFIX)
    text = item["doc"]["S"]

    def read() -> Collection:
        definition: Definition = orjson.loads(text)
        return Collection(definition, indexes.read(definition))

    return (collection_id, item["name"]["S"]), read
