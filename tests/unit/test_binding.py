"""Binding: how PocketBase 0.40.6 reads the bodies of auth-with-password and impersonate."""

from typing import Any

import pytest

from chalicelib.domain import binding

LOGIN = {"identity": str, "password": str}


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ({}, {"identity": "", "password": ""}),
        ({"identity": "a", "password": "b"}, {"identity": "a", "password": "b"}),
        ({"Identity": "a", "PASSWORD": "b"}, {"identity": "a", "password": "b"}),
        ({"identity": None}, {"identity": "", "password": ""}),
        ({"identity": "a", "foo": 1}, {"identity": "a", "password": ""}),
        ({"identity": " a "}, {"identity": " a ", "password": ""}),  # nothing is trimmed
    ],
)
def test_json_is_read_by_name(data: dict[str, Any], expected: dict[str, str]) -> None:
    assert binding.read(data, LOGIN, is_text=False) == expected


@pytest.mark.parametrize(
    "data",
    [
        {"identity": 123},
        {"identity": True},
        {"identity": ["a"]},
        {"identity": {}},
        {"identity": "a", "IDENTITY": "b"},  # given twice
    ],
)
def test_json_of_another_type_is_refused(data: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="identity"):
        binding.read(data, LOGIN, is_text=False)


@pytest.mark.parametrize(
    ("value", "expected"), [(None, 0), (0, 0), (-1, -1), (100, 100), (2**63 - 1, 2**63 - 1)]
)
def test_a_json_integer(value: Any, expected: int) -> None:
    assert binding.read({"Duration": value}, {"duration": int}, is_text=False) == {
        "duration": expected
    }


@pytest.mark.parametrize("value", ["5", 5.5, 5.0, True, [], 2**63])
def test_what_is_no_json_integer_is_refused(value: Any) -> None:
    with pytest.raises(ValueError, match="duration"):
        binding.read({"duration": value}, {"duration": int}, is_text=False)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("abc", "abc"),
        (123, "123"),  # inferred from the text 123
        (-3.5, "-3.5"),
        (True, "true"),
        (False, "false"),
        (["a", "b"], "a"),  # the first of several
        ([7, 8], "7"),
    ],
)
def test_a_forms_text_is_what_was_sent(value: Any, expected: str) -> None:
    form = binding.read({"identity": value}, LOGIN, is_text=True)
    assert form == {"identity": expected, "password": ""}


def test_a_forms_names_match_exactly() -> None:
    assert binding.read({"Identity": "a"}, LOGIN, is_text=True)["identity"] == ""


def test_a_forms_integer_is_read_from_its_text() -> None:
    assert binding.read({"duration": 7}, {"duration": int}, is_text=True) == {"duration": 7}
    assert binding.read({"duration": ""}, {"duration": int}, is_text=True) == {"duration": 0}
    with pytest.raises(ValueError, match="x"):
        binding.read({"duration": "x"}, {"duration": int}, is_text=True)
