"""The tus protocol over the whole app: what each request answers and what then is there."""

import hashlib
import os
import threading
import time
from base64 import b64encode
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from chalicelib import config, services, store
from chalicelib.aws import dynamodb, s3, s3_multipart
from chalicelib.domain.upload import PREFIX, Upload
from chalicelib.store import keys
from tests.integration.upload_client import (
    CHUNK,
    MIB,
    UPLOADS,
    Answer,
    Uploader,
    Uploaders,
    uploaders,
)

Headers = dict[str, str]


@pytest.fixture(scope="module")
def us(table: str) -> Uploaders:
    from tools import bootstrap  # noqa: PLC0415 - reads the environment that local_aws sets

    bootstrap.main()
    return uploaders()


@pytest.fixture
def ann(us: Uploaders) -> Uploader:
    return us.ann


@pytest.fixture
def settings(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Set settings by name for one test."""

    def change(**values: str) -> None:
        for name, value in values.items():
            monkeypatch.setenv(f"DORMOUSE_{name.upper()}", value)
        config.settings.cache_clear()

    yield change
    monkeypatch.undo()
    config.settings.cache_clear()


def stored(url: str) -> Upload:
    upload = store.uploads.load(url.rpartition("/")[2])
    assert upload is not None
    return upload


def content(url: str) -> bytes:
    upload = stored(url)
    assert upload.state == "done", upload
    return s3.get(upload.object)


def sha1(data: bytes) -> str:
    return "sha1 " + b64encode(hashlib.sha1(data).digest()).decode()


@pytest.mark.parametrize(
    ("size_bytes", "chunk_bytes"),
    [
        (0, 1),
        (1, 1),
        (5 * MIB - 1, 4 * MIB),
        (5 * MIB, 4 * MIB),  # exactly S3's least part
        (5 * MIB + 1, 5 * MIB),  # a last part of one byte
        (10 * MIB, 5 * MIB),
        (12 * MIB + 3, 700_001),  # many chunks to a part
        (19 * MIB + 17, 4 * MIB),
        (17 * MIB, 17 * MIB),
    ],
)
def test_a_file_arrives_whole_whatever_its_chunks(
    ann: Uploader, size_bytes: int, chunk_bytes: int
) -> None:
    data = os.urandom(size_bytes)
    url = ann.whole(data, chunk_bytes)

    assert content(url) == data
    answer = ann.head(url)
    assert (answer.status, answer.offset) == (200, size_bytes)
    left = s3_multipart.keys_under(stored(url).prefix)
    assert left == [stored(url).object], "tails are gone"
    assert s3_multipart.pending(stored(url).prefix) == []


def test_options_announces_the_protocol_and_lets_scripts_read_it(ann: Uploader) -> None:
    for path in (UPLOADS, UPLOADS + "/anything"):
        answer = ann.send("OPTIONS", path, Origin="https://a.example")
        assert answer.status == 204
        assert answer.headers["Tus-Version"] == answer.headers["Tus-Resumable"] == "1.0.0"
        assert answer.headers["Tus-Max-Size"] == str(5 * 1024 * MIB)
        assert {"creation", "termination", "expiration", "checksum", "concatenation"} <= set(
            answer.headers["Tus-Extension"].split(",")
        )
        assert "sha1" in answer.headers["Tus-Checksum-Algorithm"]
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert "Upload-Offset" in answer.headers["Access-Control-Expose-Headers"]
    assert "Tus-Version" not in ann.send("OPTIONS", "/api/health").headers


def test_a_creation_answers_what_the_client_needs(ann: Uploader) -> None:
    metadata = "filename aG9saWRheS5tcDQ=,is_confidential"
    answer = ann.tus(
        "POST", UPLOADS, Upload_Length="7", Upload_Metadata=metadata, Origin="https://a.example"
    )
    assert answer.status == 201
    url = answer.headers["Location"]
    assert url.startswith(UPLOADS + "/")
    assert answer.headers["Upload-Expires"].endswith("GMT")
    assert "Location" in answer.headers["Access-Control-Expose-Headers"]
    head = ann.head(url)
    assert head.headers["Upload-Metadata"] == metadata
    assert head.headers["Upload-Length"] == "7"
    assert head.headers["Cache-Control"] == "no-store"
    assert head.offset == 0


def test_a_creation_may_bring_the_first_bytes(ann: Uploader) -> None:
    headers = {"Upload_Length": "7", "content_type": CHUNK}
    answer = ann.tus("POST", UPLOADS, b"abc", **headers, Upload_Checksum=sha1(b"abc"))
    assert (answer.status, answer.offset) == (201, 3)
    assert ann.patch(answer.headers["Location"], 3, b"defg").offset == 7
    assert content(answer.headers["Location"]) == b"abcdefg"

    assert ann.tus("POST", UPLOADS, b"abc", Upload_Length="2", content_type=CHUNK).status == 413
    assert ann.tus("POST", UPLOADS, b"a", Upload_Length="2", content_type="text/x").status == 415
    wrong = ann.tus("POST", UPLOADS, b"abc", Upload_Checksum=sha1(b"x"), **headers)
    assert wrong.status == 460


def test_the_length_may_come_later(ann: Uploader) -> None:
    data = os.urandom(7 * MIB)
    answer = ann.tus("POST", UPLOADS, Upload_Defer_Length="1")
    url = answer.headers["Location"]
    assert ann.head(url).headers["Upload-Defer-Length"] == "1"
    assert ann.patch(url, 0, data[: 6 * MIB]).status == 204
    assert ann.patch(url, 6 * MIB, data[6 * MIB :]).status == 204
    assert stored(url).state == "open"
    assert ann.patch(url, 7 * MIB, b"", Upload_Length=str(6 * MIB)).status == 400
    assert ann.patch(url, 7 * MIB, b"", Upload_Length=str(7 * MIB)).status == 204
    assert content(url) == data
    assert ann.patch(url, 7 * MIB, b"", Upload_Length=str(8 * MIB)).status == 400


CREATIONS = [
    (400, "no length", {"Upload_Length": ""}),
    (400, "a negative length", {"Upload_Length": "-1"}),
    (400, "a length in words", {"Upload_Length": "ten"}),
    (400, "a length beyond any number", {"Upload_Length": "9" * 30}),
    (413, "a declared length over the limit", {"Upload_Length": str(5 * 1024 * MIB + 1)}),
    (400, "both a length and none yet", {"Upload_Length": "1", "Upload_Defer_Length": "1"}),
    (400, "another value of it", {"Upload_Length": "", "Upload_Defer_Length": "2"}),
    (400, "metadata that is not base64", {"Upload_Metadata": "name !!"}),
    (400, "a key twice", {"Upload_Metadata": "a YQ==,a YQ=="}),
    (400, "metadata without end", {"Upload_Metadata": "a " + "YWFh" * 3000}),
    (400, "an unknown concatenation", {"Upload_Concat": "half"}),
    (400, "a concatenation of nothing", {"Upload_Concat": "final;"}),
    (404, "a concatenation of what is not there", {"Upload_Concat": "final;/files/a /files/b"}),
    (412, "no version", {"tus_resumable": ""}),
    (412, "another version", {"tus_resumable": "0.2.2"}),
]


@pytest.mark.parametrize(("status", "reason", "headers"), CREATIONS)
def test_a_creation_is_refused(ann: Uploader, status: int, reason: str, headers: Headers) -> None:
    answer = ann.tus("POST", UPLOADS, b"", **{"Upload_Length": "3", **headers})
    assert answer.status == status, (reason, answer)
    assert answer.headers["Tus-Resumable"] == "1.0.0"
    if status == 412:
        assert answer.headers["Tus-Version"] == "1.0.0"


CHUNKS: list[tuple[int, str, bytes, Headers]] = [
    (409, "an offset ahead", b"abc", {"Upload_Offset": "9"}),
    (409, "an offset behind", b"abc", {"Upload_Offset": "1"}),
    (400, "no offset", b"abc", {"Upload_Offset": ""}),
    (400, "a negative offset", b"abc", {"Upload_Offset": "-4"}),
    (413, "more than the length", b"abcdefgh", {}),
    (415, "another type", b"abc", {"content_type": "application/json"}),
    (415, "no type", b"abc", {"content_type": ""}),
    (412, "no version", b"abc", {"tus_resumable": ""}),
    (460, "a wrong checksum", b"abc", {"Upload_Checksum": sha1(b"abd")}),
    (400, "an unknown checksum", b"abc", {"Upload_Checksum": "crc99 AAAA"}),
    (400, "a checksum that is not base64", b"abc", {"Upload_Checksum": "sha1 !"}),
    (400, "a body that was cut", b"abc", {"content_length": "5"}),
    (400, "another length", b"abc", {"Upload_Length": "9"}),
]


@pytest.mark.parametrize(("status", "reason", "body", "headers"), CHUNKS)
def test_a_chunk_is_refused_and_changes_nothing(
    ann: Uploader, status: int, reason: str, body: bytes, headers: Headers
) -> None:
    url = ann.create(7)
    assert ann.patch(url, 0, b"1234").status == 204

    answer = ann.patch(url, 4, body, **headers)

    assert answer.status == status, (reason, answer)
    assert answer.headers["Tus-Resumable"] == "1.0.0"
    assert ann.head(url).offset == 4
    assert ann.patch(url, 4, b"567", Upload_Checksum=sha1(b"567")).offset == 7
    assert content(url) == b"1234567"


def test_a_finished_upload_takes_no_chunk(ann: Uploader) -> None:
    url = ann.whole(b"abc")
    assert ann.patch(url, 3, b"").status == 204, "nothing more is nothing"
    assert ann.patch(url, 3, b"d").status == 413
    assert ann.patch(url, 0, b"abc").status == 409
    assert content(url) == b"abc"


def test_without_a_declared_length_the_limit_holds_all_the_same(
    ann: Uploader, settings: Any
) -> None:
    settings(upload_limit_bytes="10")
    url = ann.tus("POST", UPLOADS, Upload_Defer_Length="1").headers["Location"]
    assert ann.patch(url, 0, b"12345678").status == 204
    answer = ann.patch(url, 8, b"9abc")
    assert answer.status == 413
    assert "10 bytes" in answer.body
    assert ann.patch(url, 8, b"", Upload_Length="11").status == 413
    assert ann.head(url).offset == 8


def test_a_stranger_finds_nothing(us: Uploaders) -> None:
    url = us.ann.create(7)
    us.ann.patch(url, 0, b"123")
    wrong_secret = url[:-1] + ("0" if url[-1] != "0" else "1")
    for who, where, status in (
        (us.bob, url, 404),
        (us.guest, url, 401),
        (us.ann, wrong_secret, 404),
        (us.ann, UPLOADS + "/nothing", 404),
        (us.ann, UPLOADS + "/" + "0" * 52, 404),
    ):
        assert who.head(where).status == status
        assert who.send("GET", where).status == status
        assert who.patch(where, 3, b"4567").status == status
        assert who.tus("DELETE", where).status == status
    assert us.guest.tus("POST", UPLOADS, Upload_Length="3").status == 401
    assert us.ann.head(url).offset == 3


def test_guests_upload_where_a_setting_lets_them(us: Uploaders, settings: Any) -> None:
    settings(guest_uploads="true")
    url = us.guest.whole(b"abc", 2)
    assert content(url) == b"abc"
    assert us.ann.head(url).status == 404


def test_a_terminated_upload_is_gone_with_its_parts(ann: Uploader) -> None:
    url = ann.create(30 * MIB)
    ann.patch(url, 0, os.urandom(6 * MIB))
    ann.patch(url, 6 * MIB, b"tail")
    prefix = stored(url).prefix
    assert s3_multipart.pending(prefix)
    assert s3_multipart.keys_under(prefix)

    assert ann.tus("DELETE", url).status == 204

    assert ann.head(url).status == 404
    assert ann.patch(url, 0, b"x").status == 404
    assert ann.tus("DELETE", url).status == 404
    assert s3_multipart.pending(prefix) == []
    assert s3_multipart.keys_under(prefix) == []


def test_a_network_that_knows_only_post_is_no_obstacle(ann: Uploader) -> None:
    url = ann.create(3)
    answer = ann.tus(
        "POST", url, b"abc", X_HTTP_Method_Override="PATCH", Upload_Offset="0", content_type=CHUNK
    )
    assert (answer.status, answer.offset) == (204, 3)
    assert ann.tus("POST", url).status == 405
    assert ann.tus("POST", url, X_HTTP_Method_Override="DELETE").status == 204


def test_an_expired_upload_is_over(ann: Uploader) -> None:
    url = ann.create(9)
    ann.patch(url, 0, b"abc")
    upload = stored(url)
    store.uploads.change(upload, ("state",), expires=int(time.time()) - 1)
    for answer in (ann.head(url), ann.patch(url, 3, b"d"), ann.send("GET", url)):
        assert answer.status == 410
    assert ann.tus("DELETE", url).status == 204


def test_the_table_forgets_an_upload_by_itself(ann: Uploader) -> None:
    upload = stored(ann.create(9))
    item = dynamodb.get(keys.upload(upload.id))
    assert item is not None
    assert int(item["ttl"]["N"]) == upload.expires + store.uploads.KEPT_SECONDS
    assert not any("secret" in name and len(value["S"]) < 64 for name, value in item.items())


def test_the_sweep_takes_what_is_old_and_leaves_what_is_young(
    ann: Uploader, monkeypatch: pytest.MonkeyPatch
) -> None:
    young = ann.create(20 * MIB)
    ann.patch(young, 0, os.urandom(6 * MIB))
    ann.patch(young, 6 * MIB, b"tail")
    yesterday = time.time() - 26 * 3600
    with monkeypatch.context() as then:
        then.setattr(time, "time", lambda: yesterday)
        old = [store.uploads.create("", 0, length=20 * MIB)[0] for _ in range(3)]
    for upload in old:
        s3.put(upload.prefix + "tail", b"x")
        s3_multipart.create(upload.parts_key)

    services.upload_sweep.sweep(100)

    for upload in old:
        assert s3_multipart.keys_under(upload.prefix) == []
        assert s3_multipart.pending(upload.prefix) == []
    assert ann.head(young).offset == 6 * MIB + 4
    assert ann.patch(young, 6 * MIB + 4, b"more").status == 204


def test_creating_an_upload_sweeps_now_and_then(
    ann: Uploader, monkeypatch: pytest.MonkeyPatch
) -> None:
    swept: list[int] = []
    monkeypatch.setattr(services.upload_sweep, "sweep", swept.append)
    monkeypatch.setattr(services.upload_sweep, "_next_at", [0.0])
    ann.create(1)
    ann.create(1)
    assert len(swept) == 1


@pytest.mark.parametrize(
    "sizes",
    [
        (3, 4),
        (0, 3, 0),
        (0, 0),
        (6 * MIB, 6 * MIB, 5),
        (2 * MIB, 2 * MIB, 2 * MIB, 9 * MIB, 1, 6 * MIB),  # small ones fill up from large ones
        (6 * MIB, 3, 7 * MIB, 5 * MIB),
    ],
)
def test_partial_uploads_are_joined(ann: Uploader, sizes: tuple[int, ...]) -> None:
    pieces = [os.urandom(size) for size in sizes]
    urls = [ann.whole(piece, 6 * MIB, Upload_Concat="partial") for piece in pieces]

    final = "final;" + " ".join(["https://host.example" + urls[0], *urls[1:]])
    answer = ann.tus("POST", UPLOADS, Upload_Concat=final)

    assert answer.status == 201, answer
    url = answer.headers["Location"]
    assert content(url) == b"".join(pieces)
    head = ann.head(url)
    assert head.offset == int(head.headers["Upload-Length"]) == sum(sizes)
    assert head.headers["Upload-Concat"] == final
    assert ann.head(urls[0]).headers["Upload-Concat"] == "partial"
    assert ann.patch(url, sum(sizes), b"x").status == 403


def test_only_finished_parts_of_ones_own_are_joined(us: Uploaders) -> None:
    unfinished = us.ann.create(4, Upload_Concat="partial")
    whole = us.ann.whole(b"abc")
    foreign = us.bob.whole(b"abc", Upload_Concat="partial")
    for url, status in ((unfinished, 400), (whole, 400), (foreign, 404)):
        assert us.ann.tus("POST", UPLOADS, Upload_Concat=f"final;{url}").status == status


@pytest.mark.parametrize("first_bytes", [0, 3, 6 * MIB])
@pytest.mark.parametrize("chunk_bytes", [100, 4 * MIB, 6 * MIB])
def test_racing_chunks_have_one_winner(ann: Uploader, first_bytes: int, chunk_bytes: int) -> None:
    head = os.urandom(first_bytes)
    url = ann.create(first_bytes + chunk_bytes + 5 * MIB)
    if head:
        assert ann.patch(url, 0, head).status == 204
    chunks = [os.urandom(chunk_bytes) for _ in range(4)]
    barrier = threading.Barrier(len(chunks))

    def race(chunk: bytes) -> Answer:
        barrier.wait()
        return ann.patch(url, first_bytes, chunk)

    with ThreadPoolExecutor(len(chunks)) as pool:
        answers = list(pool.map(race, chunks))

    statuses = sorted(answer.status for answer in answers)
    assert statuses == [204, 409, 409, 409], answers
    winner = chunks[[answer.status for answer in answers].index(204)]
    rest = os.urandom(5 * MIB)
    assert ann.head(url).offset == first_bytes + chunk_bytes
    assert ann.patch(url, first_bytes + chunk_bytes, rest).status == 204
    assert content(url) == head + winner + rest


def test_another_process_goes_on_with_the_tail(ann: Uploader) -> None:
    data = os.urandom(9 * MIB)
    url = ann.create(len(data))
    for at in range(0, len(data), 3 * MIB):
        services.upload_bytes._last_tail[0] = services.upload_bytes._NO_TAIL
        assert ann.patch(url, at, data[at : at + 3 * MIB]).status == 204
    assert content(url) == data


def test_a_body_over_the_limit_of_requests_is_413(ann: Uploader, settings: Any) -> None:
    settings(body_limit_bytes="1000")
    url = ann.create(5000)
    assert ann.patch(url, 0, b"x" * 1001).status == 413
    assert ann.head(url).offset == 0


def test_no_object_of_an_upload_lies_where_records_have_theirs() -> None:
    assert PREFIX.startswith(".")
