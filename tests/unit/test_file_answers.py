import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain import file_answers
from chalicelib.domain.file_answers import Range, RangeError

TAG = '"abc"'
CHANGED = "Mon, 23 Nov 2026 04:34:40 GMT"
BEFORE, AFTER = CHANGED.replace("40 GMT", "39 GMT"), CHANGED.replace("40 GMT", "41 GMT")


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"if-none-match": TAG}, 304),
        ({"if-none-match": f'"x" , W/{TAG}'}, 304),
        ({"if-none-match": "abc"}, 200),
        ({"if-none-match": '"x"', "if-modified-since": AFTER}, 200),  # the tag says more
        ({"if-match": TAG}, 200),
        ({"if-match": "*"}, 200),
        ({"if-match": f"W/{TAG}"}, 412),  # a weak tag proves nothing here
        ({"if-match": TAG, "if-unmodified-since": BEFORE}, 200),
        ({"if-modified-since": CHANGED}, 304),
        ({"if-modified-since": BEFORE}, 200),
        ({"if-modified-since": "yesterday"}, 200),
        ({"if-modified-since": ""}, 200),
        ({"if-unmodified-since": CHANGED}, 200),
        ({"if-unmodified-since": BEFORE}, 412),
    ],
)
def test_conditions(headers: dict[str, str], status: int) -> None:
    assert file_answers.status_of(headers, TAG, CHANGED) == status


@pytest.mark.parametrize(
    ("known", "is_whole"),
    [(TAG, False), ('"x"', True), (CHANGED, False), (BEFORE, True), (AFTER, False), ("x", True)],
)
def test_a_range_of_another_version_is_the_whole(known: str, is_whole: bool) -> None:
    headers = {"range": "bytes=0-1", "if-range": known}
    assert (file_answers.ranges(headers, TAG, CHANGED, 10) == []) == is_whole


@given(st.text(alphabet="0123456789-, bytes=x", max_size=30), st.integers(0, 50))
def test_any_range_is_inside_the_file_or_refused(text: str, size: int) -> None:
    try:
        found = file_answers.ranges({"range": text}, TAG, CHANGED, size)
    except RangeError:
        return
    assert all(part.start >= 0 and part.start + part.length <= size for part in found)
    assert sum(part.length for part in found) <= size


@given(st.integers(1, 100), st.data())
def test_a_range_is_the_bytes_it_names(size: int, data: st.DataObject) -> None:
    first = data.draw(st.integers(0, size - 1))
    last = data.draw(st.integers(first, size + 10))
    found = file_answers.ranges({"range": f"bytes={first}-{last}"}, TAG, CHANGED, size)
    assert found == [Range(first, min(last, size - 1) - first + 1)]


@pytest.mark.parametrize(
    ("content_type", "name", "download", "expected"),
    [
        ("image/png", "a.png", "", "inline"),
        ("image/png", "a.png", "1", "attachment"),
        ("image/png", "a.svg", "", "attachment"),
        ("application/pdf", "a.js", "", "attachment"),
        ("image/svg+xml", "a.svg", "", "attachment"),
        ("text/html; charset=utf-8", "a.png", "", "attachment"),
        ("application/octet-stream", "a", "", "attachment"),
    ],
)
def test_only_harmless_types_are_shown(
    content_type: str, name: str, download: str, expected: str
) -> None:
    served = file_answers.served_type(content_type, name)
    shown = file_answers.disposition(served, name, download)
    assert shown == f'{expected}; filename="{name}"'
