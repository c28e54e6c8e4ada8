"""Which route a path has."""

import pytest

from chalicelib.web.router import Match, Router

ROUTER = Router(
    [
        "/",
        "/{proxy+}",
        "/api/health",
        "/api/collections/{collection}",
        "/api/collections/meta/scaffolds",
        "/api/collections/{collection}/records",
        "/api/collections/{collection}/records/{id}",
        "/api/files/token",
        "/api/files/{collection}/{id}/{filename}",
    ]
)


@pytest.mark.parametrize(
    ("path", "pattern", "parameters"),
    [
        ("/", "/", {}),
        ("/api/health", "/api/health", {}),
        ("/api/%68ealth", "/api/health", {}),  # PocketBase decodes before it matches
        (
            "/api/collections/posts/records/r1",
            "/api/collections/{collection}/records/{id}",
            {"collection": "posts", "id": "r1"},
        ),
        (
            "/api/collections/meta/scaffolds",
            "/api/collections/meta/scaffolds",
            {},
        ),
        (
            "/api/collections/meta/records",  # the literal `meta` leads nowhere here
            "/api/collections/{collection}/records",
            {"collection": "meta"},
        ),
        (
            "/api/files/token/x/y.txt",
            "/api/files/{collection}/{id}/{filename}",
            {"collection": "token", "id": "x", "filename": "y.txt"},
        ),
        (
            "/api/collections/a%40b%2Fc+d/records",
            "/api/collections/{collection}/records",
            {"collection": "a@b/c+d"},
        ),
        (
            "/api/collections/%25/records",  # decoded once, not twice
            "/api/collections/{collection}/records",
            {"collection": "%"},
        ),
        (
            "/api/collections/%zz/records",
            "/api/collections/{collection}/records",
            {"collection": "%zz"},
        ),
    ],
)
def test_a_path_has_the_route_of_its_literals_first(
    path: str, pattern: str, parameters: dict[str, str]
) -> None:
    assert ROUTER.match(path) == Match(pattern, parameters)


@pytest.mark.parametrize(
    "path",
    [
        "/api",
        "/api/",
        "/api/health/",  # a slash at the end is another path, as in PocketBase
        "//api/health",
        "/API/health",
        "/api/collections//records",  # a variable is never empty
        "/api/collections/a/records/b/c",
        "",
        "api/health",
    ],
)
def test_other_paths_have_none(path: str) -> None:
    assert ROUTER.match(path) is None


def test_one_position_has_one_name() -> None:
    with pytest.raises(ValueError, match="that position is called"):
        Router(["/x/{collection}/y", "/x/{name}/z"])
