"""Docs that cannot fall behind: every route, setting, error and module of a floor is named."""

import inspect
import re
from pathlib import Path

import pytest

from app import app
from chalicelib import errors
from chalicelib.config import Settings
from chalicelib.routes.not_served import NOT_SERVED
from chalicelib.web.gateway import FALLBACK

app.load_late()

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
API = (DOCS / "api.md").read_text()
COMPATIBILITY = (DOCS / "compatibility.md").read_text()

NOT_OURS = {(method, path) for methods, path, _ in NOT_SERVED for method in methods.split()}
ROUTES = sorted(
    (method, path)
    for path, methods in app.routes.items()
    for method in methods
    if method not in ("HEAD", "OPTIONS")
    and path not in ("/", FALLBACK)
    and (method, path) not in NOT_OURS
)
ERRORS = sorted(
    {
        (cls.status, name)
        for name, cls in inspect.getmembers(errors, inspect.isclass)
        if issubclass(cls, errors.ApiError)
    }
)


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_a_route_is_documented(method: str, path: str) -> None:
    assert re.search(rf"\| {method} \| `{re.escape(path)}` \|", API)


@pytest.mark.parametrize("name", Settings._fields)
def test_a_setting_is_documented(name: str) -> None:
    assert f"`{name}`" in (DOCS / "settings.md").read_text()


@pytest.mark.parametrize(("status", "name"), ERRORS)
def test_an_error_is_documented(status: int, name: str) -> None:
    assert re.search(rf"\| {status} \| `{name}` \|", API)


@pytest.mark.parametrize(
    "name", sorted(set(re.findall(r"`(tests/[\w/.-]+|test_\w+\.py)`", COMPATIBILITY)))
)
def test_a_test_that_compatibility_names_is_there(name: str) -> None:
    path = name if "/" in name else f"tests/conformance/{name}"
    assert (ROOT / path).exists()


@pytest.mark.parametrize(
    "page", [*sorted(DOCS.rglob("*.md")), ROOT / "README.md"], ids=lambda p: p.name
)
def test_a_link_leads_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text())
    broken = [link for link in links if "://" not in link and not (page.parent / link).exists()]
    assert broken == []


@pytest.mark.parametrize("floor", ["services", "store", "aws"])
def test_a_lazy_package_names_its_modules_for_the_type_checker(floor: str) -> None:
    package = ROOT / "chalicelib" / floor
    modules = {path.stem for path in package.glob("*.py")} - {"__init__"}
    text = (package / "__init__.py").read_text()
    assert modules == set(re.findall(rf"from chalicelib\.{floor} import (\w+) as \1", text))
