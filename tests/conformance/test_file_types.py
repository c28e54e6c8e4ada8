"""Under which type and disposition a file is served: by its bytes, and by a few extensions."""

import io
import tarfile

import pytest

from tests.conformance.files import HEADERS, check, get, one, post
from tests.conformance.pair import Pair
from tests.conformance.scenario import Expected, Scenario
from tests.conformance.world import World, base, field_of
from tests.integration.file_client import picture

WORLD = World(collections=(base("ty", field_of("file", "f")),))


def _archive() -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("name"))
    return out.getvalue()


SAMPLES: dict[str, bytes] = {
    "empty": b"",
    "text": b"hello",
    "utf8": "h\u00e9llo \u2603".encode(),
    "latin": b"h\xe9llo there",
    "utf16": "h\u00e9llo".encode("utf-16"),
    "binary": bytes(range(40)),
    "json": b'{"a": 1}',
    "json list": b"[1]",
    "broken json": b'{"a"',
    "lines of json": b'{"a":1}\n{"b":2}\n',
    "geojson": b'{"type":"FeatureCollection","features":[]}',
    "csv": b"a,b\n1,2\n",
    "tsv": b"a\tb\n1\t2\n",
    "ragged": b"a,b\n1,2,3\n",
    "html": b"<!DOCTYPE html><p>x</p>",
    "html piece": b"<p>x</p>",
    "script tag": b"<script>alert(1)</script>",
    "img tag": b"<img src=x onerror=alert(1)>",
    "comment": b"<!-- x --><svg></svg>",
    "xml": b'<?xml version="1.0"?><a/>',
    "rss": b'<?xml version="1.0"?><rss version="2.0"></rss>',
    "svg": b'<svg xmlns="http://www.w3.org/2000/svg"></svg>',
    "svg in xml": b'<?xml version="1.0"?><!-- x --><svg/>',
    "svg without namespace": b"<svg></svg>",
    "shell": b"#!/bin/sh\n",
    "python": b"#!/usr/bin/env python3\n",
    "php": b"<?php echo 1;",
    "rtf": b"{\\rtf1\\ansi",
    "vtt": b"WEBVTT\n\n",
    "srt": b"1\n00:00:01,000 --> 00:00:02,000\nhi\n",
    "ics": b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\n",
    "pdf": b"%PDF-1.4\n",
    "gzip": b"\x1f\x8b\x08" + b"\0" * 10,
    "zip": b"PK\x05\x06" + b"\0" * 18,
    "7z": b"7z\xbc\xaf\x27\x1c",
    "rar": b"Rar!\x1a\x07\0",
    "xz": b"\xfd7zXZ\0",
    "exe": b"MZ" + b"\0" * 70,
    "elf": b"\x7fELF\x02\x01\x01" + b"\0" * 50,
    "wasm": b"\0asm\1\0\0\0",
    "sqlite": b"SQLite format 3\0",
    "mp4": b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom",
    "mov": b"\0\0\0\x14ftypqt  \0\0\0\0qt  ",
    "m4a": b"\0\0\0\x18ftypM4A \0\0\0\0M4A ",
    "avif": b"\0\0\0\x1cftypavif\0\0\0\0avifmif1",
    "heic": b"\0\0\0\x18ftypheic\0\0\0\0heic",
    "3gp": b"\0\0\0\x18ftyp3gp4\0\0\0\0",
    "3g2": b"\0\0\0\x18ftyp3g2a\0\0\0\0isommp42",
    "webm": b"\x1a\x45\xdf\xa3\x93\x42\x82\x88webm\x42\x87",
    "mkv": b"\x1a\x45\xdf\xa3\x93\x42\x82\x88matroska\x42\x87",
    "mp3": b"\xff\xfb\x90\0" + b"\0" * 100,
    "wav": b"RIFF\x24\0\0\0WAVEfmt ",
    "ogg": b"OggS\0\x02" + b"\0" * 20 + b"\x01\x1e\x01vorbis" + b"\0" * 30,
    "flac": b"fLaC\0\0\0\x22",
    "aac": b"\xff\xf1\x50\x80",
    "midi": b"MThd\0\0\0\6",
    "png": picture(),
    "jpeg": picture(kind="JPEG"),
    "gif": picture(kind="GIF"),
    "webp": picture(kind="WEBP"),
    "bmp": picture(kind="BMP"),
    "tiff": picture(kind="TIFF"),
    "ico": b"\0\0\1\0\1\0",
    "psd": b"8BPS\0\1",
    "jp2": b"\0\0\0\x0cjP  \r\n\x87\n\0\0\0\x14ftypjp2 ",
    "woff2": b"wOF2abcd",
    "ole": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600,
    "long text": "\u00e9".encode() * 2000,
    "long json": b'{"a":"' + b"x" * 5000 + b'"}',
    "control character": b"abc\x01def",
    "tar": _archive(),
}

TYPES = (
    [
        Scenario(
            f"the type of {name} without an extension",
            get(collection="ty"),
            200,
            before=(post("ty", one(content, "sample")),),
            headers=HEADERS,
        )
        for name, content in SAMPLES.items()
    ]
    + [
        Scenario(
            f"text called x{extension}",
            get(collection="ty"),
            200,
            before=(post("ty", one(content, f"name{extension}")),),
            headers=HEADERS,
        )
        for content in (b"var a = 1",)
        for extension in (
            ".svg",
            ".css",
            ".js",
            ".mjs",
            ".html",
            ".docx",
            ".xlsx",
            ".pptx",
            ".SVG",
            ".json",
            ".png",
            ".pdf",
            ".tar.js",
        )
    ]
    + [
        Scenario(
            f"a picture called x{extension}",
            get(collection="ty"),
            200,
            before=(post("ty", one(SAMPLES["png"], f"name{extension}")),),
            headers=HEADERS,
        )
        for extension in (".jpg", ".txt", ".html", ".SVG", "")
    ]
    + [
        Scenario(
            f"a picture called x{extension} is attached",
            get(collection="ty"),
            200,
            before=(post("ty", one(SAMPLES["png"], f"name{extension}")),),
            headers=HEADERS,
            differs="file-inline",
            ours=Expected(200, ("attachment",)),
        )
        for extension in (".svg", ".js", ".css")
    ]
)


@pytest.mark.parametrize("scenario", TYPES, ids=lambda scenario: scenario.name)
def test_file_types(pair: Pair, scenario: Scenario) -> None:
    check(pair, scenario)
