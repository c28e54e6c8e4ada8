from typing import Any

import pytest

from chalicelib.aws import dynamodb_errors as errors
from chalicelib.aws.dynamodb_errors import of_answer

PREFIX = "com.amazonaws.dynamodb.v20120810#"
ITEM = {"PK": {"S": "a"}}


def answer(code: str, **more: Any) -> dict[str, Any]:
    return {"__type": PREFIX + code, "message": "words", **more}


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (400, answer("ConditionalCheckFailedException"), errors.ConditionFailedError),
        (400, answer("ProvisionedThroughputExceededException"), errors.ThrottledError),
        (400, answer("ThrottlingException"), errors.ThrottledError),
        (400, answer("RequestLimitExceeded"), errors.ThrottledError),
        (400, answer("TransactionConflictException"), errors.ConflictError),
        (400, answer("TransactionInProgressException"), errors.ConflictError),
        (400, answer("ResourceNotFoundException"), errors.MissingTableError),
        (400, answer("ValidationException"), errors.InvalidRequestError),
        (400, answer("IdempotentParameterMismatchException"), errors.InvalidRequestError),
        (400, answer("ItemCollectionSizeLimitExceededException"),
         errors.ItemCollectionTooLargeError),
        (400, answer("AccessDeniedException"), errors.AccessDeniedError),
        # Signature trouble is named by AWS's front end, under another prefix.
        (400, {"__type": "com.amazon.coral.service#UnrecognizedClientException"},
         errors.AccessDeniedError),
        (400, {"__type": "com.amazon.coral.service#ExpiredTokenException"},
         errors.AccessDeniedError),
        (500, answer("InternalServerError"), errors.BrokenError),
        (503, {}, errors.BrokenError),  # a load balancer's page, not JSON
        (400, answer("SomethingNewException"), errors.DynamoError),
        (404, {}, errors.DynamoError),
    ],
)  # fmt: skip
def test_each_failure_has_its_class(
    status: int, body: dict[str, Any], expected: type[Exception]
) -> None:
    assert type(of_answer(status, body, "t")) is expected


@pytest.mark.parametrize(
    "message",
    [
        "Item size has exceeded the maximum allowed size",
        "Item size to update has exceeded the maximum allowed size",
    ],
)
def test_an_item_over_400_kb_is_told_from_other_invalid_requests(message: str) -> None:
    body = {"__type": PREFIX + "ValidationException", "message": message}
    assert type(of_answer(400, body, "t")) is errors.ItemTooLargeError


def test_a_failed_condition_carries_the_stored_item() -> None:
    error = of_answer(400, answer("ConditionalCheckFailedException", Item=ITEM), "t")

    assert isinstance(error, errors.ConditionFailedError)
    assert error.item == ITEM
    assert not error.in_doubt


def test_a_missing_table_is_named_with_what_to_do() -> None:
    error = of_answer(400, answer("ResourceNotFoundException"), "dormouse-prod")

    assert "'dormouse-prod'" in str(error)
    assert "DORMOUSE_TABLE_NAME" in str(error)
    assert "bootstrap" in str(error)


def canceled(*codes: str) -> Exception:
    reasons: list[dict[str, Any]] = [{"Code": code} for code in codes]
    return of_answer(400, answer("TransactionCanceledException", CancellationReasons=reasons), "t")


@pytest.mark.parametrize(
    ("codes", "expected"),
    [
        (("None", "ConditionalCheckFailed"), errors.TransactionCanceledError),
        (("None", "TransactionConflict"), errors.ConflictError),
        (("TransactionConflict", "ThrottlingError"), errors.ConflictError),
        (("ProvisionedThroughputExceeded", "None"), errors.ConflictError),
        # A condition that failed fails again, whatever else there was.
        (("ConditionalCheckFailed", "TransactionConflict"), errors.TransactionCanceledError),
        (("None", "ItemCollectionSizeLimitExceeded"), errors.ItemCollectionTooLargeError),
        (("None", "ValidationError"), errors.InvalidRequestError),
        (("None", "None"), errors.TransactionCanceledError),  # no reason given: not ours to repeat
        ((), errors.TransactionCanceledError),
    ],
)
def test_a_canceled_transaction_is_repeated_only_if_no_action_is_to_blame(
    codes: tuple[str, ...], expected: type[Exception]
) -> None:
    assert type(canceled(*codes)) is expected


def test_the_reasons_of_a_canceled_transaction_keep_the_order_of_its_actions() -> None:
    reasons = [
        {"Code": "None"},
        {"Code": "ConditionalCheckFailed", "Item": ITEM, "Message": "The condition failed"},
    ]
    error = of_answer(400, answer("TransactionCanceledException", CancellationReasons=reasons), "t")

    assert isinstance(error, errors.TransactionCanceledError)
    assert error.reasons == [
        errors.Reason("None", None),
        errors.Reason("ConditionalCheckFailed", ITEM, "The condition failed"),
    ]


def test_an_oversized_item_in_a_transaction_is_told() -> None:
    reasons = [
        {"Code": "ValidationError", "Message": "Item size has exceeded the maximum allowed size"}
    ]
    body = answer("TransactionCanceledException", CancellationReasons=reasons)

    assert type(of_answer(400, body, "t")) is errors.ItemTooLargeError
