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
    assert binding.read(data, LOGIN, as_form=False) == expected


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
        binding.read(data, LOGIN, as_form=False)


@pytest.mark.parametrize(
    ("value", "expected"), [(None, 0), (0, 0), (-1, -1), (100, 100), (2**63 - 1, 2**63 - 1)]
)
def test_a_json_integer(value: Any, expected: int) -> None:
    assert binding.read({"Duration": value}, {"duration": int}, as_form=False) == {
        "duration": expected
    }


@pytest.mark.parametrize("value", ["5", 5.5, 5.0, True, [], 2**63])
def test_what_is_no_json_integer_is_refused(value: Any) -> None:
    with pytest.raises(ValueError, match="duration"):
        binding.read({"duration": value}, {"duration": int}, as_form=False)


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
    form = binding.read({"identity": value}, LOGIN, as_form=True)
    assert form == {"identity": expected, "password": ""}


SHAPE: dict[str, Any] = {"smtp": {"port": 0, "tls": False, "host": ""}, "ips": []}


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ({}, {}),
        ({"smtp.port": 25}, {"smtp": {"port": 25}}),
        ({"smtp.host": 7, "smtp.tls": True}, {"smtp": {"host": "7", "tls": True}}),
        ({"smtp.host": [1, 2]}, {"smtp": {"host": "1"}}),  # the first of several
        ({"smtp.tls": 1}, {"smtp": {"tls": True}}),
        ({"smtp.tls": "F"}, {"smtp": {"tls": False}}),
        ({"smtp.host": ""}, {"smtp": {"host": ""}}),
        ({"ips": "::1"}, {"ips": ["::1"]}),
        ({"ips": ["::1", "::2"]}, {"ips": ["::1", "::2"]}),
        ({"smtp": 1, "smtp[port]": 2, "Smtp.Port": 3, "smtp.port.x": 4}, {}),
        ({"smtp": {"port": 25}, "smtp.host": "a"}, {"smtp": {"port": 25, "host": "a"}}),
        ({"smtp": {"PORT": 25}}, {"smtp": {"PORT": 25}}),  # JSON of @jsonPayload
    ],
)
def test_a_forms_names_may_be_paths(data: dict[str, Any], expected: dict[str, Any]) -> None:
    assert binding.nested(SHAPE, data) == expected


@pytest.mark.parametrize("data", [{"smtp.port": "x"}, {"smtp.port": 2.5}, {"smtp.tls": "on"}])
def test_a_forms_text_of_the_wrong_type_is_refused(data: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"x|2.5|on"):
        binding.nested(SHAPE, data)


@pytest.mark.parametrize(
    ("content_type", "expected"),
    [
        ("multipart/form-data; boundary=x", True),
        ("application/x-www-form-urlencoded", True),
        ("Application/X-WWW-Form-Urlencoded; charset=utf-8", True),
        ("application/json", False),
        ("", False),
    ],
)
def test_which_bodies_are_forms(content_type: str, expected: bool) -> None:
    assert binding.is_form({"content-type": content_type}) is expected
    assert binding.is_form({}) is False


def test_a_forms_names_match_exactly() -> None:
    assert binding.read({"Identity": "a"}, LOGIN, as_form=True)["identity"] == ""


def test_a_forms_integer_is_read_from_its_text() -> None:
    assert binding.read({"duration": 7}, {"duration": int}, as_form=True) == {"duration": 7}
    assert binding.read({"duration": ""}, {"duration": int}, as_form=True) == {"duration": 0}
    with pytest.raises(ValueError, match="x"):
        binding.read({"duration": "x"}, {"duration": int}, as_form=True)
