"""Which zips may be stored, and that ours are the same for the same files."""

import hashlib
import io
import os
import stat
import struct
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.domain.functions import archive
from chalicelib.domain.functions.archive import ArchiveError

MIB = 1024 * 1024


def zipped(*entries: tuple[str, bytes], change: Callable[[zipfile.ZipInfo], Any] = id) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as file:
        for name, content in entries:
            info = zipfile.ZipInfo(name)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = (stat.S_IFREG | 0o644) << 16
            change(info)
            file.writestr(info, content)
    return made.getvalue()


def mode(value: int) -> Callable[[zipfile.ZipInfo], None]:
    def change(info: zipfile.ZipInfo) -> None:
        info.external_attr = value << 16

    return change


def refusal(content: Any, **limits: Any) -> str:
    with pytest.raises(ArchiveError) as refused:
        archive.check_zip(content, **limits)
    return str(refused.value)


PLAIN = zipped(("main.py", b"def handler(event, context): ..."), ("lib/a.py", b"a = 1\n" * 99))


def test_plain_zip_is_taken_with_its_sizes() -> None:
    assert archive.check_zip(PLAIN) == archive.Archive(("main.py", "lib/a.py"), 32 + 594)


def test_folders_and_empty_files_are_fine() -> None:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as file:
        file.mkdir("lib")
        file.writestr("lib/__init__.py", b"")
    assert archive.check_zip(made) == archive.Archive(("lib/__init__.py",), 0)


@pytest.mark.parametrize(
    "path",
    [
        "/etc/passwd",
        "../main.py",
        "lib/../../main.py",
        "./main.py",
        "lib//main.py",
        "C:/main.py",
        "c:main.py",
        "lib\\main.py",
        "lib\nmain.py",
        "x" * 256,
        "x/" * 600 + "x",
        "..",
    ],
)
def test_path_that_leads_elsewhere_is_refused(path: str) -> None:
    assert repr(path[:100]) in refusal(zipped((path, b"x")))
    with pytest.raises(ArchiveError):
        archive.make_zip({path: b"x"})
    with pytest.raises(ArchiveError):
        archive.files_of({path: "x"})


def test_name_with_a_zero_byte_is_refused_as_it_is_written() -> None:
    content = zipped(("main.py#.txt", b"x")).replace(b"main.py#.txt", b"main.py\0.txt")
    assert "no relative path" in refusal(content)


@pytest.mark.parametrize(
    ("value", "says"),
    [
        (stat.S_IFLNK | 0o777, "link"),
        (stat.S_IFIFO | 0o644, "no plain file"),
        (stat.S_IFCHR | 0o644, "no plain file"),
        (stat.S_IFBLK | 0o644, "no plain file"),
        (stat.S_IFSOCK | 0o644, "no plain file"),
        (stat.S_IFDIR | 0o755, "no plain file"),  # whose name says that it is a file
        (stat.S_IFREG | 0o600, "0600"),
    ],
)
def test_what_is_no_readable_file_is_refused(value: int, says: str) -> None:
    message = refusal(zipped(("main.py", b"/etc/passwd"), change=mode(value)))
    assert says in message
    assert "main.py" in message


def test_zip_of_a_system_without_modes_is_fine() -> None:
    assert archive.check_zip(zipped(("main.py", b"x"), change=mode(0)))


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_two_files_of_one_name_are_refused() -> None:
    assert "twice" in refusal(zipped(("main.py", b"1"), ("main.py", b"2")))


def test_file_that_is_also_a_folder_is_refused() -> None:
    assert "both a file and a folder" in refusal(zipped(("lib", b"1"), ("lib/a.py", b"2")))


def test_encrypted_entry_is_refused() -> None:
    content = bytearray(zipped(("main.py", b"x")))
    directory = content.index(b"PK\x01\x02")
    content[directory + 8] |= 1
    assert "encrypted" in refusal(bytes(content))


@pytest.mark.parametrize(
    "content",
    [b"", b"PK", b"not a zip" * 99, PLAIN[:-5], PLAIN[: len(PLAIN) // 2], b"x" * 70_000],
)
def test_what_is_no_zip_is_refused(content: bytes) -> None:
    assert "no zip" in refusal(content)


def test_bytes_around_the_zip_are_refused() -> None:
    for content in (b"#!/bin/sh\n" + PLAIN, PLAIN + b"more", PLAIN + PLAIN[:40] + PLAIN[-22:]):
        assert "no plain zip" in refusal(content)


def test_zip_without_files_is_refused() -> None:
    assert "no files" in refusal(zipped())


def test_entries_in_other_compressions_are_refused() -> None:
    def bzip2(info: zipfile.ZipInfo) -> None:
        info.compress_type = zipfile.ZIP_BZIP2

    assert "compressed in a way" in refusal(zipped(("main.py", b"x" * 999), change=bzip2))


def test_size_that_the_zip_lies_about_is_found_while_inflating() -> None:
    content = bytearray(zipped(("main.py", b"\0" * 10 * MIB)))
    directory = content.index(b"PK\x01\x02")
    struct.pack_into("<L", content, directory + 24, 10)
    assert "not what the zip says" in refusal(bytes(content))


def test_name_in_the_entry_itself_must_be_the_same() -> None:
    content = PLAIN.replace(b"main.py", b"evil.py", 1)
    assert "two names" in refusal(content)


def test_damaged_data_is_refused() -> None:
    content = bytearray(zipped(("main.py", os.urandom(4000))))
    content[2000] ^= 0xFF
    assert "damaged" in refusal(bytes(content))


def test_too_many_entries_are_refused_before_they_are_read() -> None:
    content = bytearray(zipped(*((f"f{number}", b"") for number in range(300))))
    assert archive.check_zip(bytes(content)).unzipped_bytes == 0
    limit = archive.MAX_ENTRIES
    struct.pack_into("<2H", content, len(content) - 14, limit + 1, limit + 1)
    assert "entries" in refusal(bytes(content))


def test_zip_over_the_limit_is_refused_with_both_sizes() -> None:
    message = refusal(PLAIN + b"\0" * MIB, max_zipped_bytes=MIB)
    assert "1.0 MB" in message
    assert "at most 1" in message


def bomb(megabytes: int, name: str = "zeros") -> bytes:
    return zipped((name, b"\0" * megabytes * MIB))


def test_bomb_is_refused_by_the_size_it_admits() -> None:
    assert "more than a function may have" in refusal(bomb(8), max_unzipped_bytes=7 * MIB)
    many = zipped(*((f"z{number}", b"\0" * MIB) for number in range(8)))
    assert "more than a function may have" in refusal(many, max_unzipped_bytes=7 * MIB)


def test_bomb_within_the_limit_is_refused_by_its_ratio() -> None:
    assert "times its size" in refusal(bomb(60))


def test_large_zip_is_read_in_pieces(tmp_path: Path) -> None:
    path = tmp_path / "large.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as file:
        noise = os.urandom(MIB // 2)
        for number in range(4):
            file.writestr(f"part{number}", noise + b"\0" * 9 * MIB + noise)
    tracemalloc.start()
    try:
        with path.open("rb") as content:
            found = archive.check_zip(content)
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert found.unzipped_bytes == 40 * MIB
    assert peak_bytes < 4 * MIB


@pytest.mark.parametrize(
    ("runtime", "handler", "path", "is_found"),
    [
        ("python3.12", "main.handler", "main.py", True),
        ("python3.12", "main.handler", "main/__init__.py", True),
        ("python3.12", "src.app.handler", "src/app.py", True),
        ("python3.12", "src/app.handler", "src/app.py", True),
        ("python3.12", "main.handler", "Main.py", False),
        ("python3.12", "main.handler", "src/main.py", False),
        ("nodejs22.x", "index.handler", "index.js", True),
        ("nodejs22.x", "index.handler", "index.mjs", True),
        ("nodejs22.x", "dist/index.api.handler", "dist/index.cjs", True),
        ("nodejs22.x", "index.handler", "index.py", False),
        ("nodejs22.x", "index.handler", "index/index.js", False),
    ],
)
def test_file_of_the_handler_must_be_in_the_code(
    runtime: str, handler: str, path: str, is_found: bool
) -> None:
    content = archive.make_zip({path: b"x", "other.txt": b"y"})
    if is_found:
        assert archive.check_zip(content, runtime=runtime, handler=handler)
        return
    message = refusal(content, runtime=runtime, handler=handler)
    assert handler in message
    assert archive.handler_files(runtime, handler)[0] in message


def test_same_files_make_the_same_zip_in_any_order() -> None:
    files: dict[str, bytes | str] = {"b.py": "b = 'é'\n", "a/run.sh": b"#!", "a/c.py": b""}
    modes = {"a/run.sh": 0o740, "b.py": 0o600}
    first = archive.make_zip(files, modes)
    second = archive.make_zip(dict(reversed(files.items())), {"a/run.sh": 0o755})

    assert first == second
    with zipfile.ZipFile(io.BytesIO(first)) as made:
        permissions = {info.filename: info.external_attr >> 16 for info in made.infolist()}
        dates = {info.date_time for info in made.infolist()}
    regular = stat.S_IFREG
    expected = {"a/c.py": regular | 0o644, "a/run.sh": regular | 0o755, "b.py": regular | 0o644}
    assert list(permissions.items()) == list(expected.items())
    assert dates == {(1980, 1, 1, 0, 0, 0)}


def test_zip_has_the_bytes_that_it_always_had() -> None:
    """A change of these bytes would upload every function once more."""
    content = archive.make_zip({"main.py": "x = 1\n", "data": bytes(range(256))}, {"data": 0o755})
    with zipfile.ZipFile(io.BytesIO(content)) as made:
        headers = [(i.filename, i.create_system, i.flag_bits, i.extra) for i in made.infolist()]
    assert headers == [("data", 3, 0, b""), ("main.py", 3, 0, b"")]
    assert hashlib.sha256(content).hexdigest() == KNOWN_SHA256


KNOWN_SHA256 = "083e5a4f996ad6730533f3a93ae9a098b5c93053d7337d8423db3f5c1f05adba"


def test_compiled_files_are_left_out() -> None:
    files = {"a.py": b"", "__pycache__/a.cpython-312.pyc": b"x", "lib/__pycache__/b.pyc": b"x"}
    assert archive.check_zip(archive.make_zip(files)).entries == ("a.py",)


@pytest.mark.parametrize("given", [None, [], {}, "x", {"a.py": 1}, {"a.py": None}, {"": "x"}])
def test_files_that_are_none_are_refused(given: Any) -> None:
    with pytest.raises(ArchiveError):
        archive.files_of(given)


def test_text_that_is_no_unicode_is_refused() -> None:
    with pytest.raises(ArchiveError, match="Unicode"):
        archive.make_zip({"a.py": "\ud800"})


NAMES = st.text(st.characters(blacklist_categories=["Cs", "Cc"]), min_size=1, max_size=8)
PATHS = st.lists(NAMES, min_size=1, max_size=3).map("/".join)


@given(st.dictionaries(PATHS, st.binary(max_size=300), min_size=1, max_size=6))
@settings(max_examples=150, deadline=None)
def test_what_we_zip_we_take_and_get_back(files: dict[str, bytes]) -> None:
    try:
        content = archive.make_zip(files)
    except ArchiveError:
        return
    found = archive.check_zip(content)
    with zipfile.ZipFile(io.BytesIO(content)) as made:
        assert {name: made.read(name) for name in made.namelist()} == files
    assert set(found.entries) == set(files)
    assert found.unzipped_bytes == sum(map(len, files.values()))


@given(st.integers(0, len(PLAIN) - 1), st.integers(0, 255))
@settings(max_examples=400, deadline=None)
def test_damaged_zip_is_refused_or_harmless(position: int, value: int) -> None:
    content = bytearray(PLAIN)
    content[position] = value
    try:
        found = archive.check_zip(bytes(content))
    except ArchiveError:
        return
    assert found.unzipped_bytes == 32 + 594
    assert all(not name.startswith("/") and ".." not in name for name in found.entries)
