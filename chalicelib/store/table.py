"""The table, defined once, as a PynamoDB model: bootstrap and tests create it from here.

Only they import it: PynamoDB brings botocore, which a request for a record must not pay for
(`aws.dynamodb` is its client). Tests also read through the model what that client wrote.
Its names are the table's own (`keys` explains them), so nothing needs translating.
"""

import logging
from typing import Any

from pynamodb.attributes import TTLAttribute, UnicodeAttribute
from pynamodb.constants import PAY_PER_REQUEST_BILLING_MODE, STREAM_NEW_AND_OLD_IMAGE
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex
from pynamodb.models import Model

from chalicelib.config import settings
from chalicelib.store.keys import SLOTS

log = logging.getLogger(__name__)


def slot_index(slot: int) -> GlobalSecondaryIndex[Any]:
    """Return the index `ix<slot>`: hash key `ip`, range key the attribute of its own name."""
    name = f"ix{slot}"
    meta = type("Meta", (), {"index_name": name, "projection": AllProjection()})
    body = {
        "Meta": meta,
        "ip": UnicodeAttribute(hash_key=True),
        name: UnicodeAttribute(range_key=True),
    }
    made: GlobalSecondaryIndex[Any] = type(f"Slot{slot}", (GlobalSecondaryIndex,), body)()
    return made


class Item(Model):
    """One item of any kind, by its keys; attributes of single kinds that tests read follow."""

    class Meta:
        table_name = settings().table_name
        region = settings().region
        billing_mode = PAY_PER_REQUEST_BILLING_MODE
        stream_view_type = STREAM_NEW_AND_OLD_IMAGE

    PK = UnicodeAttribute(hash_key=True)
    SK = UnicodeAttribute(range_key=True)
    ttl = TTLAttribute(null=True)
    doc = UnicodeAttribute(null=True)
    rev = UnicodeAttribute(null=True)

    slot1, slot2, slot3, slot4, slot5, slot6, slot7, slot8 = map(slot_index, range(1, SLOTS + 1))


def exists() -> bool:
    """Return whether the table is there."""
    return bool(Item.exists())


def create() -> None:
    """Create the table with its indexes, stream, TTL and point-in-time recovery, if absent.

    Waits until it can be used. A local AWS without recovery or TTL gets a warning.
    """
    if exists():
        return
    Item.create_table(wait=True, ignore_update_ttl_errors=True)
    _keep_backups()


def _keep_backups() -> None:
    client = Item._get_connection().connection.client
    try:
        client.update_continuous_backups(
            TableName=Item.Meta.table_name,
            PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True},
        )
    except client.exceptions.ClientError as error:
        log.warning("This DynamoDB has no point-in-time recovery: %s", error)
