"""The settings item: one JSON document, written together with the schema version.

Every request reads the schema version, so a change of the settings moves it too: that is
how every instance hears of one at no further read (services/settings.py).
"""

import os
from typing import Any, NamedTuple

from chalicelib.aws import dynamodb
from chalicelib.light_orjson import orjson
from chalicelib.store import keys


class StoredSettings(NamedTuple):
    """The settings as stored; `document` is None and `rev` empty if none ever were."""

    document: dict[str, Any] | None
    rev: str


class SettingsMovedError(Exception):
    """Somebody else wrote the settings first: read them again."""


def load() -> StoredSettings:
    """Return the settings, strongly consistent (access pattern 8)."""
    item = dynamodb.get(keys.settings())
    if item is None:
        return StoredSettings(None, "")
    return StoredSettings(orjson.loads(item["doc"]["S"]), item["rev"]["S"])


def save(document: dict[str, Any], rev: str) -> None:
    """Replace the settings that had `rev`, and move the schema version.

    Raises `SettingsMovedError` if they no longer have it.
    """
    item = {
        **keys.settings(),
        "doc": {"S": orjson.dumps(document).decode()},
        "rev": {"S": os.urandom(8).hex()},
    }
    condition: dict[str, Any] = {"ConditionExpression": "attribute_not_exists(PK)"}
    if rev:
        condition = {
            "ConditionExpression": "rev = :rev",
            "ExpressionAttributeValues": {":rev": {"S": rev}},
        }
    bump = {
        "Key": keys.schema_version(),
        "UpdateExpression": "ADD n :one",
        # A version item made here would say that the table is set up when it is not.
        "ConditionExpression": "attribute_exists(PK)",
        "ExpressionAttributeValues": {":one": {"N": "1"}},
    }
    try:
        dynamodb.transact([{"Put": {"Item": item, **condition}}, {"Update": bump}])
    except dynamodb.TransactionCanceledError as error:
        raise SettingsMovedError from error
