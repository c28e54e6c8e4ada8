"""The floor: a handler and a DynamoDB call signed by hand, on the standard library alone."""

import hashlib
import hmac
import http.client
import json
import os
import time
from urllib.parse import urlsplit

from tests.benchmarks.peers import common
from tests.benchmarks.peers.common import Shape

ENDPOINT = urlsplit(os.environ["AWS_ENDPOINT_URL"])
REGION = os.environ["AWS_DEFAULT_REGION"]
connection = http.client.HTTPConnection(ENDPOINT.netloc, timeout=10)


def _signing_key(day: str) -> bytes:
    key = ("AWS4" + os.environ["AWS_SECRET_ACCESS_KEY"]).encode()
    for part in (day, REGION, "dynamodb", "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    return key


def call(operation: str, arguments: Shape) -> Shape:
    body = json.dumps(arguments).encode()
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    headers = {
        "content-type": "application/x-amz-json-1.0",
        "host": ENDPOINT.netloc,
        "x-amz-date": stamp,
        "x-amz-target": "DynamoDB_20120810." + operation,
    }
    names = ";".join(headers)
    lines = "".join(f"{name}:{value}\n" for name, value in headers.items())
    canonical = f"POST\n/\n\n{lines}\n{names}\n{hashlib.sha256(body).hexdigest()}"
    scope = f"{stamp[:8]}/{REGION}/dynamodb/aws4_request"
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    text = f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{digest}"
    signature = hmac.new(_signing_key(stamp[:8]), text.encode(), "sha256").hexdigest()
    headers["authorization"] = (
        f"AWS4-HMAC-SHA256 Credential={os.environ['AWS_ACCESS_KEY_ID']}/{scope}, "
        f"SignedHeaders={names}, Signature={signature}"
    )
    connection.request("POST", "/", body, headers)
    answer: Shape = json.loads(connection.getresponse().read())
    return answer


def handler(event: Shape, context: object) -> Shape:
    return common.handle(call, event)
