"""What Lambda's refusals mean: which say that nothing ran, and which leave it open."""

import json
from typing import Any

import pytest

from chalicelib.aws import lambda_invoke
from chalicelib.aws.lambda_invoke import (
    MissingVersionError,
    NotRunError,
    OutcomeUnknownError,
    PayloadTooLargeError,
    ThrottledError,
)

CASES: list[tuple[int, str, type[Exception]]] = [
    (404, "ResourceNotFoundException", MissingVersionError),
    (413, "RequestTooLargeException", PayloadTooLargeError),
    (429, "TooManyRequestsException", ThrottledError),
    (400, "InvalidRequestContentException", NotRunError),
    (403, "AccessDeniedException", NotRunError),
    (502, "EC2ThrottledException", NotRunError),
    (502, "KMSDisabledException", NotRunError),
    (500, "ServiceException", OutcomeUnknownError),
    (502, "", OutcomeUnknownError),
    (503, "", OutcomeUnknownError),
]


@pytest.mark.parametrize(("status", "code", "kind"), CASES)
def test_a_refusal_says_whether_the_function_ran(
    status: int, code: str, kind: type[Exception]
) -> None:
    told: dict[str, Any] = {"Message": "so it is", "Type": "User"}
    error = lambda_invoke.refusal(status, json.dumps(told).encode(), {"x-amzn-errortype": code})
    assert type(error) is kind
    assert str(error) == "so it is"


def test_the_code_is_found_where_either_aws_writes_it() -> None:
    header = {"x-amzn-errortype": "ResourceNotFoundException:http://internal.amazon.com/"}
    of_header = lambda_invoke.refusal(404, b"{}", header)
    body = b'{"__type": "com.amazonaws#ResourceNotFoundException", "message": "gone"}'
    of_body = lambda_invoke.refusal(404, body, {})
    assert isinstance(of_header, MissingVersionError)
    assert isinstance(of_body, MissingVersionError)
    assert of_header.code == of_body.code == "ResourceNotFoundException"


def test_a_throttled_call_names_its_limit() -> None:
    body = b'{"Reason": "ReservedFunctionConcurrentInvocationLimitExceeded", "message": "x"}'
    error = lambda_invoke.refusal(429, body, {})
    assert isinstance(error, ThrottledError)
    assert error.reason == "ReservedFunctionConcurrentInvocationLimitExceeded"


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'"text"'])
def test_an_answer_that_is_no_json_document_is_read_by_its_status(body: bytes) -> None:
    assert isinstance(lambda_invoke.refusal(502, body, {}), OutcomeUnknownError)
    assert isinstance(lambda_invoke.refusal(404, body, {}), MissingVersionError)


def test_a_wait_outlasts_a_cold_start() -> None:
    assert lambda_invoke.longest_wait_seconds(3) >= 13
