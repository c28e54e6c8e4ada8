"""What becomes of values of the wrong kind: tables measured on PocketBase 0.40.6."""

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.fields import casting


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("a", "a"),
        (" a ", " a "),
        (True, "true"),
        (False, "false"),
        (None, ""),
        ([], ""),
        (["a"], ""),
        ({"a": 1}, ""),
        (5, "5"),
        (5.0, "5"),
        (-0.5, "-0.5"),
        (0.1, "0.1"),
        (123456789.12345679, "123456789.12345679"),
        (2**53, "9007199254740992"),
        (2**64, "18446744073709552000"),  # float64 knows no more digits
        (1e21, "1000000000000000000000"),
        (1e-7, "0.0000001"),
        (-1.5e-5, "-0.000015"),
        (1.5e300, "15" + "0" * 299),
    ],
)
def test_text(raw: Any, text: str) -> None:
    assert casting.to_text(raw) == text


@pytest.mark.parametrize(
    ("raw", "number"),
    [
        (5, 5),
        (5.0, 5),
        (2.5, 2.5),
        (True, 1),
        (False, 0),
        (None, 0),
        ([5], 0),
        ({"a": 1}, 0),
        ("", 0),
        ("12", 12),
        ("1.50", 1.5),
        ("+5", 5),
        ("5.", 5),
        ("-.5", -0.5),
        (".", 0),
        ("00012", 12),
        ("1e5", 100000),
        ("1e", 0),
        ("1e999", 0),  # out of range
        ("5e-400", 0),
        (" 5", 0),
        ("5 ", 0),
        ("1,5", 0),
        ("--5", 0),
        ("\u0661", 0),  # a digit, but no ASCII one
        ("true", 0),
        ("1_000", 1000),
        ("1__0", 0),
        ("1_", 0),
        ("1_0.5_0e0_1", 105),
        ("0x10", 0),  # hexadecimal only with an exponent
        ("0x1p4", 16),
        ("0x_1p4", 16),
        ("-0x1.8p1", -3),
        ("0x.p1", 0),
        ("0b11", 0),
    ],
)
def test_number(raw: Any, number: float) -> None:
    assert casting.to_number(raw) == number


@pytest.mark.parametrize("raw", ["Inf", "-inf", "+Infinity", "infinity"])
def test_infinity_is_read_so_that_the_check_can_refuse_it(raw: str) -> None:
    assert math.isinf(casting.to_number(raw))


def test_not_a_number_is_read_so_that_the_check_can_refuse_it() -> None:
    assert math.isnan(casting.to_number("NaN"))


def test_a_whole_number_is_kept_as_an_integer() -> None:
    assert isinstance(casting.to_number(5.0), int)
    assert isinstance(casting.to_number("7"), int)


def test_an_integer_beyond_float64_loses_digits_as_in_pocketbase() -> None:
    assert casting.to_number(12345678901234567890) == 12345678901234567168
    assert casting.to_number(10**400) == math.inf


@pytest.mark.parametrize("raw", ["1", "t", "T", "true", "TRUE", "True", 1, -1, 2, 0.5, True])
def test_true(raw: Any) -> None:
    assert casting.to_bool(raw) is True


@pytest.mark.parametrize(
    "raw", ["", "0", "f", "false", "tRUE", "yes", "on", "2", "1.0", 0, 0.0, None, [], [True], {}]
)
def test_false(raw: Any) -> None:
    assert casting.to_bool(raw) is False


@pytest.mark.parametrize(
    ("raw", "texts"),
    [
        ("a", ["a"]),
        ("", []),
        (None, []),
        ([], []),
        (["a", "b", "a", ""], ["a", "b"]),
        ([None, "a"], ["a"]),
        (["a", 1.5, True], ["a", "1.5", "true"]),
        (["a", ["b"]], []),  # an item that is no scalar spoils the array
        (["a", {"b": 1}, "c"], []),
        ({"a": "b"}, []),
        (5, ["5"]),
        (True, ["true"]),
        ('["a","c"]', ["a", "c"]),
        (' ["a"]', ["a"]),
        ("[]", []),
        ('[null,"a"]', ["a"]),
        ("a[", ["a["]),  # not JSON
        ("[", ["["]),
        ('["a",1,"b"]', ["a", '["a",1,"b"]']),  # read up to the 1, then the raw text as well
        ('["a","b"] x', ["a", "b", '["a","b"] x']),
        ('{"a":["b"]}', ['{"a":["b"]}']),
    ],
)
def test_texts(raw: Any, texts: list[str]) -> None:
    assert casting.to_texts(raw) == texts


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (5, "5"),
        (0, "0"),
        (100000, "100000"),
        (1000000, "1e+06"),
        (12345678, "1.2345678e+07"),
        (2000000.5, "2.0000005e+06"),
        (-1000000, "-1e+06"),
        (0.001, "0.001"),
        (0.00001, "1e-05"),
        (1.5e22, "1.5e+22"),
    ],
)
def test_numbers_in_messages(number: float, text: str) -> None:
    assert casting.short_number_text(number) == text


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_number_text_reads_back_as_the_same_number(value: float) -> None:
    assert float(casting.number_text(value)) == value
    assert "e" not in casting.number_text(value)
