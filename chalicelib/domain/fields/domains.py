"""The options onlyDomains and exceptDomains of email and url fields."""

import re
from typing import Any

from chalicelib.domain.fields import common
from chalicelib.errors import ErrorData, field_error

DEFAULT_OPTIONS: dict[str, Any] = {**common.COMMON, "exceptDomains": [], "onlyDomains": []}

_LABEL = r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9])?"
_DOMAIN = re.compile(rf"(?:{_LABEL}\.)+[A-Za-z](?:[A-Za-z0-9-]{{0,61}}[A-Za-z0-9])?\.?\Z")


def allows(options: dict[str, Any], domain: str) -> bool:
    """Return whether the options let a value with this domain in; letter case counts."""
    only, excepted = options.get("onlyDomains"), options.get("exceptDomains")
    if only and domain not in only:
        return False
    return not (excepted and domain in excepted)


def option_errors(entry: dict[str, Any]) -> dict[str, ErrorData]:
    """Only one of the two lists may be used, and each item must be a domain."""
    names = ("exceptDomains", "onlyDomains")
    if all(entry[name] for name in names):
        return {name: field_error("validation_empty", "Must be blank.") for name in names}
    return {name: errors for name in names if (errors := _items_errors(entry[name]))}


def _items_errors(domains: list[str]) -> ErrorData:
    wrong = field_error("validation_is_domain", "Must be a valid domain.")
    return {
        str(at): wrong for at, domain in enumerate(domains) if domain and not _DOMAIN.match(domain)
    }
