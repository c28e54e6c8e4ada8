"""What docs/compatibility.md says differs, where no scenario beside PocketBase can show it."""

from tests.integration.auth_client import Client
from tests.integration.file_client import Files, stored_objects, upload

USERS = "/api/collections/users"


def test_the_index_on_the_token_key_is_not_enforced(clean_table: str) -> None:
    """Row `token-key-index`: PocketBase answers the second one with validation_not_unique."""
    client = Client()
    key = "k" * 40
    for name in ("ann", "bob"):
        client.account(USERS, f"{name}@example.com", tokenKey=key)
    assert client.as_root("GET", USERS + "/records")["totalItems"] == 2


def test_ids_differ_by_case(clean_table: str) -> None:
    """Row `id-case`: PocketBase answers the second one with validation_pk_invalid."""
    client = Client()
    id_field = {"name": "id", "type": "text", "primaryKey": True, "required": True, "system": True,
                "pattern": "^[a-zA-Z]+$", "min": 1, "max": 9}  # fmt: skip
    definition = {"name": "named", "type": "base", "fields": [id_field]}
    client.as_root("POST", "/api/collections", definition)
    for record_id in ("Taken", "taken"):
        client.as_root("POST", "/api/collections/named/records", {"id": record_id})
    assert client.as_root("GET", "/api/collections/named/records")["totalItems"] == 2


def test_the_mails_are_our_own_words_with_pocketbases_placeholders(clean_table: str) -> None:
    """Row `mail-texts`: the texts differ, what they are filled with does not."""
    users = Client().as_root("GET", USERS)
    for name, link in (
        ("verificationTemplate", "/_/#/auth/confirm-verification/{TOKEN}"),
        ("resetPasswordTemplate", "/_/#/auth/confirm-password-reset/{TOKEN}"),
        ("confirmEmailChangeTemplate", "/_/#/auth/confirm-email-change/{TOKEN}"),
    ):
        assert "{APP_URL}" + link in users[name]["body"]
        assert "{APP_NAME}" in users[name]["subject"] + users[name]["body"]


def test_the_file_of_a_dropped_field_stays_in_the_bucket(clean_table: str) -> None:
    """Row `file-dropped-field`: PocketBase removes it with the record."""
    client = Client()
    files = Files(client)
    made = files.collection("kept", {"name": "f", "type": "file"})
    record = files.create("kept", upload("a.txt", "words"))
    fields = [field for field in made["fields"] if field["name"] != "f"]
    client.as_root("PATCH", "/api/collections/kept", {"fields": fields})
    client.as_root("DELETE", f"/api/collections/kept/records/{record['id']}")
    assert f"{made['id']}/{record['id']}/{record['f']}" in stored_objects(made["id"])
