"""A function for tests/integration/test_fn.py: does what the first part of its path says."""

import base64
import json
import time
from typing import Any

from dormouse.api import ApiError, api

PIXEL = bytes(range(256))


def handler(event: dict[str, Any], context: Any) -> Any:
    what, _, rest = event.get("pathParameters", {}).get("proxy", "").partition("/")
    return globals()[f"do_{what or 'echo'}"](event, context, rest)


def do_echo(event: Any, _context: Any, _rest: str) -> Any:
    return event


def do_answer(event: Any, _context: Any, _rest: str) -> Any:
    return json.loads(event["body"])


def do_page(_event: Any, _context: Any, _rest: str) -> Any:
    return {
        "statusCode": 203,
        "headers": {
            "content-type": "text/html",
            "access-control-allow-origin": "https://b.example",
        },
        "cookies": ["a=1; Path=/", "b=2"],
        "body": "<p>é</p>",
    }


def do_bytes(_event: Any, _context: Any, _rest: str) -> Any:
    body = base64.b64encode(PIXEL).decode()
    headers = {"Content-Type": "image/png"}
    return {"statusCode": 200, "headers": headers, "body": body, "isBase64Encoded": True}


def do_raise(_event: Any, _context: Any, _rest: str) -> Any:
    raise LookupError("a secret detail")


def do_sleep(_event: Any, _context: Any, rest: str) -> Any:
    time.sleep(float(rest))
    return "slept"


def do_note(event: Any, context: Any, _rest: str) -> Any:
    """Write a record back as the function that this is."""
    given = json.loads(event["body"])
    try:
        return api(context).post("/api/collections/notes/records", given)
    except ApiError as error:
        return {"statusCode": error.status, "body": json.dumps(error.body)}


def do_chain(event: Any, context: Any, _rest: str) -> Any:
    """Call itself until it is stopped, and return how far it came."""
    try:
        return 1 + api(context).get(event["rawPath"])
    except ApiError as error:
        return 1 if error.status == 502 else -1000
