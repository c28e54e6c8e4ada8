"""What callers and uploads may try against functions, as far as it needs no AWS."""

import time

import pytest

from chalicelib.domain.functions.redaction import redact, redact_text

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
