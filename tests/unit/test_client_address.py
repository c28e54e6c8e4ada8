"""Client addresses: what /api/health of PocketBase 0.40.6 gave as `realIP` for these headers."""

from typing import Any

import pytest

from chalicelib.domain import app_settings
from chalicelib.domain.client_address import allows_superuser, client_address

PEER = "127.0.0.1"


def settings(**changes: Any) -> app_settings.AppSettings:
    return app_settings.merge(app_settings.defaults(), changes)


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, PEER),
        ({"x-a": "1.1.1.1"}, "1.1.1.1"),
        ({"x-a": "1.1.1.1, 2.2.2.2"}, "2.2.2.2"),
        ({"x-a": "1.1.1.1, zz"}, "1.1.1.1"),
        ({"x-a": " 1.1.1.1 , "}, "1.1.1.1"),
        ({"x-a": "zz", "x-b": "3.3.3.3"}, "3.3.3.3"),  # the next header
        ({"x-b": "5.5.5.5"}, "5.5.5.5"),
        ({"x-a": "::1"}, "::1"),
        ({"x-a": "fe80::1%eth0"}, "fe80::1%eth0"),
        ({"x-a": "1.1.1.1:80"}, PEER),
        ({"x-a": "[::1]:80"}, PEER),
        ({"x-a": "01.1.1.1"}, PEER),
        ({"x-forwarded-for": "6.6.6.6"}, PEER),  # nobody named it
    ],
)
def test_the_last_address_of_a_trusted_header_counts(
    headers: dict[str, str], expected: str
) -> None:
    trusting = settings(trustedProxy={"headers": ["X-A", "x-b"]})
    assert client_address(trusting, headers, PEER) == expected
    assert client_address(settings(), headers, PEER) == PEER


@pytest.mark.parametrize(
    ("value", "expected"),
    [("1.1.1.1, 2.2.2.2", "1.1.1.1"), ("zz, 2.2.2.2", "2.2.2.2"), ("zz", PEER)],
)
def test_or_the_first_if_superusers_say_so(value: str, expected: str) -> None:
    trusting = settings(trustedProxy={"headers": ["X-A"], "useLeftmostIP": True})
    assert client_address(trusting, {"x-a": value}, PEER) == expected


@pytest.mark.parametrize(
    ("allowed", "address", "expected"),
    [
        ([], "1.2.3.4", True),
        ([], "", True),
        (["1.2.3.4"], "1.2.3.4", True),
        (["1.2.3.4"], "1.2.3.5", False),
        (["10.0.0.0/8", "::1"], "10.9.9.9", True),
        (["10.0.0.0/8", "::1"], "::1", True),
        (["10.0.0.0/8", "::1"], "11.0.0.1", False),
        (["10.1.2.3/8"], "10.9.9.9", True),  # bits beyond the prefix are ignored
        (["::/0"], "1.2.3.4", False),  # another family
        (["1.2.3.4"], "", False),
        (["1.2.3.4"], "nonsense", False),
    ],
)
def test_superusers_come_from_allowed_addresses(
    allowed: list[str], address: str, expected: bool
) -> None:
    assert allows_superuser(settings(superuserIPs=allowed), address) is expected
