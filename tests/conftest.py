"""Fixtures that several kinds of tests share: a local AWS, and an empty table on it.

Unit tests use none of these. The local AWS keeps nothing and takes a free port, so any number of
runs go side by side.
"""

import os
import sys
import urllib.request
from collections.abc import Iterator

import pytest

from chalicelib import config
from tools.local_aws import client
from tools.local_aws.client import LocalAws


@pytest.fixture(scope="session")
def local_aws() -> Iterator[LocalAws]:
    """A local AWS for the whole run; `os.environ` points to it from here on."""
    with pytest.MonkeyPatch.context() as patch:
        aws = client.start()
        for name, value in aws.environment().items():
            patch.setenv(name, value)
        for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL_DYNAMODB"):
            patch.delenv(name, raising=False)
        config.settings.cache_clear()
        yield aws
        aws.stop()


@pytest.fixture
def clean_table(local_aws: LocalAws) -> str:
    """The name of an empty table, beside an empty bucket; nothing of other tests is left."""
    reset(local_aws)
    forget_requests()
    from tools import bootstrap  # noqa: PLC0415 - reads the environment that local_aws sets

    bootstrap.table_and_bucket()
    return config.settings().table_name


@pytest.fixture(scope="module")
def table(local_aws: LocalAws) -> str:
    """As `clean_table`, but once for all tests of a module."""
    reset(local_aws)
    forget_requests()
    from tools import bootstrap  # noqa: PLC0415 - reads the environment that local_aws sets

    bootstrap.table_and_bucket()
    return config.settings().table_name


def reset(aws: LocalAws) -> None:
    """Empty the local AWS: 3 ms, where deleting the items would take seconds."""
    request = urllib.request.Request(f"{aws.url}/_ministack/reset", method="POST")
    with urllib.request.urlopen(request) as response:
        response.read()


def forget_requests() -> None:
    """Drop what earlier requests left in this process: the schema."""
    schema = sys.modules.get("chalicelib.store.schema")
    if schema:
        schema.forget()


def subprocess_environment(aws: LocalAws) -> dict[str, str]:
    """Return the environment for a server process of ours that uses `aws`."""
    return dict(os.environ) | aws.environment()
