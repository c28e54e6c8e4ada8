"""Number, boolean, date, select, relation, file, geo point fields (PocketBase 0.40.6)."""

import math
from typing import Any

import pytest

from chalicelib.domain import fields
from chalicelib.domain.fields import file_names, listed, number
from chalicelib.domain.fields.common import Context, NewFile
from chalicelib.domain.request import UploadedFile
from tests.unit.field_builders import cast, check, code, field


@pytest.mark.parametrize(
    ("value", "options", "expected"),
    [
        (0, {}, ""),
        (0, {"min": 1}, ""),  # zero passes every bound
        (0, {"required": True}, "validation_required"),
        (0.5, {"min": 1}, "validation_min_number_constraint"),
        (-1, {"min": 0}, "validation_min_number_constraint"),
        (5, {"max": 4.5}, "validation_max_number_constraint"),
        (1, {"max": 0}, "validation_max_number_constraint"),
        (1.5, {"onlyInt": True}, "validation_only_int_constraint"),
        (1e18, {"onlyInt": True}, ""),
        (1e300, {"onlyInt": True}, "validation_only_int_constraint"),
        (math.inf, {}, "validation_not_a_number"),
        (math.nan, {}, "validation_not_a_number"),
    ],
)
def test_number(value: float, options: dict[str, Any], expected: str) -> None:
    assert code(check("number", value, **options)) == expected


def test_bounds_are_printed_with_an_exponent_but_given_as_numbers() -> None:
    assert check("number", 2_000_000, max=1_000_000) == {
        "code": "validation_max_number_constraint",
        "message": "Must be less or equal than 1e+06.",
        "params": {"max": 1_000_000},
    }


@pytest.mark.parametrize(
    ("modifier", "current", "raw", "result"),
    [
        ("f+", 1, 2, 3),
        ("f+", 1, "2.5", 3.5),
        ("f-", 1, 2, -1),
        ("f+", 1, "x", 1),
        ("f+", 0.1, 0.2, 0.1 + 0.2),
    ],
)
def test_number_modifiers(modifier: str, current: float, raw: Any, result: float) -> None:
    assert number.modify(field("number"), modifier, current, raw) == result


def test_required_means_true_for_a_boolean() -> None:
    assert code(check("bool", False, required=True)) == "validation_required"
    assert check("bool", True, required=True) is None
    assert check("bool", False) is None


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("", ""),
        ("2020-01-01 00:00:00.499Z", "validation_min_greater_equal_than_required"),
        ("2020-01-01 00:00:00.500Z", ""),
        ("2022-06-01 08:00:00.000Z", ""),
        ("2022-06-01 08:00:00.001Z", "validation_max_less_equal_than_required"),
    ],
)
def test_date(value: str, expected: str) -> None:
    least, most = "2020-01-01 00:00:00.500Z", "2022-06-01T10:00:00+02:00"
    assert code(check("date", value, min=least, max=most)) == expected


def test_a_date_bound_is_printed_as_go_prints_times() -> None:
    assert check("date", "2019-01-01 00:00:00.000Z", min="2020-01-01 00:00:00.500Z") == {
        "code": "validation_min_greater_equal_than_required",
        "message": "Must be no less than 2020-01-01 00:00:00.5 +0000 UTC.",
        "params": {"threshold": "2020-01-01T00:00:00.5Z"},
    }
    late = check("date", "2021-01-01 00:00:00.000Z", max="2020-01-01 00:00:00.000Z")
    assert late is not None
    assert late["message"] == "Must be no greater than 2020-01-01 00:00:00 +0000 UTC."


def test_required_date() -> None:
    assert code(check("date", "", required=True)) == "validation_required"


@pytest.mark.parametrize(
    ("raw", "single", "several"),
    [
        ("a", "a", ["a"]),
        (["a", "b", "a"], "b", ["a", "b"]),  # a single value is the last one
        ('["a","b"]', "b", ["a", "b"]),
        ("", "", []),
        (None, "", []),
        (["", "b", ""], "b", ["b"]),
    ],
)
@pytest.mark.parametrize("type_", ["select", "relation", "file"])
def test_lists(type_: str, raw: Any, single: str, several: list[str]) -> None:
    assert cast(type_, raw) == single
    assert cast(type_, raw, maxSelect=1) == single
    assert cast(type_, raw, maxSelect=2) == several


@pytest.mark.parametrize(
    ("modifier", "current", "raw", "result"),
    [
        ("f+", ["a"], "b", ["a", "b"]),
        ("+f", ["a"], ["b", "c"], ["b", "c", "a"]),
        ("f+", ["a", "b"], ["a"], ["a", "b"]),
        ("+f", ["a", "b"], ["b"], ["b", "a"]),
        ("f-", ["a", "b", "c"], ["a", "c"], ["b"]),
        ("f-", ["a"], "zzz", ["a"]),
    ],
)
def test_list_modifiers(modifier: str, current: list[str], raw: Any, result: list[str]) -> None:
    assert listed.modify(field("select", maxSelect=5), modifier, current, raw) == result


@pytest.mark.parametrize(
    ("modifier", "raw", "result"),
    [("f+", "b", "b"), ("+f", "b", "a"), ("f-", "a", ""), ("f-", "b", "a")],
)
def test_modifiers_of_a_single_value_keep_the_last(modifier: str, raw: str, result: str) -> None:
    assert listed.modify(field("relation"), modifier, "a", raw) == result


@pytest.mark.parametrize(
    ("value", "options", "expected"),
    [
        ("", {}, ""),
        ([], {"maxSelect": 2, "required": True}, "validation_required"),
        ("x", {}, "validation_invalid_value"),
        (["a", "b"], {"maxSelect": 2}, ""),
        (["a", "b", "c"], {"maxSelect": 2}, "validation_too_many_values"),
        (["x", "y", "z"], {"maxSelect": 2}, "validation_too_many_values"),  # before the values
    ],
)
def test_select(value: Any, options: dict[str, Any], expected: str) -> None:
    assert code(check("select", value, values=["a", "b", "c"], **options)) == expected


def test_a_wrong_choice_is_named() -> None:
    assert check("select", "x", values=["a"]) == {
        "code": "validation_invalid_value",
        "message": "Invalid value x.",
        "params": {"value": "x"},
    }


@pytest.mark.parametrize(
    ("value", "missing", "options", "expected"),
    [
        ("", "", {}, ""),
        ("", "", {"required": True}, "validation_required"),
        ("id1", "", {}, ""),
        ("id1", "records", {}, "validation_missing_rel_records"),
        ("id1", "collection", {}, "validation_missing_rel_collection"),
        (["id1"], "records", {"maxSelect": 3, "minSelect": 2}, "validation_not_enough_values"),
        (["a", "b", "c", "d"], "records", {"maxSelect": 3}, "validation_too_many_values"),
        ([], "", {"maxSelect": 3, "minSelect": 2}, ""),  # nothing is always enough
    ],
)
def test_relation(value: Any, missing: str, options: dict[str, Any], expected: str) -> None:
    context = Context(missing_relations={"f": missing} if missing else {})
    assert code(check("relation", value, context, **options)) == expected


def upload(name: str, size_bytes: int = 1) -> NewFile:
    return NewFile(f"new_{name}", UploadedFile(name, "text/plain", b"x" * size_bytes))


@pytest.mark.parametrize(
    ("value", "options", "expected"),
    [
        ([], {"required": True}, "validation_required"),
        (["old.txt"], {}, ""),
        (["new_a.txt", "old.txt"], {}, ""),
        (["invented.txt"], {}, "validation_invalid_file"),
        (["invented.txt", "old.txt", "new_a.txt"], {}, "validation_invalid_file"),
        (["old.txt", "new_a.txt", "new_b.txt"], {}, "validation_too_many_files"),
        (["new_b.txt"], {"maxSize": 9}, "validation_file_size_limit"),
        (["new_a.txt"], {"maxSize": 9}, ""),
    ],
)
def test_file(value: Any, options: dict[str, Any], expected: str) -> None:
    context = Context(
        original={"f": ["old.txt"]}, new_files={"f": [upload("a.txt"), upload("b.txt", 10)]}
    )
    assert code(check("file", value, context, maxSelect=2, **options)) == expected


def test_invented_file_names_are_shown_up_to_a_length() -> None:
    assert check("file", ["a.txt", "b" * 300], maxSelect=2) == {
        "code": "validation_invalid_file",
        "message": f"Invalid new files: [a.txt {'b' * 250}].",
        "params": {"invalidFiles": ["a.txt", "b" * 250]},
    }


@pytest.mark.parametrize(
    ("name", "pattern"),
    [
        ("My Photo.JPG", "my_photo_{r}.JPG"),
        ("a.png", "a{r}_{r}.png"),  # a short name gets ten characters more
        ("backup.tar.gz", "backup_{r}.tar.gz"),
        ("HTMLFile test-1.txt", "htmlfile_test_1_{r}.txt"),
        ("fooBar", "foo_bar_{r}.txt"),  # without an extension it gets that of its content
        ("name.first.second", "name_{r}.first.second"),
        ("a long name..png", "a_long_name_{r}.png"),
        ("x" * 200 + ".txt", "x" * 100 + "_{r}.txt"),
        ("évil/../name.t(x)t", "vil_{r}.name.txt"),
    ],
)
def test_stored_file_names(name: str, pattern: str) -> None:
    made = file_names.stored_name(name)
    parts = pattern.split("{r}")
    assert made.startswith(parts[0])
    assert made.endswith(parts[-1])
    assert len(made) == len(pattern.replace("{r}", "r" * 10))


@pytest.mark.parametrize(
    ("raw", "point"),
    [
        ({"lon": 1, "lat": 2}, (1, 2)),
        ({"lon": 1, "lat": 2, "x": {}}, (1, 2)),
        ({"lat": 4}, (0, 4)),
        ({"lon": None, "lat": 4}, (0, 4)),
        ({"LAT": 3}, (0, 0)),
        ({"lon": 1, "lat": "x"}, (1, 0)),
        ({"lon": "1", "lat": 4}, (0, 0)),  # read up to the first part that is no number
        ({"lon": True, "lat": 4}, (0, 0)),
        ('{"lon":1.5,"lat":2}', (1.5, 2)),
        ('{"lon":1,"lat":4} x', (1, 4)),
        ('{"lon":1,"lon":3}', (1, 0)),
        ("abc", (0, 0)),
        ("[1,2]", (0, 0)),
        ([1, 2], (0, 0)),
        (None, (0, 0)),
        (5, (0, 0)),
    ],
)
def test_points(raw: Any, point: tuple[float, float]) -> None:
    assert cast("geoPoint", raw) == {"lon": point[0], "lat": point[1]}


@pytest.mark.parametrize(
    ("lon", "lat", "required", "expected"),
    [
        (0, 0, False, ""),
        (0, 0, True, "validation_required"),
        (0, 90, True, ""),
        (180, -90, False, ""),
        (181, 0, False, "validation_invalid_longitude"),
        (0, 90.1, False, "validation_invalid_latitude"),
        (181, 91, False, "validation_invalid_latitude"),
    ],
)
def test_point_bounds(lon: float, lat: float, required: bool, expected: str) -> None:
    assert code(check("geoPoint", {"lon": lon, "lat": lat}, required=required)) == expected


def test_there_is_one_module_for_each_type() -> None:
    for type_ in fields.TYPES:
        module = fields.of(type_)
        assert callable(module.check)
        assert callable(module.option_errors)
        assert type_ == "autodate" or callable(module.cast)
        assert type_ not in fields.MODIFIERS or callable(module.modify)


def test_an_unknown_type_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        fields.of("nope")
