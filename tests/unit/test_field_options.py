"""Errors of field definitions, by option: measured on PocketBase 0.40.6."""

from typing import Any

import pytest

from chalicelib.domain import fields
from tests.unit.field_builders import entry

MAX_SAFE = 9007199254740991


def errors(type_: str, **options: Any) -> dict[str, Any]:
    found: dict[str, Any] = fields.of(type_).option_errors(entry(type_, **options))
    return found


def codes(found: dict[str, Any]) -> dict[str, Any]:
    return {name: error.get("code", error) for name, error in found.items()}


LEAST = "validation_min_greater_equal_than_required"
MOST = "validation_max_less_equal_than_required"


@pytest.mark.parametrize(
    ("type_", "options", "expected"),
    [
        ("text", {}, {}),
        ("text", {"min": -1}, {"min": LEAST}),
        ("text", {"max": -1}, {"max": LEAST}),
        ("text", {"min": 5, "max": 3}, {"max": LEAST}),
        ("text", {"min": 5, "max": 0}, {}),  # 0 is "not set"
        ("text", {"min": MAX_SAFE + 2}, {"min": MOST}),
        ("text", {"pattern": "("}, {"pattern": "validation_invalid_regex"}),
        ("text", {"pattern": "a(?=b)"}, {"pattern": "validation_invalid_regex"}),
        ("text", {"pattern": r"^\pL+$"}, {}),
        ("text", {"autogeneratePattern": "("}, {"autogeneratePattern": "validation_invalid_regex"}),
        (
            "text",
            {"autogeneratePattern": "^a$"},
            {"autogeneratePattern": "validation_invalid_autogenerate_pattern"},
        ),
        (
            "text",
            {"autogeneratePattern": "[a-z]{5}", "max": 3},
            {"autogeneratePattern": "validation_invalid_autogenerate_pattern_value"},
        ),
        (
            "text",
            {"autogeneratePattern": "[a-z]{5}", "pattern": "^[0-9]+$"},
            {"autogeneratePattern": "validation_invalid_autogenerate_pattern_value"},
        ),
        ("text", {"autogeneratePattern": r"\d{3}-[A-Z]{2}|x+"}, {}),
        (
            "text",
            {"primaryKey": True},
            {
                "name": "validation_in_invalid",
                "pattern": "validation_required",
                "required": "validation_required",
            },
        ),
        ("number", {"min": 5, "max": 3}, {"max": "validation_min_number_constraint"}),
        ("number", {"min": 0, "max": 0}, {}),
        ("number", {"min": 1.5, "onlyInt": True}, {"min": "validation_only_int_constraint"}),
        ("number", {"max": 1.5, "onlyInt": True}, {"max": "validation_only_int_constraint"}),
        ("bool", {}, {}),
        (
            "email",
            {"exceptDomains": ["a.b"], "onlyDomains": ["c.d"]},
            {"exceptDomains": "validation_empty", "onlyDomains": "validation_empty"},
        ),
        ("url", {"exceptDomains": ["", "a.com", "A.com"]}, {}),
        ("editor", {"maxSize": -1}, {"maxSize": LEAST}),
        ("json", {"maxSize": MAX_SAFE + 2}, {"maxSize": MOST}),
        ("date", {"min": "2022-01-02 00:00:00.000Z", "max": "2022-01-01 00:00:00.000Z"}, {}),
        (
            "autodate",
            {},
            {"onCreate": "validation_required", "onUpdate": "validation_required"},
        ),
        ("autodate", {"onUpdate": True}, {}),
        ("select", {}, {"values": "validation_required"}),
        ("select", {"values": ["a", "a"]}, {}),
        ("select", {"values": ["a"], "maxSelect": 2}, {"maxSelect": MOST}),
        ("select", {"values": ["a"], "maxSelect": -1}, {"maxSelect": LEAST}),
        ("relation", {}, {"collectionId": "validation_required"}),
        ("relation", {"collectionId": "c", "maxSelect": -1}, {"maxSelect": LEAST}),
        ("relation", {"collectionId": "c", "minSelect": -1}, {"minSelect": LEAST}),
        ("relation", {"collectionId": "c", "minSelect": 3, "maxSelect": 2}, {"maxSelect": LEAST}),
        ("relation", {"collectionId": "c", "minSelect": 1}, {"maxSelect": "validation_required"}),
        ("relation", {"collectionId": "c", "minSelect": 2, "maxSelect": 2}, {}),
        ("file", {"maxSelect": -1}, {"maxSelect": LEAST}),
        ("file", {"maxSize": MAX_SAFE + 2}, {"maxSize": MOST}),
        ("file", {"mimeTypes": ["x", "x", ""]}, {}),
        ("geoPoint", {}, {}),
        ("password", {"min": -1}, {"min": LEAST}),
        ("password", {"min": 72}, {"min": MOST}),
        ("password", {"max": 72}, {"max": MOST}),
        ("password", {"min": 10, "max": 5}, {"max": LEAST}),
        ("password", {"cost": 3}, {"cost": LEAST}),
        ("password", {"cost": 32}, {"cost": MOST}),
        ("password", {"cost": 31, "min": 71, "max": 71}, {}),
        ("password", {"pattern": "("}, {"pattern": "validation_invalid_regex"}),
    ],
)
def test_options(type_: str, options: dict[str, Any], expected: dict[str, str]) -> None:
    assert codes(errors(type_, **options)) == expected


def test_a_bound_is_told() -> None:
    assert errors("text", min=5, max=3)["max"] == {
        "code": LEAST,
        "message": "Must be no less than 5.",
        "params": {"threshold": 5},
    }
    assert errors("number", min=5, max=3)["max"] == {
        "code": "validation_min_number_constraint",
        "message": "Must be greater or equal than 5.",
        "params": {"min": 5},
    }


def test_a_wrong_pattern_is_told_in_the_words_of_its_language() -> None:
    assert errors("text", pattern="(")["pattern"] == {
        "code": "validation_invalid_regex",
        "message": "Error parsing regexp: missing closing ): `(`.",
    }


def test_items_of_lists_have_errors_of_their_own() -> None:
    assert codes(errors("email", onlyDomains=["a.com", "*.b.com"])["onlyDomains"]) == {
        "1": "validation_is_domain"
    }
    thumbs = ["100x100", "0x0", "10x0", "0x10f", "5x5q", "", "00x0"]
    assert codes(errors("file", thumbs=thumbs)["thumbs"]) == {
        "1": "validation_not_in_invalid",
        "4": "validation_match_invalid",
    }


OPTIONS = {
    "text": "autogeneratePattern max min pattern primaryKey",
    "number": "max min onlyInt",
    "bool": "",
    "email": "exceptDomains onlyDomains",
    "url": "exceptDomains onlyDomains",
    "editor": "convertURLs maxSize",
    "date": "max min",
    "select": "maxSelect values",
    "relation": "cascadeDelete collectionId maxSelect minSelect",
    "file": "maxSelect maxSize mimeTypes protected thumbs",
    "json": "maxSize",
    "geoPoint": "",
    "password": "cost max min pattern",
}


@pytest.mark.parametrize("type_", OPTIONS)
def test_default_options_have_pocketbases_keys(type_: str) -> None:
    names = {*OPTIONS[type_].split(), "help", "hidden", "presentable", "required"}
    assert set(fields.of(type_).DEFAULT_OPTIONS) == names


def test_an_autodate_has_no_help_and_is_never_required() -> None:
    names = {"hidden", "onCreate", "onUpdate", "presentable"}
    assert set(fields.of("autodate").DEFAULT_OPTIONS) == names
