"""An append-only file of JSON lines: one line per request, all of its changes or none.

A line is handed to the operating system before the request is answered, so the death of the
process loses no answered write; a power cut may (no fsync per write). A line that a kill tore
off is cut away at the next start. Compaction writes a new file beside the old one and renames
it: a kill at any moment leaves one of the two, whole.
"""

import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import orjson

Change = list[Any]


class CorruptJournalError(Exception):
    """A line in the middle of the file cannot be read; the text names file and line."""


class Journal:
    """The open file; `changes` counts what it holds, for the decision to compact."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.changes = 0
        self._file = -1

    def read(self) -> Iterator[list[Change]]:
        """Yield each line's changes, then cut off a torn last line and open for appending.

        Raises `CorruptJournalError`.
        """
        whole = 0
        if self.path.exists():
            with self.path.open("rb") as file:
                for number, line in enumerate(file, start=1):
                    if not line.endswith(b"\n"):
                        break
                    changes = _parse(line, self.path, number)
                    whole += len(line)
                    self.changes += len(changes)
                    yield changes
            os.truncate(self.path, whole)
        self._open()

    def append(self, changes: list[Change]) -> None:
        """Write one line. Raises `OSError`; the file may then end in a torn line."""
        line = _line(changes)
        written = os.write(self._file, line)
        if written != len(line):
            raise OSError(f"{self.path}: wrote {written} of {len(line)} bytes")
        self.changes += len(changes)

    def rewrite(self, lines: Iterable[list[Change]]) -> None:
        """Replace the file by `lines`, at once."""
        fresh = self.path.with_suffix(".new")
        count = 0
        with fresh.open("wb") as file:
            for changes in lines:
                file.write(_line(changes))
                count += len(changes)
            file.flush()
            os.fsync(file.fileno())
        os.replace(fresh, self.path)
        self.close()
        self._open()
        self.changes = count

    def close(self) -> None:
        if self._file >= 0:
            os.close(self._file)
        self._file = -1

    def _open(self) -> None:
        self._file = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)


def _line(changes: list[Change]) -> bytes:
    try:
        return orjson.dumps(changes) + b"\n"
    except orjson.JSONEncodeError:
        # A lone surrogate: ministack takes it, orjson refuses it, the escape is readable.
        return json.dumps(changes).encode() + b"\n"


def _parse(line: bytes, path: Path, number: int) -> list[Change]:
    try:
        parsed: list[Change] = orjson.loads(line)
    except orjson.JSONDecodeError:
        try:
            parsed = json.loads(line)
        except ValueError:
            raise CorruptJournalError(f"{path}, line {number}: cannot be read") from None
    return parsed
