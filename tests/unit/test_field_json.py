"""What json fields make of texts and of values (PocketBase 0.40.6)."""

from typing import Any

import pytest

from tests.unit.field_builders import cast, check, code


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        (None, None),
        (True, True),
        (1.5, 1.5),
        ({"a": [1]}, {"a": [1]}),
        ("true", True),
        ("null", None),
        ("tru", "tru"),
        ("123", 123),
        ("-5", -5),
        ("1.0", 1),
        ('{"a":1}', {"a": 1}),
        ('{"a":1} ', {"a": 1}),
        (' {"a":1}', ' {"a":1}'),  # it must start with JSON
        ("[1, 2]", [1, 2]),
        ('"quoted"', "quoted"),
        ("", ""),
        ("007", "007"),
        ("abc", "abc"),
        ("-", "-"),
        ("0x1", "0x1"),
        ("[1,]", "[1,]"),
        ("NaN", "NaN"),
        ("-Infinity", "-Infinity"),
        ('"\\ud800"', "\ufffd"),  # half a pair of surrogates
        ("\u2028\n\t\u200b", "\u2028\n\t\u200b"),
        ("[" * 5000, "[" * 5000),
    ],
)
def test_cast(raw: Any, value: Any) -> None:
    found = cast("json", raw)
    assert found == value
    assert type(found) is type(value)
    assert check("json", found) is None


@pytest.mark.parametrize(
    "raw",
    [
        "\x07",  # Go's escapes of these are not JSON
        "\x0b",
        "\x7f",
        "a\x00b",
        "\U000e0001",
        "1e999",
        "[1e999]",
        '{"a":1,"a":2}',
    ],
)
def test_texts_that_are_refused(raw: str) -> None:
    assert code(check("json", cast("json", raw))) == "validation_invalid_json"


def test_a_control_character_within_json_is_no_trouble() -> None:
    assert check("json", cast("json", '["\\u0007"]')) is None


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("<" * 18, ""),  # 20 bytes with its quotes
        ("<" * 19, "validation_json_size_limit"),
        ("é" * 9, ""),
        ("é" * 10, "validation_json_size_limit"),
        ([1, 2, 3, 4, 5, 6, 7, 8, 9], ""),  # 19 bytes, without spaces
        ([1, 2, 3, 4, 5, 6, 7, 8, 9, 1], "validation_json_size_limit"),
        (None, ""),
    ],
)
def test_size(value: Any, expected: str) -> None:
    assert code(check("json", value, maxSize=20)) == expected


@pytest.mark.parametrize("value", [None, "", [], {}])
def test_empty_values_are_not_enough_for_required(value: Any) -> None:
    assert code(check("json", value, required=True)) == "validation_required"
    assert check("json", value) is None


@pytest.mark.parametrize("value", [0, False, [None], " "])
def test_zero_and_false_are_enough_for_required(value: Any) -> None:
    assert check("json", value, required=True) is None


def test_a_value_too_deep_to_be_stored_is_refused() -> None:
    """PocketBase takes any depth; we could not write the value as JSON again."""
    value: Any = 1
    for _ in range(200):
        value = [value]
    assert check("json", value) is None
    assert code(check("json", [value])) == "validation_invalid_json"
