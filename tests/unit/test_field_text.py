"""Text, editor, e-mail, URL and password fields: checks measured on PocketBase 0.40.6."""

from typing import Any

import pytest

from chalicelib.domain.fields import email, password, text, url
from chalicelib.domain.fields.common import Context
from tests.unit.field_builders import cast, check, code, field


@pytest.mark.parametrize(
    ("value", "options", "expected"),
    [
        ("", {}, ""),
        ("", {"min": 3}, ""),  # the empty text passes everything
        ("", {"required": True}, "validation_required"),
        (" ", {"required": True}, ""),
        ("ab", {"min": 3}, "validation_min_text_constraint"),
        ("abcd", {"max": 3}, "validation_max_text_constraint"),
        ("éüö", {"max": 3}, ""),  # characters, not bytes
        ("x" * 5000, {}, ""),
        ("x" * 5001, {}, "validation_max_text_constraint"),
        ("abc", {"pattern": "^[0-9]+$"}, "validation_invalid_format"),
        ("a1", {"pattern": "[0-9]"}, ""),  # anywhere in the value
    ],
)
def test_text(value: str, options: dict[str, Any], expected: str) -> None:
    assert code(check("text", value, **options)) == expected


def test_errors_of_length_say_the_bound() -> None:
    assert check("text", "ab", min=3) == {
        "code": "validation_min_text_constraint",
        "message": "Must be at least 3 character(s).",
        "params": {"min": 3},
    }


def test_autogenerate_modifier_puts_the_given_text_before() -> None:
    made = text.modify(field("text", autogeneratePattern="[0-9]{4}"), "f:autogenerate", "", "x-")
    assert made.startswith("x-")
    assert made[2:].isdigit()
    assert text.modify(field("text"), "f:autogenerate", "", "x-") == "x-"


ID: dict[str, Any] = {"primaryKey": True, "required": True}


@pytest.mark.parametrize(
    ("value", "pattern", "expected"),
    [
        ("abc", "^[a-z0-9]+$", ""),
        ("ABC", "^[a-z0-9]+$", "validation_invalid_format"),
        ("con", "^[a-z0-9]+$", ""),  # the default pattern is trusted
        ("", "^.+$", "validation_required"),
        ("con", "^.+$", "validation_reserved_pk"),
        ("LPT9", "^.+$", "validation_reserved_pk"),
        ("COM0", "^.+$", ""),
        ("con.txt", "^.+$", "validation_forbidden_pk_character"),
        ("a b", "^.+$", "validation_forbidden_pk_character"),
        ("a\0b", "^.+$", "validation_forbidden_pk_character"),
        ("a\nb", "^.+$", "validation_invalid_format"),  # the pattern comes first
        ("a#b", "^.+$", ""),
        ("é", "^.+$", ""),
    ],
)
def test_new_id(value: str, pattern: str, expected: str) -> None:
    assert code(check("text", value, pattern=pattern, **ID)) == expected


def test_the_first_forbidden_character_in_the_list_is_named() -> None:
    assert check("text", "| /", pattern="^.+$", **ID) == {
        "code": "validation_forbidden_pk_character",
        "message": "'/' is not a valid primary key character.",
        "params": {"ch": "/"},
    }


def test_a_stored_id_is_never_checked_again_but_cannot_change() -> None:
    context = Context(original={"id": "OLD style"})
    assert check("text", "OLD style", context, pattern="^[a-z]+$", **ID) is None
    assert code(check("text", "new", context, pattern="^[a-z]+$", **ID)) == "validation_pk_change"


@pytest.mark.parametrize(
    ("value", "options", "expected"),
    [
        ("", {"required": True}, "validation_required"),
        ("éé", {"maxSize": 4}, ""),
        ("ééé", {"maxSize": 4}, "validation_content_size_limit"),  # bytes
        ("x" * (5 * 1024 * 1024), {}, ""),
        ("x" * (5 * 1024 * 1024 + 1), {}, "validation_content_size_limit"),
    ],
)
def test_editor(value: str, options: dict[str, Any], expected: str) -> None:
    assert code(check("editor", value, **options)) == expected


@pytest.mark.parametrize(
    "address",
    [
        "a@b.co",
        "A.b+c@B.org",
        "a@b.c.",
        "a@b.c-d",
        "a@1.de",
        "x@a..b.com",  # odd, but so it is
        "é@é.é",
        "中@中.中",
        '"q"@a.com',
        "a" * 300 + "@b.com",
    ],
)
def test_addresses(address: str) -> None:
    assert email.is_address(address)


@pytest.mark.parametrize(
    "text_",
    [
        "a",
        "a@",
        "@b.co",
        "a@b",
        "a@localhost",
        "a..b@c.de",
        ".a@b.co",
        "a b@c.de",
        '"q r"@a.com',
        "a@b.c1",
        "a@-b.com",
        "a@[1.2.3.4]",
        "a@b.co\n",
        "a@b@c.de",
    ],
)
def test_what_is_no_address(text_: str) -> None:
    assert not email.is_address(text_)


@pytest.mark.parametrize(
    ("value", "options", "expected"),
    [
        ("", {"required": True}, "validation_required"),
        ("bad", {}, "validation_is_email"),
        ("x@a.com", {"onlyDomains": ["a.com"]}, ""),
        ("x@A.com", {"onlyDomains": ["a.com"]}, "validation_email_domain_not_allowed"),
        ("x@a.com", {"exceptDomains": ["a.com"]}, "validation_email_domain_not_allowed"),
        ("x@b.com", {"exceptDomains": ["a.com"]}, ""),
    ],
)
def test_email(value: str, options: dict[str, Any], expected: str) -> None:
    assert code(check("email", value, **options)) == expected


@pytest.mark.parametrize(
    "address",
    [
        "http://a.com",
        "https://foo.bar.baz.example.co.uk:8080/path/x.html?a=b&c=d#frag",
        "a.com",
        "a.com:80/x",
        "http://localhost:80",
        "http://1.2.3.4",
        "http://[::1]:80/x",
        "http://user:pw@a.com",
        "http://ü.com",
        "http://ab_c.com",
        "http://a.com/é",
        "http://a.com?%zz",  # escapes in a query are nobody's business
        "mailto:a@b.co",
    ],
)
def test_urls(address: str) -> None:
    assert url.is_url(address)


@pytest.mark.parametrize(
    "text_",
    [
        "abc",
        "localhost",
        "javascript:alert(1)",
        "http://",
        "//a.com",
        "http://.a.com",
        "http://-a.com",
        "http://a----b",
        "http://a.com:999999",
        "http://a.com:8a",
        "http://a.com/%zz",
        "http://a.com/ x",
        "http://a.com\n",
        "http://[::1",
        "http://[:1]",
        "http://a!b.co",
        'http://u"@a.co',
        "gopher://a.b",
        "a" * 2090 + ".com",
    ],
)
def test_what_is_no_url(text_: str) -> None:
    assert not url.is_url(text_)


@pytest.mark.parametrize(
    ("value", "options", "expected"),
    [
        ("", {"required": True}, "validation_required"),
        ("bad", {}, "validation_invalid_url"),
        ("http://a.com/x", {"onlyDomains": ["a.com"]}, ""),
        ("http://b.org", {"onlyDomains": ["a.com"]}, "validation_url_domain_not_allowed"),
        ("http://a.com", {"exceptDomains": ["a.com"]}, "validation_url_domain_not_allowed"),
    ],
)
def test_url(value: str, options: dict[str, Any], expected: str) -> None:
    assert code(check("url", value, **options)) == expected


def password_code(plain: str, stored_hash: str = "", **options: Any) -> str:
    return code(check("password", stored_hash, Context(plain_passwords={"f": plain}), **options))


@pytest.mark.parametrize(
    ("plain", "options", "expected"),
    [
        ("", {}, ""),
        ("", {"required": True}, "validation_required"),
        ("abc", {"min": 4}, "validation_min_text_constraint"),
        ("x" * 71, {}, ""),
        ("x" * 72, {}, "validation_max_text_constraint"),
        ("x" * 73, {}, "validation_invalid_value"),  # bcrypt takes 72 bytes
        ("é" * 36, {}, ""),
        ("é" * 37, {}, "validation_invalid_value"),
        ("abc", {"max": 2}, "validation_max_text_constraint"),
        ("ABC", {"pattern": "^[a-z]+$"}, "validation_invalid_format"),
    ],
)
def test_password(plain: str, options: dict[str, Any], expected: str) -> None:
    assert password_code(plain, **options) == expected


def test_a_stored_hash_is_enough_for_required() -> None:
    assert password_code("", stored_hash="$2a$10$x", required=True) == ""


def test_errors_of_a_passwords_length_have_no_params() -> None:
    assert check("password", "", Context(plain_passwords={"f": "abc"}), min=8) == {
        "code": "validation_min_text_constraint",
        "message": "Must be at least 8 character(s).",
    }
    assert password.MAX_LENGTH == 71


def test_texts_are_kept_as_they_come() -> None:
    for type_ in ("text", "editor", "email", "url"):
        assert cast(type_, " <b>\n") == " <b>\n"
        assert cast(type_, 5) == "5"
        assert cast(type_, None) == ""
