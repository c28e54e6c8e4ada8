"""The container's description: what it copies is there, it is nobody's root, it says it is well."""

import re

import pytest

from tools.deploy import project

DOCKERFILE = (project.ROOT / "Dockerfile").read_text()
LET_IN = {
    line[1:]
    for line in (project.ROOT / ".dockerignore").read_text().splitlines()
    if line[:1] == "!"
}
COPIED = {
    name
    for names in re.findall(r"^COPY (?!--from)(.+) \S+$", DOCKERFILE, re.MULTILINE)
    for name in names.split()
}


@pytest.mark.parametrize("name", sorted(COPIED))
def test_what_is_copied_is_there_and_let_in(name: str) -> None:
    assert (project.ROOT / name).exists()
    assert name in LET_IN


def test_it_copies_the_app_and_its_requirements() -> None:
    assert {"app.py", "server.py", "chalicelib", "requirements.txt"} <= COPIED


def test_it_does_not_run_as_root() -> None:
    user = re.findall(r"^USER (\S+)$", DOCKERFILE, re.MULTILINE)[-1]
    assert user not in ("root", "0")


def test_its_health_check_asks_the_api() -> None:
    assert re.search(r"^HEALTHCHECK (.|\\\n)*/api/health", DOCKERFILE, re.MULTILINE)


def test_the_server_is_the_pinned_one_that_is_tested() -> None:
    pins = [
        re.search(r"^gunicorn==(\S+)$", (project.ROOT / name).read_text(), re.MULTILINE)
        for name in ("requirements-server.txt", "requirements-deploy.txt")
    ]
    versions = {pin[1] for pin in pins if pin}
    assert len(versions) == 1
    assert all(pins)
