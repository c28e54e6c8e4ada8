"""Sniffing never fails. What it says of each format: tests/conformance/test_file_types.py."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain import file_answers, file_types
from chalicelib.domain.file_signatures import SIGNATURES, Kind

STARTS = [
    b"",
    b"PK\3\4",
    b"<?xml ",
    b"<svg ",
    b"{",
    b"\0\0\0\x18ftyp",
    b"OggS",
    b"#!/bin/",
    b"a,b\n",
]


@given(st.sampled_from(STARTS), st.binary(max_size=100))
def test_any_bytes_have_a_type(start: bytes, rest: bytes) -> None:
    kind = file_types.of_content(start + rest)
    assert kind.mime.isascii()
    assert kind.mime.isprintable()
    assert kind.extension == "" or kind.extension.startswith(".")


@given(st.text(alphabet="<>/=!- abcsvghtmlscript\n\"'", max_size=60))
def test_what_a_browser_may_run_is_never_shown(text: str) -> None:
    mime = file_types.of_content(text.encode()).mime
    assert file_answers.disposition(mime, "x", "").startswith("attachment")


@pytest.mark.parametrize(("offset", "mark", "kind"), SIGNATURES)
def test_a_signature_finds_its_type(offset: int, mark: bytes, kind: Kind) -> None:
    filler = b"\0" * offset
    assert file_types.of_content(filler + mark + b"\0" * 10) is not None
    if offset == 0:
        assert file_types.of_content(mark + b" ") == kind


def test_deep_json_is_only_text() -> None:
    assert file_types.of_content(b"[" * 3000).mime == file_types.TEXT.mime


def test_json_that_is_cut_is_json() -> None:
    long = json.dumps({"list": list(range(3000)), "text": "ü" * 100}, ensure_ascii=False).encode()
    assert len(long) > file_types.HEAD_BYTES
    assert file_types.of_content(long).mime == "application/json"
    assert file_types.of_content(b"{'no': json" + long).mime != "application/json"


@pytest.mark.parametrize(
    ("mime", "allowed", "expected"),
    [
        ("text/plain; charset=utf-8", ["text/plain"], True),
        ("text/xml; charset=utf-8", ["application/xml"], True),
        ("image/png", ["IMAGE/PNG"], True),
        ("image/png", ["image/*"], False),
        ("image/jpeg", ["image/jpg"], False),
        ("image/png", [], False),
    ],
)
def test_a_list_of_types_allows_other_names_of_a_type(
    mime: str, allowed: list[str], expected: bool
) -> None:
    assert file_types.is_one_of(mime, allowed) is expected
