"""DynamoDB's data plane, lean: the calls that requests for records make.

It is not botocore because that costs 200 ms of a cold start and 0.9 ms of every call
(measured). Attribute values are DynamoDB's own tagged JSON ({"S": "text"}), and the table is
always `settings().table_name`. Errors: `dynamodb_errors`; every function may also raise
`errors.UnavailableError` (503) when the attempts or the time are used up.

IAM: dynamodb:GetItem, BatchGetItem, Query, PutItem, UpdateItem, DeleteItem, BatchWriteItem
and ConditionCheckItem on the table, Query on its indexes.

What may be repeated. A call whose answer was lost may have been carried out, so a write is
repeated only where that cannot do harm:

get, query, batch_get     always
put                       always; a failed condition whose stored item is our own is success
delete                    always
transact                  always: DynamoDB knows it by its ClientRequestToken
update                    plain SET/REMOVE, or with `own_attribute`; else OutcomeUnknownError
"""

from chalicelib.aws.dynamodb_calls import Key, Meter
from chalicelib.aws.dynamodb_errors import (
    CONDITION_FAILED,
    AccessDeniedError,
    ConditionFailedError,
    DynamoError,
    InvalidRequestError,
    Item,
    ItemCollectionTooLargeError,
    ItemTooLargeError,
    MissingTableError,
    Reason,
    TransactionCanceledError,
    TransactionTooLargeError,
)
from chalicelib.aws.dynamodb_reads import QueryPage, batch_get, get, query
from chalicelib.aws.dynamodb_writes import batch_write_deletes, delete, put, transact, update
from chalicelib.aws.retries import OutcomeUnknownError, deadline, last_start

__all__ = [
    "CONDITION_FAILED",
    "AccessDeniedError",
    "ConditionFailedError",
    "DynamoError",
    "InvalidRequestError",
    "Item",
    "ItemCollectionTooLargeError",
    "ItemTooLargeError",
    "Key",
    "Meter",
    "MissingTableError",
    "OutcomeUnknownError",
    "QueryPage",
    "Reason",
    "TransactionCanceledError",
    "TransactionTooLargeError",
    "batch_get",
    "batch_write_deletes",
    "deadline",
    "delete",
    "get",
    "last_start",
    "meter",
    "put",
    "query",
    "transact",
    "update",
]


def meter() -> Meter:
    """Return a context manager that counts what the calls inside it consume."""
    return Meter()
