"""URL fields. The form is checked; nothing is fetched."""

import re
from typing import Any, NamedTuple

from chalicelib.domain import patterns
from chalicelib.domain.collection import Field
from chalicelib.domain.fields import casting, common, domains
from chalicelib.domain.fields.common import Context
from chalicelib.errors import ErrorData, field_error

DEFAULT_OPTIONS = domains.DEFAULT_OPTIONS
option_errors = domains.option_errors

MAX_LENGTH = 2082

# Host names, oddities included, are the ones PocketBase 0.40.6 was found to take: a name of
# several labels may need two characters in its first one.
_BYTE = r"(?:\d{1,2}|1\d\d|2[0-4]\d|25[0-5])"
_FIRST_BYTE = r"(?:[1-9]\d?|1\d\d|2[01]\d|22[0-3]|24\d|25[0-5])"
_ADDRESS = rf"{_FIRST_BYTE}(?:\.{_BYTE}){{2}}\.{_BYTE}"
_WIDE = r"\x{00a1}-\x{ffff}"
_LABELS = r"[a-zA-Z0-9](?:[a-zA-Z0-9_-]*[a-zA-Z0-9])(?:[-.][a-zA-Z0-9]+)*"
_SUBDOMAIN = r"www\.|[a-zA-Z0-9]+(?:[-_.]?[a-zA-Z0-9])*[a-zA-Z0-9]\.[a-zA-Z0-9]+"
_NAME = rf"[a-zA-Z0-9{_WIDE}]+(?:--?[a-zA-Z0-9{_WIDE}]+)*(?:\.[a-zA-Z{_WIDE}]+)?"
_BRACKETED = r"\[[0-9a-fA-F.]*:[0-9a-fA-F:.]*(?:%[0-9a-zA-Z]+)?\]"  # `parts` looks closer
_URL = (
    r"^(?:(?:ftp|tcp|udp|wss?|https?)://)?(?:\S+@)?"
    rf"(?:{_ADDRESS}|{_BRACKETED}|(?:{_LABELS}|{_SUBDOMAIN})?{_NAME})"
    r"\.?(?::\d{1,5})?(?:[/?#]\S*)?$"
)
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")
_USER = re.compile(r"[A-Za-z0-9._:~!$&'()*+,;=%@-]*\Z")
_PORT = re.compile(r"(?::[0-9]*)?\Z")


class Parts(NamedTuple):
    """Host, with its port, and path of a URL; both are empty in `mailto:a@b.c`."""

    host: str
    path: str


def parts(text: str) -> Parts | None:
    """Return a URL's parts, None for a text that a URL parser refuses."""
    before, _, fragment = text.partition("#")
    rest = before.partition("?")[0]
    scheme = _SCHEME.match(rest)
    if scheme:
        rest = rest[scheme.end() :]
        if not rest.startswith("/"):
            return None if _BAD_ESCAPE.search(fragment) else Parts("", "")
    elif ":" in rest.partition("/")[0]:
        return None
    authority, path = "", rest
    if rest.startswith("//") and (scheme or not rest.startswith("///")):
        authority, slash, path = rest[2:].partition("/")
        path = slash + path
    if _BAD_ESCAPE.search(authority + path + "#" + fragment):
        return None
    user, _, host = authority.rpartition("@")
    return Parts(host, path) if _USER.match(user) and _is_host(host) else None


def _is_host(host: str) -> bool:
    if not host.startswith("["):
        return _PORT.match(host, host.rfind(":") if ":" in host else len(host)) is not None
    address, bracket, port = host[1:].rpartition("]")
    return bool(bracket) and _PORT.match(port) is not None and _is_ipv6(address.partition("%")[0])


def _is_ipv6(address: str) -> bool:
    import ipaddress  # noqa: PLC0415  lazy: few URLs have such a host

    try:
        ipaddress.IPv6Address(address)
    except ValueError:
        return False
    return True


def cast(field: Field, raw: Any) -> str:
    return casting.to_text(raw)


def is_url(text: str) -> bool:
    """Return whether a text has the form of a URL; the scheme may be missing."""
    if not 3 < len(text) <= MAX_LENGTH or _CONTROL.search(text) or text.startswith("."):
        return False
    found = parts(f"http://{text}" if ":" in text and "://" not in text else text)
    if found is None or found.host.startswith("."):
        return False
    if not found.host and found.path and "." not in found.path:
        return False
    return patterns.search(_URL, text)


def check(field: Field, value: str, context: Context) -> ErrorData | None:
    if not value:
        return common.required() if field.required else None
    if not is_url(value):
        return field_error("validation_invalid_url", "Must be a valid url.")
    found = parts(value)
    if not domains.allows(field.options, found.host if found else ""):
        return field_error("validation_url_domain_not_allowed", "Url domain is not allowed.")
    return None
