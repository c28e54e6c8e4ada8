"""The byte order of index values is the order of the values."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain import index_values
from chalicelib.domain.collection import Collection, Index, IndexColumn


def collection(*fields: tuple[str, str]) -> Collection:
    entries = [{"id": name, "name": name, "type": type_} for name, type_ in fields]
    return Collection({"id": "c", "name": "c", "type": "base", "storage": "s", "fields": entries})


POSTS = collection(("id", "text"), ("title", "text"), ("views", "number"), ("done", "bool"))


def index(*columns: str, collate: str = "", unique: bool = False) -> Index:
    parts = tuple(IndexColumn(name, collate, descending=False) for name in columns)
    return Index("ix", unique, parts, "", "", None if unique else 1, is_ready=True)


def entry(record: dict[str, object], *columns: str) -> bytes:
    value = index_values.slot_value(index(*columns), POSTS, {"id": "r", **record})
    assert value is not None
    return value.encode()


@given(st.floats(allow_nan=False), st.floats(allow_nan=False))
def test_numbers_keep_their_order(one: float, other: float) -> None:
    assert (entry({"views": one}, "views") < entry({"views": other}, "views")) is (one < other)


@given(st.text(max_size=20), st.text(max_size=20))
def test_texts_keep_their_byte_order(one: str, other: str) -> None:
    ordered = one.encode("utf-8", "surrogatepass") < other.encode("utf-8", "surrogatepass")
    assert (entry({"title": one}, "title") < entry({"title": other}, "title")) is ordered


TITLE_AND_VIEWS = st.tuples(st.text(max_size=6), st.integers(-9, 9))


@given(TITLE_AND_VIEWS, TITLE_AND_VIEWS)
def test_the_second_column_decides_only_between_equal_first_ones(
    one: tuple[str, int], other: tuple[str, int]
) -> None:
    first, second = (
        entry({"title": title, "views": views}, "title", "views") for title, views in (one, other)
    )
    assert (first < second) is ((one[0].encode(), one[1]) < (other[0].encode(), other[1]))


def test_zero_has_one_sign() -> None:
    assert entry({"views": -0.0}, "views") == entry({"views": 0}, "views")


def test_nocase_folds_ascii_letters_only() -> None:
    folded = index_values.slot_value(
        index("title", collate="NOCASE"), POSTS, {"id": "r", "title": "AÜ"}
    )
    assert folded == "aÜ\0r"


def test_an_entry_longer_than_a_sort_key_is_refused() -> None:
    with pytest.raises(index_values.IndexValueTooLongError):
        index_values.slot_value(index("title"), POSTS, {"id": "r", "title": "x" * 1100})


def test_a_long_unique_value_is_guarded_by_its_digest() -> None:
    one, other = (
        index_values.unique_value(index("title", unique=True), POSTS, {"id": "r", "title": text})
        for text in ("x" * 1000, "x" * 999 + "y")
    )
    assert one is not None
    assert one.startswith("sha256:")
    assert one != other


def test_equal_values_of_different_columns_do_not_collide() -> None:
    one = index_values.unique_value(index("title", "id"), POSTS, {"id": "b", "title": "a\0"})
    other = index_values.unique_value(index("title", "id"), POSTS, {"id": "\0b", "title": "a"})
    assert one != other


def test_bounds_longer_than_a_key_are_cut_and_only_widen() -> None:
    low, high = index_values.as_keys("é" * 700, "é" * 700 + index_values.HIGHEST)
    assert low <= "é" * 700 <= high
    assert high.startswith("é" * 500)
    assert max(len(low.encode()), len(high.encode())) <= index_values.MAX_ENTRY_BYTES
    assert index_values.as_keys("a", "") == ("a", "")
