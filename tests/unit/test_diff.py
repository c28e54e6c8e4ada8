"""Differences between two JSON values."""

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.functions.diff import MAX_DEPTH, MAX_ENTRIES, diff

CASES: list[tuple[Any, Any, list[dict[str, Any]]]] = [
    (1, 1, []),
    (1, 2, [{"path": "$", "before": 1, "after": 2}]),
    (None, 0, [{"path": "$", "before": None, "after": 0}]),
    (True, 1, [{"path": "$", "before": True, "after": 1}]),
    (1, 1.0, []),
    (
        {"a": [{"b": 1}]},
        {"a": [{"b": 2}]},
        [{"path": "$.a[0].b", "before": 1, "after": 2}],
    ),
    ({"a": 1}, {}, [{"path": "$.a", "before": 1}]),
    ({}, {"a": None}, [{"path": "$.a", "after": None}]),
    (
        [1, 2, 3],
        [1, 3],
        [{"path": "$[1]", "before": 2, "after": 3}, {"path": "$[2]", "before": 3}],
    ),
    ({"a": []}, {"a": {}}, [{"path": "$.a", "before": [], "after": {}}]),
    ({"a b": 1}, {"a b": 2}, [{"path": "$['a b']", "before": 1, "after": 2}]),
    ({"it's": 1}, {}, [{"path": "$['it\\'s']", "before": 1}]),
    ({"": 1}, {}, [{"path": "$['']", "before": 1}]),
]


@pytest.mark.parametrize(("before", "after", "expected"), CASES)
def test_what_differs(before: Any, after: Any, expected: list[dict[str, Any]]) -> None:
    assert diff(before, after) == expected


def test_a_long_list_of_differences_is_cut_and_counted() -> None:
    found = diff(list(range(250)), [])
    assert len(found) == MAX_ENTRIES + 1
    assert found[-1] == {"more": 250 - MAX_ENTRIES}
    assert len(diff(list(range(MAX_ENTRIES)), [])) == MAX_ENTRIES


def test_what_is_very_deep_is_compared_whole() -> None:
    before: Any = 1
    after: Any = 2
    for _ in range(MAX_DEPTH + 5):
        before, after = [before], [after]
    (entry,) = diff(before, after)
    assert entry["path"] == "$" + "[0]" * MAX_DEPTH


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("ab'", max_size=2), inner),
    max_leaves=12,
)


@given(json_values, json_values)
def test_there_is_a_difference_exactly_between_different_values(before: Any, after: Any) -> None:
    assert (diff(before, after) == []) == (json.dumps(before, sort_keys=True) ==
                                           json.dumps(after, sort_keys=True))  # fmt: skip


@given(json_values, json_values)
def test_backwards_the_sides_are_swapped(before: Any, after: Any) -> None:
    swapped = {"before": "after", "after": "before", "path": "path"}
    backwards = [{swapped[name]: value for name, value in entry.items()}
                 for entry in diff(after, before)]  # fmt: skip
    assert sorted(map(json.dumps, map(_sorted, backwards))) == sorted(
        map(json.dumps, map(_sorted, diff(before, after)))
    )


def _sorted(entry: dict[str, Any]) -> dict[str, Any]:
    return dict(sorted(entry.items()))


@given(json_values)
def test_a_value_does_not_differ_from_itself(value: Any) -> None:
    assert diff(value, copy.deepcopy(value)) == []
