"""E-mail fields. An address is checked by its form only; its letter case is kept."""

from typing import Any

from chalicelib.domain import patterns
from chalicelib.domain.collection import Field
from chalicelib.domain.fields import casting, common, domains
from chalicelib.domain.fields.common import Context
from chalicelib.errors import ErrorData, field_error

DEFAULT_OPTIONS = domains.DEFAULT_OPTIONS
option_errors = domains.option_errors

# Letters beyond ASCII are taken as they are, in both parts. (`re` would need 40 ms to read
# these sets.)
_WIDE = r"\x{a0}-\x{d7ff}\x{f900}-\x{fdcf}\x{fdf0}-\x{ffef}"
_ATOM = rf"[A-Za-z0-9!#$%&'*+/=?^_`{{|}}~{_WIDE}-]+"
_QUOTED = rf'"(?:[\x01-\x08\x0b\x0c\x0e-!#-\[\]-\x7f{_WIDE}]")?'  # as odd as measured
_EDGE = rf"[A-Za-z0-9{_WIDE}]"
_LETTER = rf"[A-Za-z{_WIDE}]"
_ADDRESS = (
    rf"^(?:{_ATOM}(?:\.{_ATOM})*|{_QUOTED})"
    rf"@{_EDGE}(?:[A-Za-z0-9._~{_WIDE}-]*{_EDGE})?"
    rf"\.{_LETTER}(?:[A-Za-z0-9_~{_WIDE}-]*{_LETTER})?\.?$"
)


def cast(field: Field, raw: Any) -> str:
    return casting.to_text(raw)


def is_address(text: str) -> bool:
    """Return whether a text has the form of an e-mail address."""
    return patterns.search(_ADDRESS, text)


def check(field: Field, value: str, context: Context) -> ErrorData | None:
    if not value:
        return common.required() if field.required else None
    if not is_address(value):
        return field_error("validation_is_email", "Must be a valid email address.")
    if not domains.allows(field.options, value.rpartition("@")[2]):
        message = "Email domain is not allowed."
        return field_error("validation_email_domain_not_allowed", message)
    return None
