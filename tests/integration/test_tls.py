"""The client over TLS, as on AWS: against the proxy with a certificate of its own."""

import shutil
import ssl
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from chalicelib.aws import connections, dynamodb, retries
from chalicelib.errors import UnavailableError
from chalicelib.store.keys import key
from tests.integration import fault_proxy as faults
from tests.integration.fault_proxy import FaultProxy
from tools.local_aws.client import LocalAws

pytestmark = [
    pytest.mark.usefixtures("table"),
    pytest.mark.skipif(not shutil.which("openssl"), reason="makes its certificate with openssl"),
]

COUNTER = key("TLS", "counter")


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1 that vouches for itself, and its key."""
    folder = tmp_path_factory.mktemp("tls")
    certificate, private_key = folder / "certificate.pem", folder / "key.pem"
    command = "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=test"
    command += f" -addext subjectAltName=IP:127.0.0.1 -keyout {private_key} -out {certificate}"
    subprocess.run(command.split(), check=True, capture_output=True)
    return certificate, private_key


@pytest.fixture
def proxy(
    local_aws: LocalAws, certificate: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> Iterator[FaultProxy]:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(*certificate)
    proxy = FaultProxy(local_aws.url, tls)
    proxy.start()
    monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", proxy.url)
    monkeypatch.setattr(retries, "FIRST_PAUSE_SECONDS", 0.002)
    connections._tls.cache_clear()
    yield proxy
    connections.forget()
    connections._tls.cache_clear()
    proxy.stop()


@pytest.fixture
def trusted(certificate: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_CA_BUNDLE", str(certificate[0]))


@pytest.mark.usefixtures("trusted")
def test_a_kept_alive_tls_connection_is_used_again_and_again(proxy: FaultProxy) -> None:
    """The session tickets that a TLS 1.3 server sends unasked must not look like a close."""
    for _ in range(5):
        assert dynamodb.get(COUNTER) is None
        time.sleep(0.02)

    assert proxy.connections == 1


@pytest.mark.usefixtures("trusted")
def test_a_tls_connection_closed_while_idle_is_noticed(proxy: FaultProxy) -> None:
    proxy.plan([faults.then_closes])
    dynamodb.get(COUNTER)
    time.sleep(0.1)

    changed = dynamodb.update(COUNTER, "ADD n :one", {":one": {"N": "1"}})

    assert changed["n"] == {"N": "1"}
    assert proxy.received == ["GetItem", "UpdateItem"]
    dynamodb.delete(COUNTER)


def test_a_certificate_that_nobody_vouches_for_is_refused(proxy: FaultProxy) -> None:
    token = dynamodb.deadline.set(time.monotonic() + 1)
    try:
        with pytest.raises(UnavailableError) as caught:
            dynamodb.get(COUNTER)
    finally:
        dynamodb.deadline.reset(token)
    assert "certificate verify failed" in str(caught.value.__cause__)
    assert proxy.received == []
