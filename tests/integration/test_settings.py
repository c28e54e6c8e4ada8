"""GET and PATCH /api/settings, and how fast the rest of the app obeys them."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from chalicelib import services, store
from chalicelib.domain import app_settings
from tests.integration.auth_client import ROOT, SETTINGS, SUPERUSERS, USERS, Client, refused

GUEST = refused(401, "The request requires valid record authorization token.")
NOT_ALLOWED = refused(403, "The authorized record is not allowed to perform this action.")
UNREADABLE = refused(400, "An error occurred while loading the submitted data.")
FORBIDDEN = refused(403, "You are not allowed to perform this request.")


@pytest.fixture(scope="module")
def module_client(table: str) -> Client:
    return Client()


@pytest.fixture
def client(module_client: Client) -> Iterator[Client]:
    yield module_client
    defaults = app_settings.defaults()
    stored = store.settings.load()
    store.settings.save(defaults, stored.rev)


def test_a_new_installation_has_the_defaults(client: Client) -> None:
    assert client.as_root("GET", SETTINGS) == app_settings.public(app_settings.defaults())
    assert client.as_root("PATCH", SETTINGS, {}) == client.as_root("GET", SETTINGS)


def test_settings_are_for_superusers(client: Client) -> None:
    client.account(USERS, "user@example.com")
    user = client.login(USERS, "user@example.com").body["token"]
    for method in ("GET", "PATCH"):
        assert client(method, SETTINGS, {} if method == "PATCH" else None).refusal == GUEST
        assert client(method, SETTINGS, token=user).refusal == NOT_ALLOWED


def test_a_patch_is_merged_and_answered_whole(client: Client) -> None:
    answer = client.as_root("PATCH", SETTINGS, {"meta": {"appName": "B"}, "unknown": 1})
    assert answer["meta"]["appName"] == "B"
    assert answer["meta"]["senderName"] == "Support"
    assert client.as_root("GET", SETTINGS) == answer
    picked = client.as_root("PATCH", SETTINGS + "?fields=meta.appName,batch", {})
    assert picked == {"meta": {"appName": "B"}, "batch": answer["batch"]}


def test_secrets_are_stored_and_never_shown(client: Client) -> None:
    secret = {"smtp": {"password": "pa55"}, "s3": {"secret": "s3cret"}}
    shown = client.as_root("PATCH", SETTINGS, secret)
    assert "password" not in shown["smtp"]
    assert "secret" not in shown["s3"]
    assert shown == client.as_root("GET", SETTINGS)
    client.as_root("PATCH", SETTINGS, shown)  # what a form sends back keeps them
    assert services.settings.current()["smtp"]["password"] == "pa55"
    assert services.settings.current()["s3"]["secret"] == "s3cret"


def test_errors_are_nested_and_nothing_is_saved(client: Client) -> None:
    patch = {"meta": {"appName": ""}, "batch": {"maxRequests": -1}, "logs": {"maxDays": 9}}
    answer = client("PATCH", SETTINGS, patch, client.root)
    assert (answer.status, answer.body["message"]) == (
        400,
        "An error occurred while saving the new settings.",
    )
    assert answer.body["data"]["meta"]["appName"]["code"] == "validation_required"
    assert set(answer.body["data"]) == {"meta", "batch"}
    assert client.as_root("GET", SETTINGS)["logs"]["maxDays"] == 5


@pytest.mark.parametrize("raw", ["[]", "{x", '"x"', '{"meta": 5}', '{"smtp": {"port": "25"}}'])
def test_a_body_of_the_wrong_shape_is_refused(client: Client, raw: str) -> None:
    assert client("PATCH", SETTINGS, token=client.root, raw=raw).refusal == UNREADABLE


def test_a_form_names_settings_by_path(client: Client) -> None:
    kind = "application/x-www-form-urlencoded"
    form = "meta.appName=B&meta.appName=C&batch.enabled=true&batch.maxRequests=7&superuserIPs=::1"

    def patch(raw: str) -> Any:
        return client("PATCH", SETTINGS, token=client.root, raw=raw, content_type=kind)

    answer = patch(form.replace("&superuserIPs=::1", "&meta=1&Meta.AppName=D"))
    assert answer.body["meta"]["appName"] == "B"
    assert answer.body["batch"]["enabled"] is True
    assert answer.body["batch"]["maxRequests"] == 7
    assert patch("batch.maxRequests=x").refusal == UNREADABLE
    assert patch(form).body["superuserIPs"] == ["::1"]


def test_other_verbs_are_not_found(client: Client) -> None:
    for verb in ("PUT", "POST", "DELETE"):
        assert client(verb, SETTINGS, {}, client.root).status == 404


def test_a_change_is_obeyed_at_once_by_an_instance_that_did_not_make_it(client: Client) -> None:
    assert services.settings.current()["batch"]["enabled"] is False
    stored = store.settings.load()
    wanted = app_settings.merge(app_settings.defaults(), {"batch": {"enabled": True}})
    store.settings.save(wanted, stored.rev)  # another instance: our cache knows nothing of it
    assert services.settings.current()["batch"]["enabled"] is False
    client("GET", USERS + "/auth-methods")
    assert services.settings.current()["batch"]["enabled"] is True


def test_settings_are_read_once_as_long_as_nothing_changes(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    client("GET", USERS + "/auth-methods")
    services.settings.current()
    monkeypatch.setattr(store.settings, "load", lambda: pytest.fail("read again"))
    client("GET", USERS + "/auth-methods")
    services.settings.current()


def test_a_write_of_settings_that_moved_meanwhile_is_refused(client: Client) -> None:
    client.as_root("PATCH", SETTINGS, {"meta": {"appName": "first"}})
    stored = store.settings.load()
    client.as_root("PATCH", SETTINGS, {"meta": {"appName": "second"}})
    with pytest.raises(store.settings.SettingsMovedError):
        store.settings.save(app_settings.defaults(), stored.rev)
    with pytest.raises(store.settings.SettingsMovedError):
        store.settings.save(app_settings.defaults(), "")
    assert client.as_root("GET", SETTINGS)["meta"]["appName"] == "second"


def test_patches_of_several_writers_all_hold(client: Client) -> None:
    patches: list[dict[str, Any]] = [
        {"meta": {"appName": "B"}},
        {"meta": {"senderName": "C"}},
        {"logs": {"maxDays": 9}},
        {"batch": {"maxRequests": 7}},
    ]
    writers = [
        threading.Thread(target=client.as_root, args=("PATCH", SETTINGS, patch))
        for patch in patches
    ]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    expected = app_settings.defaults()
    for patch in patches:
        expected = app_settings.merge(expected, patch)
    assert client.as_root("GET", SETTINGS) == app_settings.public(expected)


def test_superusers_sign_in_from_the_allowed_addresses_only(client: Client) -> None:
    client.as_root("PATCH", SETTINGS, {"superuserIPs": ["10.0.0.0/8", "fe80::/10"]})
    login = SUPERUSERS + "/auth-with-password"
    body = {"identity": ROOT[0], "password": ROOT[1]}
    assert client("POST", login, body).refusal == FORBIDDEN
    assert client("POST", login, body, ip="").refusal == FORBIDDEN
    assert client("POST", login, body, ip="10.1.2.3").status == 200
    assert client("POST", login, body, ip="fe80::1").status == 200
    wrong = {**body, "password": "wrong"}
    assert client("POST", login, wrong).refusal == refused(400, "Failed to authenticate.")
    assert client.login(USERS, "user@example.com").status == 200  # users are not concerned
