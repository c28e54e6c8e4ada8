import io
from http.client import HTTPException, HTTPResponse, IncompleteRead
from typing import Any, cast

import pytest

from chalicelib.aws.lean_response import LeanResponse


class Wire:
    """A socket to read from, which gives a few bytes at a time; or the file of one."""

    def __init__(self, content: bytes, at_once: int = 65_536) -> None:
        self.content, self.at_once = content, at_once

    def recv(self, most: int) -> bytes:
        count = min(most, self.at_once)
        piece, self.content = self.content[:count], self.content[count:]
        return piece

    def makefile(self, mode: str) -> io.BufferedReader:
        return io.BufferedReader(cast("Any", io.BytesIO(self.content)))


def lean(content: bytes, method: str = "POST", at_once: int = 65_536) -> LeanResponse:
    response = LeanResponse(cast("Any", Wire(content, at_once)), method=method)
    response.begin()
    return response


ANSWERS = {
    "with a length": b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}next",
    "empty": b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
    "chunked": (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n1\r\n{\r\n1\r\n}\r\n0\r\n\r\n"
    ),
    "until the close": b"HTTP/1.1 200 OK\r\n\r\n{}",
    "that closes": b"HTTP/1.1 200 OK\r\nconnection: Close\r\ncontent-length: 2\r\n\r\n{}",
    "of HTTP 1.0": b"HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\n{}",
    "of HTTP 1.0 that stays": (
        b"HTTP/1.0 200 OK\r\nconnection: keep-alive\r\ncontent-length: 2\r\n\r\n{}"
    ),
    "in chunks with trailers": (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"a;x=1\r\n0123456789\r\n0\r\nA: b\r\nC: d\r\n\r\n"
    ),
    "with a body of line ends": (b"HTTP/1.1 200 OK\ncontent-length: 8\n\na\r\n\r\nb\n\n"),
    "without content": b"HTTP/1.1 204 No Content\r\n\r\n",
    "not modified": b"HTTP/1.1 304 Not Modified\r\ncontent-length: 9\r\n\r\n",
    "after a continue": (
        b"HTTP/1.1 100 Continue\r\na: b\r\n\r\nHTTP/1.1 400 Bad\r\ncontent-length: 1\r\n\r\nx"
    ),
    "without a reason": b"HTTP/1.1 503\r\ncontent-length: 0\r\n\r\n",
    "with bare newlines": b"HTTP/1.1 200 OK\ncontent-length: 2\n\n{}",
    "with an odd length": b"HTTP/1.1 200 OK\r\ncontent-length: x\r\n\r\n{}",
}


@pytest.mark.parametrize("at_once", [1, 7, 65_536])
@pytest.mark.parametrize("method", ["POST", "HEAD"])
@pytest.mark.parametrize("content", ANSWERS.values(), ids=ANSWERS.keys())
def test_an_answer_is_framed_as_http_client_frames_it(
    content: bytes, method: str, at_once: int
) -> None:
    stock = HTTPResponse(cast("Any", Wire(content)), method=method)
    stock.begin()
    ours = lean(content, method, at_once)

    assert (ours.status, ours.version, ours.will_close) == (
        stock.status,
        stock.version,
        stock.will_close,
    )
    assert ours.read() == stock.read()
    assert ours.isclosed() == stock.isclosed()


def test_headers_have_lower_case_names_and_bare_values() -> None:
    answer = lean(b'HTTP/1.1 200 OK\r\nETag:  "a:b" \r\nX-Odd: \xfc\r\ncontent-length: 0\r\n\r\n')

    assert dict(answer.headers) == {"etag": '"a:b"', "x-odd": "ü", "content-length": "0"}


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"HTTP/1.1",
        b"HTTP/1.1 abc OK\r\n\r\n",
        b"HTTP/2 200 OK\r\n\r\n",
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"HTTP/1.1 200 OK\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-le",
        b"HTTP/1.1 200 OK\r\ncontent-length: 2",  # could have become 20
        b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"".join(b"a%d: b\r\n" % n for n in range(300)) + b"\r\n",
        b"HTTP/1.1 200 OK\r\na: " + b"b" * 100_000,
    ],
)
def test_what_is_no_answer_is_refused(content: bytes) -> None:
    with pytest.raises((HTTPException, ConnectionError)):
        lean(content)


def test_a_body_cut_short_is_not_returned() -> None:
    answer = lean(b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\n{}")
    with pytest.raises(IncompleteRead):
        answer.read()


@pytest.mark.parametrize(
    "body", [b"2\r\n{", b"x\r\n", b"-1\r\n", b"\r\n", b"1\r\n{x", b"2\r\n{}\r\n", b"0" * 5000]
)
def test_a_chunk_cut_short_or_malformed_is_refused(body: bytes) -> None:
    answer = lean(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n" + body)
    with pytest.raises(HTTPException):
        answer.read()


def test_what_follows_an_answer_is_noticed() -> None:
    answer = lean(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}HTTP/1.1 200 OK")
    assert answer.read() == b"{}"
    assert answer.has_surplus
    alone = lean(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}")
    alone.read()
    assert not alone.has_surplus
