"""Field lists: ids, the fields every collection has, storage keys."""

from typing import Any

import pytest

from chalicelib.domain import definition_fields
from chalicelib.domain.definition_shape import FormatError


def text(name: str, **options: Any) -> dict[str, Any]:
    return {"type": "text", "name": name, **options}


def ids_of(sent: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(each["name"], each["id"]) for each in definition_fields.read(sent)]


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        ([text("a")], [("a", "text3904355907")]),  # type and CRC-32 of the name
        ([{"type": "email", "name": "email"}], [("email", "email3885137012")]),
        ([text("a", id="q")], [("a", "q")]),
        ([text("a", id=""), text("b", id=None)],
         [("a", "text3904355907"), ("b", "text1908338681")]),
        ([text("a", id="text1908338681"), text("b")],
         [("a", "text1908338681"), ("b", "text19083386812")]),  # b's own id is taken
        ([text("a", id="q"), text("b", id="q")], [("b", "q")]),  # the later of one id
        ([text("a"), {"type": "number", "name": "a"}], [("a", "text3904355907")]),
    ],
)  # fmt: skip
def test_a_field_has_the_id_it_was_given_or_one_made_of_its_name(sent: Any, read: Any) -> None:
    assert ids_of(sent) == read


def test_options_not_sent_have_their_defaults_and_null_means_zero() -> None:
    (field,) = definition_fields.read([text("a", max=None, required=None, unknown=1, min=3)])
    assert field == {
        "id": "text3904355907", "name": "a", "type": "text", "system": False, "hidden": False,
        "presentable": False, "required": False, "help": "", "min": 3, "max": 0, "pattern": "",
        "autogeneratePattern": "", "primaryKey": False,
    }  # fmt: skip


def test_the_limits_of_a_date_are_kept_as_dates_are() -> None:
    (field,) = definition_fields.read(
        [{"type": "date", "name": "d", "min": "2020-01-02T03:04:05+02:00", "max": "soon"}]
    )
    assert (field["min"], field["max"]) == ("2020-01-02 01:04:05.000Z", "")


@pytest.mark.parametrize(
    "sent",
    [
        {},
        [None],
        [1],
        [{}],
        [{"name": "a"}],
        [{"type": "foo", "name": "a"}],
        [{"type": 5, "name": "a"}],
        [text("a", id=5)],
        [text("a", hidden=1)],
        [text("a", required="true")],
        [text("a", min="1")],
        [text("a", min=1.0)],
        [text("a", min=True)],
        [{"type": "select", "name": "a", "values": "x"}],
        [{"type": "select", "name": "a", "values": [1]}],
        [{"type": "number", "name": "a", "min": False}],
    ],
)
def test_a_value_of_the_wrong_type_is_refused(sent: Any) -> None:
    with pytest.raises(FormatError):
        definition_fields.read(sent)


def test_every_collection_has_an_id_field_first_unless_it_brings_its_own() -> None:
    entries = definition_fields.read([text("a")])
    definition_fields.add_own(entries, "base")
    assert [each["name"] for each in entries] == ["id", "a"]
    assert entries[0]["pattern"] == "^[a-z0-9]+$"
    assert (entries[0]["min"], entries[0]["max"]) == (15, 15)

    entries = definition_fields.read([text("a"), text("id", max=20, hidden=True)])
    definition_fields.add_own(entries, "base")
    assert [each["name"] for each in entries] == ["a", "id"]
    own = entries[1]
    assert (own["max"], own["pattern"], own["autogeneratePattern"]) == (20, "^[a-z0-9]+$", "")
    assert own["primaryKey"]
    assert own["required"]
    assert own["system"]
    assert not own["hidden"]


def test_an_auth_collection_has_its_five_fields() -> None:
    entries = definition_fields.read(
        [text("email"), text("a"), {"type": "password", "name": "password", "min": 3}]
    )
    definition_fields.add_own(entries, "auth")
    assert [(each["name"], each["type"]) for each in entries] == [
        ("id", "text"),
        ("email", "email"),  # in the place of the text field, with its id
        ("a", "text"),
        ("password", "password"),
        ("tokenKey", "text"),
        ("emailVisibility", "bool"),
        ("verified", "bool"),
    ]
    assert entries[1]["id"] == "text3885137012"
    password = entries[3]
    assert (password["min"], password["hidden"], password["required"], password["system"]) == (
        3, True, True, True,
    )  # fmt: skip


def keys_of(entries: list[dict[str, Any]]) -> dict[str, str]:
    return {each["name"]: each["key"] for each in entries}


def test_a_field_keeps_its_key_when_it_is_renamed() -> None:
    before = definition_fields.read([text("a"), text("b")])
    assert definition_fields.give_keys(before, [], []) == []
    after = definition_fields.read([text("c", id=before[0]["id"]), text("b")])
    assert definition_fields.give_keys(after, before, []) == []
    assert keys_of(after) == {"c": "a", "b": "b"}


def test_the_key_of_a_deleted_field_is_never_used_again() -> None:
    first = definition_fields.read([text("a"), text("b")])
    definition_fields.give_keys(first, [], [])
    second = definition_fields.read([text("b")])
    dropped = definition_fields.give_keys(second, first, [])
    assert dropped == ["a"]
    third = definition_fields.read([text("a"), text("b")])  # the same id as the first time
    dropped = definition_fields.give_keys(third, second, dropped)
    assert keys_of(third) == {"a": "a2", "b": "b"}
    fourth = definition_fields.read([])
    assert definition_fields.give_keys(fourth, third, dropped) == ["a", "a2", "b"]


def test_a_new_field_does_not_take_the_key_of_one_that_was_renamed_away() -> None:
    before = definition_fields.read([text("a")])
    definition_fields.give_keys(before, [], [])
    after = definition_fields.read([text("b", id=before[0]["id"]), text("a", id="new")])
    definition_fields.give_keys(after, before, [])
    assert keys_of(after) == {"b": "a", "a": "a2"}
