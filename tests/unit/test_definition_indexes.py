"""Slots and states of indexes through changes of a definition."""

from typing import Any

from chalicelib.domain import definition, definition_indexes

NOW = "2026-01-02 03:04:05.678Z"
A = "CREATE INDEX ia ON t (a)"
B = "CREATE INDEX ib ON t (b)"
U = "CREATE UNIQUE INDEX iu ON t (a, b)"


def made(body: dict[str, Any], before: dict[str, Any] | None = None) -> dict[str, Any]:
    """Return a definition with its states: new ones "ready" at first, "building" later."""
    if before is None:
        found = definition.create({"name": "t", **body}, (), NOW)
    else:
        found = definition.update(body, before, NOW)
    state = definition_indexes.READY if before is None else definition_indexes.BUILDING
    found["indexStates"] = definition_indexes.states(found, before, state)
    return found


def fields(*names: str) -> list[dict[str, Any]]:
    return [{"type": "text", "name": name} for name in names]


def summary(found: dict[str, Any]) -> dict[str, tuple[int | None, str]]:
    return {name: (each["slot"], each["state"]) for name, each in found["indexStates"].items()}


def test_new_indexes_take_the_free_slots_and_are_filled_first() -> None:
    first = made({"fields": fields("a", "b"), "indexes": [A, U]})
    assert summary(first) == {"ia": (1, "ready"), "iu": (None, "ready")}
    second = made({"indexes": [B, A, U]}, first)
    assert summary(second) == {"ia": (1, "ready"), "ib": (2, "building"), "iu": (None, "ready")}
    assert definition_indexes.building(second) == ["ib"]
    third = made({"indexes": [B]}, second)
    assert summary(third) == {"ib": (2, "building")}
    assert summary(made({"indexes": [A, B]}, third)) == {
        "ia": (1, "building"),
        "ib": (2, "building"),
    }


def test_renaming_the_collection_or_a_field_does_not_touch_an_index() -> None:
    first = made({"fields": fields("a", "b"), "indexes": [A]})
    renamed = [first["fields"][1] | {"name": "title"}, first["fields"][2]]
    body = {"name": "t2", "fields": renamed, "indexes": ["CREATE INDEX ia ON t2 (title ASC)"]}
    assert summary(made(body, first)) == {"ia": (1, "ready")}


def test_an_index_that_means_something_else_is_filled_anew() -> None:
    first = made({"fields": fields("a", "b"), "indexes": [A]})
    for sql in (
        "CREATE INDEX ia ON t (b)",
        "CREATE INDEX ia ON t (a, b)",
        "CREATE INDEX ia ON t (a DESC)",
        "CREATE INDEX ia ON t (a COLLATE NOCASE)",
        "CREATE INDEX ia ON t (a) WHERE b != ''",
        "CREATE UNIQUE INDEX ia ON t (a)",
    ):
        assert summary(made({"indexes": [sql]}, first))["ia"][1] == "building", sql


def test_a_field_made_anew_under_its_name_has_its_index_filled_anew() -> None:
    first = made({"fields": fields("a"), "indexes": [A]})
    second = made({"fields": [], "indexes": []}, first)
    third = made({"fields": fields("a"), "indexes": [A]}, second)
    assert summary(third) == {"ia": (1, "building")}


def test_a_single_value_that_becomes_a_list_has_its_index_filled_anew() -> None:
    select = {"type": "select", "name": "a", "values": ["x", "y"]}
    first = made({"fields": [select], "indexes": [A]})
    second = made({"fields": [select | {"maxSelect": 2}]}, first)
    assert summary(second) == {"ia": (1, "building")}


def test_each_building_is_told_from_an_earlier_one_of_its_name() -> None:
    first = made({"fields": fields("a")})
    builds = {made({"indexes": [A]}, first)["indexStates"]["ia"]["build"] for _ in range(3)}
    assert len(builds) == 3


def test_an_index_can_be_taken_out() -> None:
    first = made({"fields": fields("a", "b"), "indexes": [A, B]})
    left = definition_indexes.without(first, ["ia"])
    assert left["indexes"] == ["CREATE INDEX ib ON t (b)"]
    assert summary(left) == {"ib": (2, "ready")}


def test_unique_indexes_that_are_gone_are_remembered_until_they_are_back() -> None:
    first = made({"fields": fields("a", "b"), "indexes": [A, U]})
    assert definition_indexes.former_uniques(first, None) == []
    second = made({"indexes": [A]}, first)
    second["formerUniques"] = definition_indexes.former_uniques(second, first)
    assert second["formerUniques"] == ["iu"]
    third = made({"name": "other"}, second)
    assert definition_indexes.former_uniques(third, second) == ["iu"]
    assert definition_indexes.former_uniques(made({"indexes": [U]}, third), third) == []
