"""A large file by every road: through the app, by presigned parts, by plain boto3.

    python -m tests.benchmarks.uploads [--mb 200] [--chunk 4] [--rounds 3]

Each road runs in a process of its own and the roads take turns, so that the machine's other
work falls on all of them. `growth` is the peak of that process above its size before the first
chunk; for the server, the peak of the server's process. Putting the parts together at the end,
which is S3's work, is not counted on any road. The file's bytes are random, one block
again and again; S3 is the local AWS.
"""

import argparse
import base64
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from tests.benchmarks.handlers import Context
from tools.local_aws import client
from tools.local_aws.client import LocalAws

MIB = 1024 * 1024
ROOT = Path(__file__).parents[2]
ROADS = ("boto3", "presigned", "app", "server")
LEAST = {("presigned", "boto3"): 0.95, ("app", "presigned"): 0.35, ("server", "presigned"): 0.35}
MOST_GROWTH_CHUNKS = 3.0
Send = Callable[[int, bytes], None]


class Run(NamedTuple):
    """One file by one road."""

    mb_per_second: float
    cpu_seconds: float
    growth_mib: float


def main() -> int:
    options = _options()
    if options.child:
        run = _measured(options.child, options.mb, options.chunk)
        print(json.dumps(run))
        return 0
    aws = client.start()
    try:
        environment = {**os.environ, **aws.environment()}
        _bootstrap(environment)
        return _report(options, aws, environment)
    finally:
        aws.stop()


def _report(options: argparse.Namespace, aws: LocalAws, environment: dict[str, str]) -> int:
    runs: dict[str, list[Run]] = {road: [] for road in ROADS}
    for _ in range(options.rounds):
        for road in ROADS:
            runs[road].append(_child(road, options, environment))
            _empty(aws)
    print("road       MB/s   CPU s  growth MiB")
    for road, found in runs.items():
        middle = Run(*map(statistics.median, zip(*found, strict=True)))
        cells = f"{middle.mb_per_second:6.0f} {middle.cpu_seconds:7.2f} {middle.growth_mib:11.1f}"
        print(f"{road:9} {cells}")
    holds = True
    for (road, beside), least in LEAST.items():
        pairs = zip(runs[road], runs[beside], strict=True)
        ratio = statistics.median(a.mb_per_second / b.mb_per_second for a, b in pairs)
        holds = holds and ratio >= least
        print(f"{road} to {beside}: {ratio:.2f} (at least {least})")
    for road in ("app", "server"):
        chunks = max(run.growth_mib for run in runs[road]) / options.chunk
        holds = holds and chunks <= MOST_GROWTH_CHUNKS
        print(f"growth of {road}: {chunks:.2f} chunks (at most {MOST_GROWTH_CHUNKS:.0f})")
    return 0 if holds else 1


def _bootstrap(environment: dict[str, str]) -> None:
    code = (
        "from tools import bootstrap; bootstrap.main(); from chalicelib import services;"
        "services.auth.create_superuser('root@example.com', 'rootpass123')"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment, check=True)


def _child(road: str, options: argparse.Namespace, environment: dict[str, str]) -> Run:
    command = [sys.executable, "-m", "tests.benchmarks.uploads", "--child", road]
    command += ["--mb", str(options.mb), "--chunk", str(options.chunk)]
    done = subprocess.run(
        command, cwd=ROOT, env=environment, check=True, stdout=subprocess.PIPE, text=True
    )
    return Run(*json.loads(done.stdout.splitlines()[-1]))


def _empty(aws: LocalAws) -> None:
    """Remove the files: the local AWS keeps them in memory."""
    s3 = _boto3(aws.url)
    for found in s3.list_objects_v2(Bucket="dormouse-files").get("Contents", ()):
        s3.delete_object(Bucket="dormouse-files", Key=found["Key"])


def _measured(road: str, mb: int, chunk: int) -> Run:
    roads = {"boto3": _by_boto3, "presigned": _by_presigned, "app": _by_app, "server": _by_server}
    block = os.urandom(chunk * MIB)
    count = -(-mb * 1_000_000 // len(block))
    return roads[road](block, count)


def _timed(send: Send, block: bytes, count: int, pid: int | str = "self") -> Run:
    """Send all chunks of an upload that was just begun."""
    before = _memory("VmRSS", pid)
    wall, cpu = time.perf_counter(), time.process_time()
    for number in range(count):
        send(number, block)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    rate = count * len(block) / 1e6 / wall
    return Run(rate, cpu, _memory("VmHWM", pid) - before)


def _memory(field: str, pid: int | str) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(field)) / 1024


def _boto3(url: str) -> Any:
    import boto3  # noqa: PLC0415 - only where it is measured, and to clean up
    from botocore.config import Config  # noqa: PLC0415 - likewise

    config = Config(request_checksum_calculation="when_required", s3={"addressing_style": "path"})
    keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
    return boto3.client("s3", endpoint_url=url, region_name="us-east-1", config=config, **keys)


def _by_boto3(block: bytes, count: int) -> Run:
    s3 = _boto3(os.environ["AWS_ENDPOINT_URL"])
    where = {"Bucket": "dormouse-files", "Key": "plain"}
    upload_id = s3.create_multipart_upload(**where)["UploadId"]
    parts = []

    def send(number: int, chunk: bytes) -> None:
        answer = s3.upload_part(**where, UploadId=upload_id, PartNumber=number + 1, Body=chunk)
        parts.append({"PartNumber": number + 1, "ETag": answer["ETag"]})

    run = _timed(send, block, count)
    s3.complete_multipart_upload(**where, UploadId=upload_id, MultipartUpload={"Parts": parts})
    return run


def _by_presigned(block: bytes, count: int) -> Run:
    call = _app()
    made = call("POST", "/api/uploads/s3/multipart", b'{"filename": "x"}', _JSON)
    upload = "/api/uploads/s3/multipart/" + json.loads(made["body"])["uploadId"]
    parts = []
    connections: dict[str, HTTPConnection] = {}

    def send(number: int, chunk: bytes) -> None:
        url = urlsplit(json.loads(call("GET", f"{upload}/{number + 1}")["body"])["url"])
        connection = connections.setdefault(url.netloc, HTTPConnection(url.netloc))
        connection.request("PUT", f"{url.path}?{url.query}", chunk)
        answer = connection.getresponse()
        answer.read()
        parts.append({"PartNumber": number + 1, "ETag": answer.headers["ETag"]})

    run = _timed(send, block, count)
    call("POST", upload + "/complete", json.dumps({"parts": parts}).encode(), _JSON)
    return run


def _by_app(block: bytes, count: int) -> Run:
    call = _app()
    length = {"upload-length": str(len(block) * count + 1), **_TUS}
    url = call("POST", "/api/uploads", b"", length)["headers"]["Location"]
    body = base64.b64encode(block).decode()

    def send(number: int, _chunk: bytes) -> None:
        call("PATCH", url, body, {"upload-offset": str(number * len(block)), **_TUS})

    run = _timed(send, block, count)
    call("DELETE", url, b"", _TUS)
    return run


def _by_server(block: bytes, count: int) -> Run:
    from tests.e2e.cluster import App  # noqa: PLC0415 - starts a server

    log = Path(os.environ.get("TMPDIR", "/tmp")) / f"dormouse-bench-{os.getpid()}.log"
    app = App(dict(os.environ), log)
    app.start()
    try:
        process = app._process
        assert process is not None
        return _over_http(app.base_url, process.pid, block, count)
    finally:
        app.kill()
        log.unlink(missing_ok=True)


def _over_http(base_url: str, pid: int, block: bytes, count: int) -> Run:
    connection = HTTPConnection(urlsplit(base_url).netloc)

    def ask(method: str, path: str, body: bytes, headers: dict[str, str]) -> Any:
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        content = answer.read()
        assert answer.status < 300, content
        return answer.headers, content

    login = b'{"identity": "root@example.com", "password": "rootpass123"}'
    path = "/api/collections/_superusers/auth-with-password"
    token = {"authorization": json.loads(ask("POST", path, login, _JSON)[1])["token"]}
    length = {"upload-length": str(len(block) * count + 1), **_TUS, **token}
    url = ask("POST", "/api/uploads", b"", length)[0]["location"]

    def send(number: int, chunk: bytes) -> None:
        ask("PATCH", url, chunk, {"upload-offset": str(number * len(block)), **_TUS, **token})

    run = _timed(send, block, count, pid)
    ask("DELETE", url, b"", {**_TUS, **token})
    return run


_JSON = {"content-type": "application/json"}
_TUS = {"tus-resumable": "1.0.0", "content-type": "application/offset+octet-stream"}


def _app() -> Callable[..., Any]:
    """Return a caller of the app in this process, signed in."""
    from app import app  # noqa: PLC0415 - reads the environment

    token = ""

    def call(
        method: str, path: str, body: bytes | str = b"", headers: dict[str, str] | None = None
    ) -> Any:
        event = {
            "path": path,
            "headers": {"authorization": token, **(headers or {})},
            "requestContext": {"httpMethod": method, "identity": {"sourceIp": "127.0.0.1"}},
            "body": body if isinstance(body, str) else base64.b64encode(body).decode(),
            "isBase64Encoded": True,
        }
        answer = app(event, Context())
        assert answer["statusCode"] < 300, answer
        return answer

    login = b'{"identity": "root@example.com", "password": "rootpass123"}'
    path = "/api/collections/_superusers/auth-with-password"
    token = json.loads(call("POST", path, login, _JSON)["body"])["token"]
    return call


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="A large file by every road.")
    parser.add_argument("--mb", type=int, default=200, help="of the file")
    parser.add_argument("--chunk", type=int, default=4, help="in MiB")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--child", choices=ROADS, help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
