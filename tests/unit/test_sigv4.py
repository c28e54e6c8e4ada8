"""Our signatures are compared with botocore's, at one fixed time."""

import datetime
from urllib.parse import parse_qsl, urlsplit

import pytest
from botocore import auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as BotoCredentials
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.aws import sigv4
from chalicelib.aws.credentials import Credentials
from chalicelib.aws.sigv4 import Request, Scope

NOW = datetime.datetime(2026, 11, 23, 4, 5, 6, tzinfo=datetime.UTC)
STAMP = "20261123T040506Z"
LASTING = Credentials("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
TEMPORARY = LASTING._replace(token="FwoGZXIvYXdz//////////wEaDOdd+token/==")
DYNAMODB = Scope("eu-central-1", "dynamodb")
S3 = Scope("us-east-1", "s3")


@pytest.fixture(autouse=True)
def fixed_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(auth, "get_current_datetime", lambda: NOW)


def boto(credentials: Credentials) -> BotoCredentials:
    return BotoCredentials(*credentials)


def dynamodb_headers(body: bytes, credentials: Credentials, extra: dict[str, str]) -> Request:
    headers = {
        "content-type": "application/x-amz-json-1.0",
        "host": "dynamodb.eu-central-1.amazonaws.com",
        "x-amz-date": STAMP,
        "x-amz-target": "DynamoDB_20120810.GetItem",
        **extra,
    }
    if credentials.token:
        headers["x-amz-security-token"] = credentials.token
    return Request("POST", "/", "", headers, sigv4.sha256(body))


def test_a_timestamp_is_utc_without_punctuation() -> None:
    assert sigv4.timestamp(NOW.timestamp()) == STAMP


@pytest.mark.parametrize("credentials", [LASTING, TEMPORARY], ids=["lasting", "temporary"])
@pytest.mark.parametrize(
    ("body", "extra"),
    [
        (b"{}", {}),
        (b"", {}),
        ('{"PK":{"S":"Zürich ☃ 日本"}}'.encode(), {}),
        (b'{"S":"' + b"x" * 400_000 + b'"}', {}),
        (b"\x00\xff\n\r", {}),
        (b"{}", {"x-odd": "  several   spaces\tand a tab  "}),  # signed as single spaces
        (b"{}", {"x-amz-zz": "last", "a-first": "in order of name"}),
    ],
)
def test_a_dynamodb_request_is_signed_as_botocore_signs_it(
    body: bytes, extra: dict[str, str], credentials: Credentials
) -> None:
    ours = dynamodb_headers(body, credentials, extra)
    theirs = AWSRequest(
        "POST",
        "https://dynamodb.eu-central-1.amazonaws.com/",
        headers={
            name: value
            for name, value in ours.headers.items()
            if name not in ("host", "x-amz-date", "x-amz-security-token")
        },
        data=body,
    )
    auth.SigV4Auth(boto(credentials), "dynamodb", "eu-central-1").add_auth(theirs)

    assert sigv4.authorization(ours, credentials, DYNAMODB) == theirs.headers["Authorization"]


KEYS = [
    "plain.json",
    "a/b/c",
    "with space+plus",
    "a//double slash",
    "dots/../stay/./here",  # S3 keys are not paths: nothing is normalised
    "ünï/日本/☃.txt",
    "100%25 already",
    "q?u=e&r#y;:@!$'()*,=",
    "tilde~-._",
]


def s3_request(method: str, key: str, body: bytes, credentials: Credentials) -> Request:
    payload_hash = sigv4.sha256(body)
    headers = {
        "host": "files.s3.us-east-1.amazonaws.com",
        "x-amz-content-sha256": payload_hash,
        "x-amz-date": STAMP,
    }
    if credentials.token:
        headers["x-amz-security-token"] = credentials.token
    return Request(method, "/" + sigv4.encode_path(key), "", headers, payload_hash)


@pytest.mark.parametrize("credentials", [LASTING, TEMPORARY], ids=["lasting", "temporary"])
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "HEAD"])
@pytest.mark.parametrize("key", KEYS)
def test_an_s3_request_is_signed_as_botocore_signs_it(
    key: str, method: str, credentials: Credentials
) -> None:
    body = b"content" if method == "PUT" else b""
    ours = s3_request(method, key, body, credentials)
    theirs = AWSRequest(method, f"https://{ours.headers['host']}{ours.path}", data=body)
    theirs.context["payload_signing_enabled"] = True
    auth.S3SigV4Auth(boto(credentials), "s3", "us-east-1").add_auth(theirs)

    assert sigv4.authorization(ours, credentials, S3) == theirs.headers["Authorization"]


@pytest.mark.parametrize("credentials", [LASTING, TEMPORARY], ids=["lasting", "temporary"])
@pytest.mark.parametrize(
    "parameters",
    [
        [],
        [("versionId", "3/L4kqt+J=")],
        [("response-content-disposition", 'attachment; filename="ü b.txt"'), ("partNumber", "1")],
        [("uploads", "")],
        [("x-id", "GetObject"), ("X-Amz-Meta", "between the signature's own names")],
    ],
)
def test_a_presigned_url_has_botocores_signature(
    parameters: list[tuple[str, str]], credentials: Credentials
) -> None:
    query = sigv4.canonical_query(parameters)
    ours = Request("GET", "/a%20b", query, {"host": "files.example"}, sigv4.UNSIGNED_PAYLOAD)
    theirs = AWSRequest("GET", f"https://files.example/a%20b?{query}")
    auth.S3SigV4QueryAuth(boto(credentials), "s3", "us-east-1", expires=600).add_auth(theirs)

    presigned = sigv4.presigned_query(ours, credentials, S3, STAMP, 600)

    pairs = parse_qsl(presigned, keep_blank_values=True, strict_parsing=True)
    assert dict(pairs) == dict(parse_qsl(urlsplit(theirs.url).query, keep_blank_values=True))


@given(st.lists(st.tuples(st.text(), st.text()), max_size=5))
def test_a_canonical_query_is_sorted_and_says_what_was_given(
    parameters: list[tuple[str, str]],
) -> None:
    query = sigv4.canonical_query(parameters)

    assert sorted(query.split("&"), key=lambda pair: pair.split("=")) == query.split("&")
    assert sorted(parse_qsl(query, keep_blank_values=True)) == sorted(parameters)


def test_the_signing_key_follows_secret_day_and_region() -> None:
    request = dynamodb_headers(b"{}", LASTING, {})
    next_day = request._replace(headers={**request.headers, "x-amz-date": "20261124T000000Z"})
    other = LASTING._replace(secret_key="another")
    signatures = {
        sigv4.authorization(request, LASTING, DYNAMODB)[-64:],
        sigv4.authorization(request, other, DYNAMODB)[-64:],
        sigv4.authorization(next_day, LASTING, DYNAMODB)[-64:],
        sigv4.authorization(request, LASTING, DYNAMODB._replace(region="us-east-1"))[-64:],
    }

    assert len(signatures) == 4
    assert sigv4.authorization(request, LASTING, DYNAMODB)[-64:] in signatures
