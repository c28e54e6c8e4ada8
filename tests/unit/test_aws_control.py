"""What AWS's refusals on the control road mean."""

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from chalicelib.aws.control import (
    ControlError,
    ExistsError,
    MissingError,
    NotYetError,
    RefusedError,
    translated,
)

ROLE = "The role defined for the function cannot be assumed by Lambda."
KEY = "Lambda was unable to configure access to your environment variables: CreateGrant failed."

MEANINGS = [
    ("ResourceNotFoundException", "", MissingError),
    ("NoSuchEntity", "", MissingError),
    ("ParameterNotFound", "", MissingError),
    ("EntityAlreadyExists", "", ExistsError),
    ("ResourceConflictException", "An update is in progress", NotYetError),
    ("ResourceInUseException", "The mapping is being updated", NotYetError),
    ("PreconditionFailedException", "", NotYetError),
    ("InvalidParameterValueException", ROLE, NotYetError),
    ("InvalidParameterValueException", KEY, NotYetError),
    ("InvalidParameterValueException", "Unzipped size must be smaller", RefusedError),
    ("CodeStorageExceededException", "", RefusedError),
    ("AccessDeniedException", "arn:aws:iam::1:role/x is not authorized", ControlError),
]


@pytest.mark.parametrize(("code", "message", "kind"), MEANINGS)
def test_a_refusal_says_what_can_be_done(code: str, message: str, kind: type[ControlError]) -> None:
    with pytest.raises(ControlError) as caught, translated():
        raise ClientError({"Error": {"Code": code, "Message": message}}, "AnyCall")
    assert type(caught.value) is kind
    assert str(caught.value) == f"{code}: {message}"


def test_an_aws_out_of_reach_is_trouble_too() -> None:
    with pytest.raises(ControlError, match="EndpointConnectionError"), translated():
        raise EndpointConnectionError(endpoint_url="http://127.0.0.1:1")
