"""Which files of a folder are uploaded."""

from pathlib import Path

import pytest

from tools.cli.failures import Failure
from tools.cli.packing import sources


def tree(root: Path, *paths: str) -> Path:
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(path)
    return root


def test_caches_secrets_and_what_only_describes_are_left_out(tmp_path: Path) -> None:
    tree(
        tmp_path, "main.py", "lib/a.py", "lib/__pycache__/a.cpython-313.pyc", ".git/HEAD", ".env",
        ".env.local", "lib/.env", ".venv/x.py", "node_modules/a/index.js", "dormouse.toml",
        "README.md", "lib/README.md", "lib/dormouse.toml", "old.pyc", ".npmrc",
    )  # fmt: skip
    assert list(sources.read(tmp_path)) == [
        "lib/README.md",
        "lib/a.py",
        "lib/dormouse.toml",
        "main.py",
    ]


@pytest.mark.parametrize(
    ("line", "path", "ignored"),
    [
        ("notes.txt", "a/b/notes.txt", True),  # a name holds at any depth
        ("/notes.txt", "a/notes.txt", False),
        ("/notes.txt", "notes.txt", True),
        ("*.md", "a/b.md", True),
        ("docs/*.md", "docs/a.md", True),
        ("docs/*.md", "docs/a/b.md", False),  # a star stops at a slash
        ("docs/**/*.md", "docs/a/b/c.md", True),
        ("docs/**/*.md", "docs/c.md", True),
        ("a?.txt", "ab.txt", True),
        ("[ab].txt", "b.txt", True),
        ("a.txt", "abtxt", False),  # a dot is a dot
        ("data/", "data", False),  # a file of that name stays
        ("# notes.txt", "notes.txt", False),
    ],
)
def test_an_ignore_line(line: str, path: str, ignored: bool) -> None:
    assert sources.is_ignored(path, False, sources.parse([line])) is ignored


def test_a_later_line_takes_back_in(tmp_path: Path) -> None:
    tree(tmp_path, "main.py", "a.txt", "keep.txt", "data/x.bin")
    (tmp_path / ".dormouseignore").write_text("*.txt\n!keep.txt\n\ndata/\n")
    assert list(sources.read(tmp_path)) == ["keep.txt", "main.py"]


def test_a_link_out_of_the_folder_is_refused(tmp_path: Path) -> None:
    tree(tmp_path, "outside.txt", "code/main.py")
    (tmp_path / "code" / "inside.py").symlink_to(tmp_path / "code" / "main.py")
    assert list(sources.read(tmp_path / "code")) == ["inside.py", "main.py"]
    (tmp_path / "code" / "out").symlink_to(tmp_path / "outside.txt")
    with pytest.raises(Failure, match="outside of"):
        sources.read(tmp_path / "code")


def test_a_linked_folder_and_an_empty_one_are_refused(tmp_path: Path) -> None:
    tree(tmp_path, "other/a.py", "code/main.py")
    (tmp_path / "code" / "linked").symlink_to(tmp_path / "other")
    with pytest.raises(Failure, match="link to a folder"):
        sources.read(tmp_path / "code")
    (tmp_path / "empty").mkdir()
    with pytest.raises(Failure, match="holds no file"):
        sources.read(tmp_path / "empty")


def test_a_folder_that_cannot_be_meant_is_not_read_to_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tree(tmp_path, "a.py", "b.py")
    monkeypatch.setattr("chalicelib.domain.functions.archive.MAX_UNZIPPED_BYTES", 5)
    with pytest.raises(Failure, match="holds more than"):
        sources.read(tmp_path)
