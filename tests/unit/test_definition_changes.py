"""Changes of the collections: the errors and results that PocketBase 0.40.6 was seen to give."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from chalicelib.domain import definition, definition_changes, system_collections
from chalicelib.domain.collection import Collection
from chalicelib.domain.indexes import read
from chalicelib.errors import BadRequestError

NOW = "2026-01-02 03:04:05.678Z"
LATER = "2026-01-02 03:04:06.000Z"
USERS = "_pb_users_auth_"

Definitions = dict[str, dict[str, Any]]
BLANK = {"code": "validation_required", "message": "Cannot be blank."}


def text(name: str, **options: Any) -> dict[str, Any]:
    return {"type": "text", "name": name, **options}


@pytest.fixture
def there() -> Definitions:
    """The collections of a new deployment."""
    return {
        each["id"]: each for each in system_collections.all_of(datetime(2026, 1, 2, tzinfo=UTC))
    }


def create(there: Definitions, **body: Any) -> dict[str, Any]:
    made = definition_changes.created(body, there, NOW)
    there[made["id"]] = made
    return made


def update(there: Definitions, ref: str, **body: Any) -> dict[str, Any]:
    before = next(each for each in there.values() if ref in (each["id"], each["name"]))
    made = definition_changes.updated(body, before, there, LATER)
    there[made["id"]] = made
    return made


def refusal(there: Definitions, **body: Any) -> tuple[str, Any]:
    with pytest.raises(BadRequestError) as caught:
        create(there, **body)
    return str(caught.value), caught.value.data


def codes(errors: Any) -> Any:
    """Return nested errors with each error as its code."""
    if isinstance(errors.get("code"), str):
        return errors["code"]
    return {name: codes(error) for name, error in errors.items()}


def test_a_name_is_enough(there: Definitions) -> None:
    made = create(there, name="tags")
    assert definition.export(made) == {
        "id": "pbc_1219621782", "name": "tags", "type": "base", "system": False,
        "listRule": None, "viewRule": None, "createRule": None, "updateRule": None,
        "deleteRule": None, "indexes": [], "created": NOW, "updated": NOW,
        "fields": [{
            "autogeneratePattern": "[a-z0-9]{15}", "help": "", "hidden": False,
            "id": "text3208210256", "max": 15, "min": 15, "name": "id", "pattern": "^[a-z0-9]+$",
            "presentable": False, "primaryKey": True, "required": True, "system": True,
            "type": "text",
        }],
    }  # fmt: skip


def test_an_id_follows_from_type_and_name_and_survives_a_rename(there: Definitions) -> None:
    first = create(there, name="gen")
    assert update(there, "gen", name="gen9")["id"] == first["id"]
    assert create(there, name="gen")["id"] == first["id"] + "2"


@pytest.mark.parametrize(
    ("body", "errors"),
    [
        ({}, {"name": "validation_required"}),
        ({"name": "a b"}, {"name": "validation_match_invalid"}),
        ({"name": "é"}, {"name": "validation_match_invalid"}),
        ({"name": "x" * 256}, {"name": "validation_length_out_of_range"}),
        ({"name": "USERS"}, {"name": "validation_collection_name_exists"}),
        ({"name": "a_VIA_b"}, {"name": "validation_found_via"}),
        ({"name": USERS}, {"name": "validation_collection_name_id_duplicate"}),
        ({"name": "_PARAMS"}, {"name": "validation_collection_name_invalid"}),
        ({"name": "a", "type": "foo", "fields": [text("b")]},
         {"type": "validation_in_invalid", "fields": "validation_missing_primary_key"}),
        ({"name": "t", "type": "foo"}, {"type": "validation_in_invalid"}),
        ({"name": "t", "type": "view"}, {"type": "validation_view_collections_not_supported"}),
        ({"name": "t", "id": "a b"}, {"id": "validation_match_invalid"}),
        ({"name": "t", "id": "x" * 101}, {"id": "validation_length_out_of_range"}),
        ({"name": "t", "id": USERS}, {"id": "validation_invalid_or_existing_id"}),
    ],
)  # fmt: skip
def test_names_ids_and_types_are_checked(there: Definitions, body: Any, errors: Any) -> None:
    message, data = refusal(there, **body)
    assert (message, codes(data)) == ("Failed to create collection.", errors)


def test_a_name_of_sqlite_is_refused_without_a_field(there: Definitions) -> None:
    message, data = refusal(there, name="sqlite_x")
    assert message.startswith("Failed to create collection. Raw error: ")
    assert data == {}


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"name": 123}, definition_changes.BAD_TYPE),
        ({"name": "t", "type": 5}, definition_changes.BAD_TYPE),
        ({"name": "t", "system": "x"}, definition_changes.BAD_FORMAT),
        ({"name": "t", "listRule": 5}, definition_changes.BAD_FORMAT),
        ({"name": "t", "fields": {}}, definition_changes.BAD_FORMAT),
        ({"name": "t", "indexes": [5]}, definition_changes.BAD_FORMAT),
        ({"name": "t", "manageRule": 5}, definition_changes.BAD_FORMAT),  # even of a base one
        ({"name": "t", "type": "auth", "authToken": []}, definition_changes.BAD_FORMAT),
        ({"name": "t", "type": "auth", "otp": {"length": "x"}}, definition_changes.BAD_FORMAT),
        (
            {"name": "t", "type": "auth", "oauth2": {"providers": [5]}},
            definition_changes.BAD_FORMAT,
        ),
    ],
)
def test_a_value_of_the_wrong_json_type_is_refused_at_once(
    there: Definitions, body: Any, message: str
) -> None:
    assert refusal(there, **body) == (message, {})


NAMES = ["null", "TRUE", "_rowid_", "collectionId", "a_via_b", "1a", "é", "Expand", "", "x" * 101]


@pytest.mark.parametrize(
    ("fields", "errors"),
    [
        ([text(name) for name in NAMES], {
            "1": {"name": "validation_not_in_invalid"},
            "3": {"name": "validation_not_in_invalid"},
            "4": {"name": "validation_not_in_invalid"},
            "5": {"name": "validation_found_via"},
            "7": {"name": "validation_match_invalid"},
            "9": {"name": "validation_required"},
            "10": {"name": "validation_length_out_of_range"},
        }),
        ([text("a"), text("A")], {"2": {"name": "validation_duplicated_field_name"}}),
        ([{"type": "number", "name": "id"}], {"1": {"name": "validation_duplicated_field_name"}}),
        ([text("x", primaryKey=True)], {
            "0": {"primaryKey": "validation_unsupported_composite_pk"},
            "1": {"name": "validation_in_invalid", "pattern": "validation_required",
                  "primaryKey": "validation_unsupported_composite_pk",
                  "required": "validation_required"},
        }),
        ([text("a", id="x" * 101), text("b", help="x" * 301)], {
            "1": {"id": "validation_length_out_of_range"},
            "2": {"help": "validation_length_out_of_range"},
        }),
        ([{"type": "relation", "name": "r"},
          {"type": "relation", "name": "s", "collectionId": "users"}], {
            "1": {"collectionId": "validation_required"},
            "2": {"collectionId": "validation_field_relation_missing_collection"},
        }),
        ([{"type": "autodate", "name": "a"}], {
            "1": {"onCreate": "validation_required", "onUpdate": "validation_required"}}),
        ([text("id2", id="text3208210256")], "validation_missing_primary_key"),
    ],
)  # fmt: skip
def test_fields_are_checked(there: Definitions, fields: Any, errors: Any) -> None:
    _, data = refusal(there, name="t", fields=fields)
    assert codes(data) == {"fields": errors}


def test_a_reserved_name_of_an_auth_collection_is_reported_alone(there: Definitions) -> None:
    fields = [text("passwordConfirm"), text("oldPassword"), text("null")]
    _, data = refusal(there, name="t", type="auth", fields=fields)
    assert codes(data) == {"fields": {"1": {"name": "validation_reserved_field_name"}}}


@pytest.mark.parametrize(
    ("indexes", "errors"),
    [
        (["foo", "bar"], {"0": "validation_invalid_index_expression"}),  # the first alone
        ([None], {"0": "validation_invalid_index_expression"}),
        (["CREATE INDEX i ON t (a)", "CREATE INDEX I ON t (b)"],
         {"1": "validation_duplicated_index_name"}),
        (["CREATE INDEX i ON t (a)", "CREATE INDEX j ON x ( `a` )"],
         {"1": "validation_duplicated_index_definition"}),
        (["CREATE INDEX IDX_MFAS_COLLECTIONREF_RECORDREF ON t (a)"],
         {"0": "validation_existing_index_name"}),
        (["CREATE INDEX i ON t (a)", "CREATE INDEX j ON t (c)", "CREATE INDEX k ON t (d)"],
         {"1": "validation_invalid_index_expression", "2": "validation_invalid_index_expression"}),
        (["CREATE INDEX users ON t (a)"], {"0": "validation_invalid_index_expression"}),
        (["CREATE INDEX sqlite_x ON t (a)"], {"0": "validation_invalid_index_expression"}),
        ([f"CREATE INDEX i{n} ON t (a) WHERE a > {n}" for n in range(9)],
         {"8": "validation_invalid_index_expression"}),  # the ninth slot
    ],
)  # fmt: skip
def test_indexes_are_checked(there: Definitions, indexes: Any, errors: Any) -> None:
    _, data = refusal(there, name="t", fields=[text("a"), text("b")], indexes=indexes)
    assert codes(data) == {"indexes": errors}


def test_unique_indexes_take_no_slot(there: Definitions) -> None:
    texts = [f"CREATE UNIQUE INDEX u{n} ON t (a) WHERE a > {n}" for n in range(12)]
    made = create(there, name="t", fields=[text("a")], indexes=texts)
    assert {state["slot"] for state in made["indexStates"].values()} == {None}


@pytest.mark.parametrize(
    ("options", "errors"),
    [
        ({"manageRule": ""}, {"manageRule": "validation_nil_or_not_empty_required"}),
        ({"passwordAuth": {"identityFields": []}},
         {"passwordAuth": {"identityFields": "validation_required"}}),
        ({"passwordAuth": {"identityFields": ["nope"]}},
         {"passwordAuth": {"identityFields": "validation_missing_field"}}),
        ({"passwordAuth": {"identityFields": ["verified"]}},
         {"passwordAuth": {"identityFields": "validation_missing_unique_constraint"}}),
        ({"mfa": {"enabled": True}}, {"mfa": {"enabled": "validation_mfa_not_enough_auths"}}),
        ({"mfa": {"enabled": True, "duration": 1}},
         {"mfa": {"duration": "validation_min_greater_equal_than_required"}}),
        ({"otp": {"enabled": True, "duration": 100000, "length": 2}},
         {"otp": {"duration": "validation_max_less_equal_than_required",
                  "length": "validation_min_greater_equal_than_required"}}),
        ({"otp": {"emailTemplate": {"subject": "", "body": "x"}}},
         {"otp": {"emailTemplate": {"subject": "validation_required"}}}),
        ({"fileToken": {"duration": 1, "secret": "x"}},
         {"fileToken": {"duration": "validation_min_greater_equal_than_required",
                        "secret": "validation_length_out_of_range"}}),
        ({"authToken": {"duration": None, "secret": ""}},
         {"authToken": {"duration": "validation_required", "secret": "validation_required"}}),
        ({"resetPasswordTemplate": None},
         {"resetPasswordTemplate": {"subject": "validation_required",
                                    "body": "validation_required"}}),
        ({"oauth2": {"enabled": True, "providers": [{}, {"name": "nope", "clientId": "a"}]}},
         {"oauth2": {"providers": {
             "0": {"name": "validation_required", "clientId": "validation_required",
                   "clientSecret": "validation_required"},
             "1": {"name": "validation_missing_provider",
                   "clientSecret": "validation_required"}}}}),
        ({"oauth2": {"enabled": True, "providers": [
            {"name": "oidc", "clientId": "a", "clientSecret": "b", "authURL": "x"},
            {"name": "oidc", "clientId": "a", "clientSecret": "b"}]}},
         {"oauth2": {"providers": {"0": {"authURL": "validation_is_url"},
                                   "1": {"name": "validation_duplicated_provider"}}}}),
    ],
)  # fmt: skip
def test_auth_options_are_checked(there: Definitions, options: Any, errors: Any) -> None:
    _, data = refusal(there, name="t", type="auth", **options)
    assert codes(data) == errors


def test_switched_off_options_are_not_checked(there: Definitions) -> None:
    create(
        there, name="t", type="auth",
        mfa={"duration": 1, "rule": "nonsense"}, otp={"duration": 1, "length": 1},
        oauth2={"providers": [{"name": "nope"}]},
        passwordAuth={"enabled": False, "identityFields": []},
    )  # fmt: skip


def test_secrets_are_random_stored_and_never_shown(there: Definitions) -> None:
    provider = {"name": "google", "clientId": "id", "clientSecret": "5ecret"}
    made = create(there, name="t", type="auth", oauth2={"enabled": True, "providers": [provider]})
    secrets = [made[name]["secret"] for name in ("authToken", "fileToken", "verificationToken")]
    assert [len(each) for each in secrets] == [50, 50, 50]
    assert len(set(secrets)) == 3
    shown = json.dumps(definition.export(made))
    assert "5ecret" not in shown
    assert 'ecret"' not in shown
    assert not any(each in shown for each in secrets)
    assert made["storage"] not in shown


def test_options_that_are_not_sent_stay(there: Definitions) -> None:
    provider = {"name": "google", "clientId": "id", "clientSecret": "5ecret", "displayName": "G"}
    before = create(there, name="t", type="auth", oauth2={"enabled": True, "providers": [provider]})
    made = update(
        there, "t", authToken={"duration": 100},
        oauth2={"providers": [{"name": "google", "clientId": "other"}]},
    )  # fmt: skip
    assert made["authToken"] == {"duration": 100, "secret": before["authToken"]["secret"]}
    (kept,) = made["oauth2"]["providers"]
    assert (kept["clientId"], kept["clientSecret"], kept["displayName"]) == ("other", "5ecret", "G")
    assert made["oauth2"]["enabled"]


def test_a_new_auth_rule_ends_all_sessions(there: Definitions) -> None:
    before = create(there, name="t", type="auth")
    same = update(there, "t", listRule="")
    assert same["authToken"] == before["authToken"]
    changed = update(there, "t", authRule=None)
    assert changed["authToken"]["secret"] != before["authToken"]["secret"]
    assert changed["fileToken"] == before["fileToken"]


def test_mapped_fields_that_are_missing_are_blanked(there: Definitions) -> None:
    mapped = {"id": "nope", "name": "u", "username": "verified"}
    made = create(there, name="t", type="auth", fields=[text("u")], oauth2={"mappedFields": mapped})
    assert made["oauth2"]["mappedFields"] == {
        "id": "", "name": "u", "username": "verified", "avatarURL": "",
    }  # fmt: skip


def test_superusers_always_have_passwords_and_never_oauth2(there: Definitions) -> None:
    made = update(
        there, "_superusers", passwordAuth={"enabled": False}, otp={"enabled": True},
        oauth2={"enabled": True, "providers": [{"name": "nope"}]},
    )  # fmt: skip
    assert made["passwordAuth"]["enabled"]
    assert made["mfa"]["enabled"]  # since OTP is
    assert made["oauth2"] == there["pbc_3142635823"]["oauth2"]
    assert not made["oauth2"]["enabled"]


@pytest.mark.parametrize(
    ("ref", "body", "errors"),
    [
        ("users", {"id": "other"}, {}),  # a raw error, as PocketBase's
        ("users", {"type": "foo"}, {"type": "validation_in_invalid"}),
        ("users", {"system": True}, {"system": "validation_collection_system_flag_change"}),
        ("_mfas", {"name": "mfas"}, {"name": "validation_collection_system_name_change"}),
        ("_mfas", {"createRule": ""}, {"createRule": "validation_collection_system_rule_change"}),
        ("_superusers", {"authRule": None},
         {"authRule": "validation_collection_system_rule_change"}),
        ("_superusers", {"fields": []}, {"fields": "validation_system_field_change"}),
        ("_authOrigins", {"indexes": []},
         {"indexes": "validation_invalid_unique_system_field_index"}),
        ("users", {"fields": [{"type": "number", "name": "name", "id": "text1579384326"}]},
         {"fields": {"1": "validation_field_type_change"}}),
    ],
)  # fmt: skip
def test_what_must_not_change_does_not(
    there: Definitions, ref: str, body: Any, errors: Any
) -> None:
    with pytest.raises(BadRequestError, match="Failed to update collection") as caught:
        update(there, ref, **body)
    assert codes(caught.value.data) == errors


def test_a_type_cannot_change(there: Definitions) -> None:
    create(there, name="t")
    with pytest.raises(BadRequestError) as caught:
        update(there, "t", type="auth")
    errors = codes(caught.value.data)
    assert errors["type"] == "validation_collection_type_change"
    assert errors["authToken"]["secret"] == "validation_required"


def test_a_relation_keeps_its_target_and_may_point_to_its_own_collection_later(
    there: Definitions,
) -> None:
    made = create(
        there, name="t", fields=[{"type": "relation", "name": "r", "collectionId": USERS}]
    )
    with pytest.raises(BadRequestError) as caught:
        update(there, "t", fields=[made["fields"][1] | {"collectionId": made["id"]}])
    assert codes(caught.value.data) == {
        "fields": {"1": {"collectionId": "validation_field_relation_change"}}
    }
    own = {"type": "relation", "name": "own", "collectionId": made["id"]}
    made = update(there, "t", fields=[made["fields"][1], own])
    assert [each["name"] for each in made["fields"]] == ["id", "r", "own"]


def test_a_patch_changes_what_it_names_and_the_time(there: Definitions) -> None:
    before = create(there, name="t", fields=[text("a")], listRule="")
    made = update(there, "t", viewRule="", created="1999-01-01", updated="x")
    assert made == before | {"viewRule": "", "updated": LATER}


def test_a_rename_of_the_collection_rewrites_its_indexes(there: Definitions) -> None:
    create(there, name="t", fields=[text("a")], indexes=["CREATE INDEX i ON t (a)"])
    assert update(there, "t", name="T2")["indexes"] == ["CREATE INDEX `i` ON `T2` (`a`)"]


def test_an_index_of_a_field_that_goes_is_refused(there: Definitions) -> None:
    create(there, name="t", fields=[text("a")], indexes=["CREATE INDEX i ON t (a)"])
    with pytest.raises(BadRequestError) as caught:
        update(there, "t", fields=[])
    assert codes(caught.value.data) == {"indexes": {"0": "validation_invalid_index_expression"}}


def test_a_stored_definition_can_be_read(there: Definitions) -> None:
    for each in there.values():
        collection = Collection(each, read(each))
        assert all(index.is_ready for index in collection.indexes)
    users = Collection(there[USERS], read(there[USERS]))
    assert users.unique_index_on("email") is not None
    assert users.field["avatar"].key == "avatar"


def test_only_an_unreferenced_collection_that_is_not_a_system_one_is_deleted(
    there: Definitions,
) -> None:
    made = create(
        there, name="t", fields=[{"type": "relation", "name": "r", "collectionId": USERS}]
    )
    update(there, "t", fields=[{"type": "relation", "name": "own", "collectionId": made["id"]}])
    definition_changes.refuse_delete(there[made["id"]], there)
    definition_changes.refuse_delete(there[USERS], there)
    create(there, name="u", fields=[{"type": "relation", "name": "r", "collectionId": made["id"]}])
    message = r"Failed to delete collection probably due to existing reference in u$"
    with pytest.raises(BadRequestError, match=message):
        definition_changes.refuse_delete(there[made["id"]], there)
    with pytest.raises(BadRequestError, match=r"Failed to delete collection$"):
        definition_changes.refuse_delete(there["pbc_2279338944"], there)
