"""The table of routes: what API Gateway demands of it, and what PocketBase's clients call."""

import runpy
from pathlib import Path

import pytest

from app import app
from chalicelib.routes.not_served import NOT_SERVED
from chalicelib.web.router import Router

app.load_late()

POSITION_NAMES = {"collection", "id", "filename", "key", "name"}

SERVED = {
    "/api/health": {"GET"},
    "/api/batch": {"POST"},
    "/api/settings": {"GET", "PATCH"},
    "/api/collections": {"GET", "POST"},
    "/api/collections/import": {"PUT"},
    "/api/collections/meta/scaffolds": {"GET"},
    "/api/collections/{collection}": {"GET", "PATCH", "DELETE"},
    "/api/collections/{collection}/truncate": {"DELETE"},
    "/api/collections/{collection}/records": {"GET", "POST"},
    "/api/collections/{collection}/records/{id}": {"GET", "PATCH", "DELETE"},
    "/api/collections/{collection}/auth-methods": {"GET"},
    "/api/collections/{collection}/auth-with-password": {"POST"},
    "/api/collections/{collection}/auth-refresh": {"POST"},
    "/api/collections/{collection}/impersonate/{id}": {"POST"},
}


def test_one_position_has_one_name() -> None:
    Router(app.routes)  # raises for two names


def test_names_are_those_agreed() -> None:
    names = {
        segment[1:-1]
        for route in app.routes
        for segment in route.split("/")
        if segment.startswith("{") and not segment.endswith("+}")
    }
    assert names <= POSITION_NAMES


def test_what_pocketbase_serves_is_served_or_named_as_not() -> None:
    for path, methods in SERVED.items():
        assert methods <= set(app.routes.get(path, {})), path
    for methods_text, path, _ in NOT_SERVED:
        assert set(methods_text.split()) <= set(app.routes.get(path, {})), path


def test_nothing_that_is_served_is_named_as_not() -> None:
    stale = [
        (method, path)
        for methods, path, _ in NOT_SERVED
        for method in methods.split()
        if app.routes[path][method].view_function.__name__ != "not_served"
    ]
    assert stale == []


def test_every_path_takes_options_and_every_get_a_head() -> None:
    for path, methods in app.routes.items():
        assert "OPTIONS" in methods, path
        assert ("HEAD" in methods) == ("GET" in methods), path


def test_every_route_takes_every_content_type() -> None:
    # Chalice would answer 415, in its own shape, before a view could say what is wrong.
    for methods in app.routes.values():
        for entry in methods.values():
            assert entry.content_types == ["*/*"]
            assert entry.cors is None  # web.headers does it, on errors too


def test_api_gateway_can_hold_them() -> None:
    resources = {
        "/".join(route.split("/")[: depth + 1])
        for route in app.routes
        for depth in range(1, route.count("/") + 1)
    }
    assert len(resources) < 300  # its limit for one REST API


def test_packaged_table_is_the_same_without_the_stages_prefix(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AWS_CHALICE_CLI_MODE", "true")
    monkeypatch.setattr("sys.argv", ["chalice", "package", "out"])
    packaged = runpy.run_path(str(Path(__file__).parents[2] / "app.py"))["app"]
    expected = {route.removeprefix("/api"): set(methods) for route, methods in app.routes.items()}
    assert {route: set(methods) for route, methods in packaged.routes.items()} == expected
    assert all(expected.values())  # a path without a method is no valid template
