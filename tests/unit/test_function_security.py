"""What callers and uploads may try against functions, as far as it needs no AWS."""

import io
import json
import struct
import time
import zipfile
import zlib
from base64 import urlsafe_b64encode

import pytest

from chalicelib.domain.functions.archive import ArchiveError, check_zip
from chalicelib.domain.functions.log_cursor import WrongCursorError, read
from chalicelib.domain.functions.redaction import redact, redact_text, without

SECRET = "hunter2-hunter2"


@pytest.mark.parametrize(
    "text",
    [
        "form-data pass " + 'name="a"' * 100_000,
        "pass\ncontent-disposition:" + 'name="a"' * 100_000,
        'content-disposition: form-data; name="pass"\n' * 20_000,
        ("content-disposition: name=pass\n" + "x: y\n" * 7) * 5_000,
    ],
)
def test_no_form_makes_the_search_for_secrets_long(text: str) -> None:
    started = time.process_time()
    redact_text(text)
    assert time.process_time() - started < 2


@pytest.mark.parametrize(
    "header",
    [
        'Content-Disposition: form-data; name="password"',
        "content-disposition: form-data; name=password",
        'CONTENT-DISPOSITION: Form-Data; NAME="password"; filename="a.txt"',
        'Content-Type: text/plain\r\nContent-Disposition: form-data; name="password"',
        'Content-Disposition: form-data; name="password"\r\nContent-Type: text/plain',
        f'Content-Disposition: form-data; name="{"a-" * 60}password"',
    ],
)
def test_a_secret_field_of_a_form_is_not_kept(header: str) -> None:
    body = f"--x\r\n{header}\r\n\r\n{SECRET}\r\n--x--\r\n"
    kept, is_redacted = redact({"body": body})
    assert SECRET not in kept["body"]
    assert is_redacted


def zip_with_name_in_extra(name: str, other: str) -> bytes:
    """Return a zip whose second file has another name in its field for names in Unicode."""
    data = struct.pack("<BL", 1, zlib.crc32(name.encode())) + other.encode()
    info = zipfile.ZipInfo(name)
    info.extra = (
        struct.pack("<2H", 0x5455, 1) + b"\0" + struct.pack("<2H", 0x7075, len(data)) + data
    )
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("main.py", "x")
        archive.writestr(info, "evil")
    return made.getvalue()


@pytest.mark.parametrize("other", ["../../evil", "/etc/passwd", "main.py", "a\\b", "x", ""])
def test_a_file_of_a_zip_has_no_second_name(other: str) -> None:
    with pytest.raises(ArchiveError, match="two names"):
        check_zip(zip_with_name_in_extra("ok.py", other))


def test_a_file_of_a_zip_may_tell_its_name_twice() -> None:
    assert check_zip(zip_with_name_in_extra("ökay.py", "ökay.py")).entries == ("main.py", "ökay.py")


def test_what_aws_says_of_an_environment_has_no_secret() -> None:
    secrets = {"A": 'long "quoted" é', "B": "long", "C": "e", "D": "more\nlines"}
    for is_ascii in (True, False):
        measured = json.dumps({**secrets, "PLAIN": "stays"}, ensure_ascii=is_ascii)
        text = f"exceeded the 4KB limit. String measured: {measured}"
        kept = without(text, secrets.values())
        assert "exceeded" in kept
        assert "stays" in kept
        assert not any(each in kept for each in ("long", "quoted", "lines"))


@pytest.mark.parametrize("cursor", [[-1, {}], [2**60, {}], [0, {"a": -1}], [True, []], ["1", {}]])
def test_a_made_up_cursor_of_a_log_is_refused(cursor: list[object]) -> None:
    with pytest.raises(WrongCursorError):
        read(urlsafe_b64encode(json.dumps(cursor).encode()).decode())
