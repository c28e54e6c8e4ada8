"""Errors of the DynamoDB client: one class per failure that a caller can tell apart.

DynamoError
├── ConditionFailedError        the condition does not hold; `item` is what is stored
├── TransactionCanceledError    `reasons` says for each action why, or not why
├── ItemTooLargeError           the item would be over 400 KB
├── TransactionTooLargeError    over 100 actions or 4 MB
├── ItemCollectionTooLargeError over 10 GB under one partition key
├── MissingTableError           the table (or index) does not exist
├── AccessDeniedError           credentials or IAM policy
├── InvalidRequestError         a programming error: DynamoDB does not accept the request
└── PassingError                worth another attempt; callers never see it
    ├── ThrottledError          certainly not done
    ├── ConflictError           certainly not done: another transaction has the item
    └── BrokenError             perhaps done: a 5xx, or the connection broke

When attempts end, `errors.UnavailableError` is raised instead of a `PassingError`, and its
kind `OutcomeUnknownError` for a write that may have been made.
Source: "Error handling with DynamoDB" in its developer guide.
"""

from typing import Any, NamedTuple

Item = dict[str, dict[str, Any]]


class DynamoError(Exception):
    """A refusal by DynamoDB, with its own words."""


class ConditionFailedError(DynamoError):
    def __init__(self, message: str, item: Item | None) -> None:
        super().__init__(message)
        self.item = item
        """The stored item, None if there is none."""
        self.in_doubt = False
        """Whether an earlier attempt of the same call may have made the write."""


class Reason(NamedTuple):
    """Why one action of a transaction was refused; `code` is "None" if it was not to blame."""

    code: str
    item: Item | None
    message: str = ""


CONDITION_FAILED = "ConditionalCheckFailed"


class TransactionCanceledError(DynamoError):
    def __init__(self, message: str, reasons: list[Reason]) -> None:
        super().__init__(message)
        self.reasons = reasons
        """One for each action, in their order."""


class ItemTooLargeError(DynamoError):
    pass


class TransactionTooLargeError(DynamoError):
    pass


class ItemCollectionTooLargeError(DynamoError):
    pass


class MissingTableError(DynamoError):
    pass


class AccessDeniedError(DynamoError):
    pass


class InvalidRequestError(DynamoError):
    pass


class PassingError(DynamoError):
    pass


class ThrottledError(PassingError):
    pass


class ConflictError(PassingError):
    pass


class BrokenError(PassingError):
    pass


_CLASSES: dict[str, type[DynamoError]] = {
    "ProvisionedThroughputExceededException": ThrottledError,
    "ThrottlingException": ThrottledError,
    "RequestLimitExceeded": ThrottledError,
    "LimitExceededException": ThrottledError,
    "TransactionConflictException": ConflictError,
    "TransactionInProgressException": ConflictError,
    "ReplicatedWriteConflictException": ConflictError,
    "ItemCollectionSizeLimitExceededException": ItemCollectionTooLargeError,
    "ValidationException": InvalidRequestError,
    "SerializationException": InvalidRequestError,
    "IdempotentParameterMismatchException": InvalidRequestError,
    "UnknownOperationException": InvalidRequestError,
    "AccessDeniedException": AccessDeniedError,
    "UnrecognizedClientException": AccessDeniedError,
    "InvalidSignatureException": AccessDeniedError,
    "IncompleteSignatureException": AccessDeniedError,
    "MissingAuthenticationTokenException": AccessDeniedError,
    "MissingAuthenticationToken": AccessDeniedError,
    "ExpiredTokenException": AccessDeniedError,
    "InvalidClientTokenId": AccessDeniedError,
    "InternalServerError": BrokenError,
    "ServiceUnavailable": BrokenError,
}

_PASSING_REASONS = {"None", "TransactionConflict", "ProvisionedThroughputExceeded",
                    "ThrottlingError"}  # fmt: skip


def of_answer(status: int, answer: dict[str, Any], table: str) -> DynamoError:
    """Return the error that an answer other than 200 means; `answer` is {} if unreadable."""
    code = str(answer.get("__type", "")).rpartition("#")[2]
    text = answer.get("message") or answer.get("Message") or ""
    message = f"{code or f'HTTP {status}'}: {text}"
    if code == "ConditionalCheckFailedException":
        return ConditionFailedError(message, answer.get("Item"))
    if code == "TransactionCanceledException":
        return _canceled(message, answer.get("CancellationReasons") or [])
    if code == "ResourceNotFoundException":
        return _missing_table(table, text)
    if code == "ValidationException":
        return _invalid(message, text)
    known = _CLASSES.get(code)
    if known is None:
        known = BrokenError if status >= 500 else DynamoError
    return known(message)


def _canceled(message: str, reasons: list[dict[str, Any]]) -> DynamoError:
    read = [Reason(reason.get("Code") or "None", reason.get("Item"), reason.get("Message") or "")
            for reason in reasons]  # fmt: skip
    codes = {reason.code for reason in read}
    if codes <= _PASSING_REASONS and codes != {"None"} and codes:
        return ConflictError(message)
    for reason in read:
        if reason.code == "ValidationError":
            return _invalid(message, reason.message)
        if reason.code == "ItemCollectionSizeLimitExceeded":
            return ItemCollectionTooLargeError(message)
    return TransactionCanceledError(message, read)


def _invalid(message: str, text: str) -> DynamoError:
    if "size" in text and "exceeded the maximum allowed size" in text:
        return ItemTooLargeError(message)
    if "transaction size limit" in text:
        return TransactionTooLargeError(message)
    return InvalidRequestError(message)


def _missing_table(table: str, text: str) -> MissingTableError:
    return MissingTableError(
        f"DynamoDB has no table {table!r} here, or not the index that was asked ({text})."
        " Create it (tools/bootstrap.py, or `make run` for the local AWS), or set"
        " DORMOUSE_TABLE_NAME, AWS_REGION and AWS_ENDPOINT_URL to where it is."
    )
