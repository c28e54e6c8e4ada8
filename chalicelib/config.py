"""Settings of one deployment, read from the environment once per process.

docs/settings.md describes each; a test compares the two lists.
"""

import os
from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple


class Settings(NamedTuple):
    """The environment's part of the configuration; what people change lives in the table."""

    table_name: str = "dormouse"
    bucket_name: str = "dormouse-files"
    region: str = "us-east-1"
    stage: str = "local"
    scan_budget_items: int = 20_000
    """How many items one request may read to answer a list."""
    scan_budget_bytes: int = 40 * 1024 * 1024
    """How many bytes of records one request may read to answer a list."""
    body_limit_bytes: int = 32 * 1024 * 1024
    """The largest request body, as PocketBase's default."""
    payload_limit_bytes: int = 0
    """The largest request body that the platform carries; 0 is what Lambda takes, if in Lambda."""
    download_limit_bytes: int = 4 * 1024 * 1024
    """The largest file that is answered itself; a larger one is answered with a link to it."""
    upload_limit_bytes: int = 5 * 1024 * 1024 * 1024
    """The largest file that may arrive in several calls (/api/uploads)."""
    upload_hours: int = 24
    """How long such a file may take, and then wait to become a field's value."""
    guest_uploads: bool = False
    """Whether somebody without an account may begin one."""
    request_seconds: float = 28.0
    """How long a request may work when the platform states no deadline."""
    backfill_seconds: float = 20.0
    """How long one request works on filling a new index before it leaves the rest."""
    resource_prefix: str = "dormouse-local"
    """How the names of functions, roles, queues and schedules begin that are made for users."""
    public_url: str = ""
    """Where functions call the API; empty: where the request came in that changed them."""
    waker: str = ""
    """Name or ARN of the Lambda function that streams and queues wake; empty: `tools.pump`."""
    schedule_role: str = ""
    """Name or ARN of the role with which schedules send to the queue of wakes."""
    boundary: str = ""
    """Name or ARN of the permissions boundary of every user function's role."""
    chain_limit: int = 8
    """A chain function -> write or call -> function stops when its depth would pass this."""


LAMBDA_PAYLOAD_BYTES = 4_650_000
"""Lambda takes a request of 6 MB; a binary body is a third longer in it, and headers join it."""

_TYPES: dict[str, Callable[[str], Any]] = {
          "scan_budget_items": int, "scan_budget_bytes": int, "body_limit_bytes": int,
          "payload_limit_bytes": int, "download_limit_bytes": int,
          "upload_limit_bytes": int, "upload_hours": int,
          "guest_uploads": lambda text: text.lower() in ("1", "true", "yes"),
          "request_seconds": float, "backfill_seconds": float, "chain_limit": int}  # fmt: skip


@cache
def settings() -> Settings:
    """Return the settings: `DORMOUSE_<NAME>` overrides a default, the region is AWS's own."""
    given = {
        name: _TYPES.get(name, str)(os.environ[f"DORMOUSE_{name.upper()}"])
        for name in Settings._fields
        if os.environ.get(f"DORMOUSE_{name.upper()}")
    }
    region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
    if region:
        given.setdefault("region", region)
    if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:
        given.setdefault("payload_limit_bytes", LAMBDA_PAYLOAD_BYTES)
    return Settings(**given)
