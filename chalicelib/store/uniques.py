"""Guards: one item for each value of a unique index, naming the record that holds it."""

from chalicelib.aws import dynamodb
from chalicelib.domain.collection import Collection, Index
from chalicelib.store import keys


def holder(collection: Collection, index: Index, value: str) -> str:
    """Return the id of the record that holds a unique value, empty if none (pattern 5)."""
    item = dynamodb.get(keys.unique_guard(collection.storage, index.name, value))
    return item["id"]["S"] if item else ""
