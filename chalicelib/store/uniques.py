"""Guards: one item for each value of a unique index, naming the record that holds it."""

from chalicelib.aws import dynamodb
from chalicelib.domain.collection import Collection, Index
from chalicelib.store import keys


def holder(collection: Collection, index: Index, value: str) -> str:
    """Return the id of the record that holds a unique value, empty if none (pattern 5)."""
    item = dynamodb.get(keys.unique_guard(collection.storage, index.name, value))
    return item["id"]["S"] if item else ""


def holders_from(collection: Collection, index: Index, prefix: str) -> list[str]:
    """Return the ids of the records whose value begins with `prefix`, a few at most."""
    partition = keys.unique_partition(collection.storage, index.name)
    values = {":p": {"S": partition}, ":prefix": {"S": prefix}}
    ids: list[str] = []
    start = None
    while True:
        page = dynamodb.query(
            "PK = :p AND begins_with(SK, :prefix)", values, start=start, consistent=True
        )
        ids += [item["id"]["S"] for item in page.items]
        start = page.next_key
        if start is None:
            return ids
