from collections.abc import Iterator

import boto3
import pytest

from chalicelib import config
from chalicelib.aws import connections, retries, s3
from tests.integration import fault_proxy as faults
from tests.integration.fault_proxy import Fault, FaultProxy
from tools.local_aws.client import LocalAws

pytestmark = pytest.mark.usefixtures("table")

KEYS = ["plain", "a/b c+ü☃.json", "100%25?x=y&z#w", "a//b/../c", "'()*!$,;=:@[]{}|\"<>^`~"]


@pytest.fixture
def proxy(local_aws: LocalAws, monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultProxy]:
    proxy = FaultProxy(local_aws.url)
    proxy.start()
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", proxy.url)
    monkeypatch.setattr(retries, "FIRST_PAUSE_SECONDS", 0.002)
    yield proxy
    proxy.stop()
    connections.forget()


@pytest.mark.parametrize("key", KEYS)
def test_an_object_is_put_read_described_and_deleted(key: str) -> None:
    body = b'{"a": "b"}' * 50_000
    s3.put(key, body, "application/json")

    assert s3.get(key) == body
    info = s3.head(key)
    assert (info.size_bytes, info.content_type) == (len(body), "application/json")
    boto = boto3.client("s3").get_object(Bucket=config.settings().bucket_name, Key=key)
    assert boto["Body"].read() == body
    assert boto["ETag"].strip('"') == info.etag

    s3.delete(key)
    with pytest.raises(s3.MissingObjectError):
        s3.get(key)
    with pytest.raises(s3.MissingObjectError):
        s3.head(key)
    s3.delete(key)


def test_an_empty_object_is_an_object() -> None:
    s3.put("empty", b"")
    assert s3.get("empty") == b""
    assert s3.head("empty").size_bytes == 0


def test_a_missing_bucket_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(s3, "settings", lambda: config.Settings(bucket_name="elsewhere"))
    with pytest.raises(s3.MissingBucketError, match="'elsewhere'"):
        s3.get("a")


@pytest.mark.parametrize(
    "fault",
    [
        faults.error(500),
        faults.error(503),
        faults.error_after(500),
        faults.reset_before,
        faults.reset_after,
        faults.cut_headers,
        faults.close_after,
    ],
)
def test_every_call_is_repeated(proxy: FaultProxy, fault: Fault) -> None:
    proxy.plan([fault])
    s3.put("a", b"content")
    proxy.plan([fault])
    assert s3.get("a") == b"content"
    proxy.plan([fault])
    assert s3.head("a").size_bytes == 7
    proxy.plan([fault])
    s3.delete("a")
    assert proxy.received == ["DELETE"] * 2
    with pytest.raises(s3.MissingObjectError):
        s3.get("a")


def test_half_an_object_is_never_returned(proxy: FaultProxy) -> None:
    s3.put("a", b"content")
    proxy.plan([faults.cut_body])

    assert s3.get("a") == b"content"
    assert proxy.received == ["GET"] * 2


def test_on_aws_the_bucket_is_in_the_host(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    assert s3.address("a b") == ((True, "dormouse-files.s3.us-east-1.amazonaws.com"), "/a%20b")
    monkeypatch.setattr(s3, "settings", lambda: config.Settings(bucket_name="with.dots"))
    # A wildcard certificate covers one label.
    assert s3.address("a") == ((True, "s3.us-east-1.amazonaws.com"), "/with.dots/a")
