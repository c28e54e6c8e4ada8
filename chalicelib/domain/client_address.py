"""Whose request it is: the client's IP address behind proxies, and who may be a superuser.

Without `trustedProxy.headers` the peer's address is the client's: behind API Gateway that is
the true one. A header is believed only where superusers named it, because anyone can send
one. Measured on PocketBase 0.40.6.
"""

from collections.abc import Iterable, Mapping
from ipaddress import ip_address, ip_network

from chalicelib.domain.app_settings import AppSettings


def client_address(settings: AppSettings, headers: Mapping[str, str], peer: str) -> str:
    """Return the address that the first trusted header with a valid one names, or the peer's.

    Of several addresses in a header the last valid one counts, because each proxy adds at
    the end; with `useLeftmostIP` the first one.
    """
    proxy = settings["trustedProxy"]
    for name in proxy["headers"]:
        listed = [text.strip() for text in headers.get(name.lower(), "").split(",")]
        for text in listed if proxy["useLeftmostIP"] else reversed(listed):
            if _is_address(text):
                return text
    return peer


def allows_superuser(settings: AppSettings, address: str) -> bool:
    """Return whether superusers may come from this address: an empty list lets all."""
    allowed: Iterable[str] = settings["superuserIPs"]
    return not allowed or any(_covers(subnet, address) for subnet in allowed)


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _covers(subnet: str, address: str) -> bool:
    try:
        return ip_address(address) in ip_network(subnet, strict=False)
    except ValueError:  # an address we cannot read is not an allowed one
        return False
