"""The AWS credentials that requests are signed with.

The environment comes first: Lambda always puts them there. Without it botocore's provider
chain is asked (profiles, SSO, container and instance roles, the endpoint of a SnapStart
function), and botocore is imported only then: it costs 150 ms.
"""

import os
import threading
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from botocore.credentials import Credentials as ProvidedCredentials


class Credentials(NamedTuple):
    access_key: str
    secret_key: str
    token: str | None = None
    """The session token of temporary credentials."""


class MissingCredentialsError(Exception):
    """No provider has AWS credentials; the message says what to set."""


_lock = threading.Lock()
_provided: "ProvidedCredentials | None" = None


def current() -> Credentials:
    """Return valid credentials. Raises `MissingCredentialsError`."""
    access_key = os.environ.get("AWS_ACCESS_KEY_ID")
    secret_key = os.environ.get("AWS_SECRET_ACCESS_KEY")
    if access_key and secret_key:
        return Credentials(access_key, secret_key, os.environ.get("AWS_SESSION_TOKEN") or None)
    return _from_botocore()


def forget() -> None:
    """Drop what botocore provided, so that the next call asks its chain again."""
    global _provided
    _provided = None


def _from_botocore() -> Credentials:
    global _provided
    with _lock:
        if _provided is None:
            import botocore.session  # noqa: PLC0415  lazy: 150 ms, and never needed in Lambda

            _provided = botocore.session.get_session().get_credentials()
    if _provided is None:
        raise MissingCredentialsError(
            "No AWS credentials found: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY,"
            " or AWS_PROFILE. A local AWS takes any value, such as test."
        )
    # Refreshable credentials renew themselves here, 10 to 15 minutes before they expire.
    frozen = _provided.get_frozen_credentials()
    return Credentials(frozen.access_key, frozen.secret_key, frozen.token or None)
