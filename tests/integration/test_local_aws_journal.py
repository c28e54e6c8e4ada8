"""The journal's file: whole lines only, whatever interrupts a write to it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tools.local_aws.journal import Change, CorruptJournalError, Journal

LINES: list[list[Change]] = [[["put", 1]], [["put", 2], ["remove", 1]]]


def _written(path: Path, lines: list[list[Change]]) -> Journal:
    journal = Journal(path)
    assert list(journal.read()) == []
    for line in lines:
        journal.append(line)
    return journal


def _read(path: Path) -> list[list[Change]]:
    journal = Journal(path)
    lines = list(journal.read())
    journal.close()
    return lines


def test_what_was_appended_is_read_back_in_order(tmp_path: Path) -> None:
    journal = _written(tmp_path / "j", LINES)
    assert journal.changes == 3
    assert _read(tmp_path / "j") == LINES


def test_text_that_is_no_unicode_is_kept(tmp_path: Path) -> None:
    """A lone surrogate gets through ministack's JSON; orjson refuses to write and to read it."""
    lines: list[list[Change]] = [[["put", "\ud800"]], [["put", "é\U0001f600"]]]
    _written(tmp_path / "j", lines)
    assert _read(tmp_path / "j") == lines


@pytest.mark.parametrize("cut_bytes", range(1, 26))
def test_a_line_torn_anywhere_is_dropped_and_the_next_one_is_whole(
    tmp_path: Path, cut_bytes: int
) -> None:
    path = tmp_path / "j"
    _written(path, LINES)
    path.write_bytes(path.read_bytes()[:-cut_bytes])
    journal = Journal(path)
    assert list(journal.read()) == LINES[:1]
    journal.append([["put", 3]])
    assert _read(path) == [LINES[0], [["put", 3]]]


def test_an_unreadable_whole_line_is_an_error_not_an_end(tmp_path: Path) -> None:
    path = tmp_path / "j"
    _written(path, LINES)
    path.write_bytes(b"\x00\x00\n" + path.read_bytes())
    with pytest.raises(CorruptJournalError, match="line 1"):
        list(Journal(path).read())


def test_a_rewrite_replaces_everything_and_appends_go_on(tmp_path: Path) -> None:
    journal = _written(tmp_path / "j", LINES)
    journal.rewrite([[["put", 9]]])
    journal.append([["put", 10]])
    assert journal.changes == 2
    assert _read(tmp_path / "j") == [[["put", 9]], [["put", 10]]]


def test_a_rewrite_that_breaks_off_leaves_the_old_file_in_use(tmp_path: Path) -> None:
    journal = _written(tmp_path / "j", LINES)

    def broken() -> Iterator[list[Change]]:
        yield [["put", 9]]
        raise RuntimeError("killed here")

    with pytest.raises(RuntimeError, match="killed here"):
        journal.rewrite(broken())
    journal.append([["put", 3]])
    assert _read(tmp_path / "j") == [*LINES, [["put", 3]]]
