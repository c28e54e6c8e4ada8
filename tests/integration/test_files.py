"""Files beyond what PocketBase does: tags, links to the bucket, limits, races, what is stored."""

import threading
import time
import urllib.error
import urllib.request
from typing import Any
from urllib.parse import parse_qs, urlsplit

import boto3
import pytest

from chalicelib import config, services, store
from chalicelib.aws import s3, s3_files
from chalicelib.domain import file_answers
from chalicelib.errors import UnavailableError
from chalicelib.services import file_sweep
from chalicelib.web import limits
from tests.conformance.client import Part
from tests.integration.auth_client import Client
from tests.integration.file_client import Files, picture, stored_objects, upload

pytestmark = pytest.mark.usefixtures("table")

FILE = {"name": "f", "type": "file", "maxSize": 40_000_000, "thumbs": ["20x10", "30000x30000"]}
FILES = {"name": "fs", "type": "file", "maxSelect": 9}


@pytest.fixture(scope="module")
def files(table: str) -> Files:
    files = Files(Client())
    files.collection("docs", FILE, FILES)
    return files


@pytest.fixture
def small_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    limited = config.settings()._replace(download_limit_bytes=1000, payload_limit_bytes=5000)
    for module in (services.files, limits):
        monkeypatch.setattr(module, "settings", lambda: limited)


def fetch(url: str, **headers: str) -> tuple[int, dict[str, str], bytes]:
    request = urllib.request.Request(url, headers=headers)
    try:
        with urllib.request.urlopen(request) as answer:
            named = {name.lower(): value for name, value in answer.headers.items()}
            return answer.status, named, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, {}, error.read()


def test_a_file_lies_under_collection_record_and_name(files: Files) -> None:
    record = files.create("docs", upload("one.txt", "hello"))
    key = f"{record['collectionId']}/{record['id']}/{record['f']}"
    assert stored_objects(f"{record['collectionId']}/{record['id']}/") == {key}
    kept = boto3.client("s3").head_object(Bucket=config.settings().bucket_name, Key=key)
    assert kept["ContentType"] == "text/plain; charset=utf-8"


def test_a_download_is_revalidated_by_its_tag(files: Files) -> None:
    record = files.create("docs", upload("one.txt", "hello"))
    tag = files.get(record, record["f"]).headers["etag"]
    assert files.get(record, record["f"], if_none_match=tag).status == 304
    assert files.get(record, record["f"], if_none_match=f'"x", W/{tag}').status == 304
    assert files.get(record, record["f"], if_match=tag).status == 200
    assert files.get(record, record["f"], if_match=f"W/{tag}").status == 412
    part = files.get(record, record["f"], range="bytes=1-2", if_range=tag)
    assert (part.status, part.content) == (206, b"el")


def test_several_ranges_are_answered_in_parts(files: Files) -> None:
    record = files.create("docs", upload("one.txt", "0123456789"))
    answer = files.get(record, record["f"], range="bytes=0-0,3-4,-1")
    kind, _, boundary = answer.headers["content-type"].partition("; boundary=")
    assert (answer.status, kind) == (206, "multipart/byteranges")
    parts = answer.content.split(f"--{boundary}".encode())[1:-1]
    assert [part.split(b"\r\n\r\n")[1].strip() for part in parts] == [b"0", b"34", b"9"]
    assert b"Content-Range: bytes 3-4/10" in parts[1]


@pytest.mark.usefixtures("small_limits")
class TestAboveTheLimits:
    def test_a_large_file_is_answered_with_a_link(self, files: Files) -> None:
        content = b"<script>" + b"x" * 2000
        record = files.create("docs", upload("page.html", content))
        answer = files.get(record, record["f"])
        assert (answer.status, answer.content) == (307, b"")
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["content-security-policy"] == file_answers.SECURITY_POLICY
        status, headers, body = fetch(answer.headers["location"])
        assert (status, body) == (200, content)
        assert headers["content-type"].startswith("text/html")
        assert headers["content-disposition"] == f'attachment; filename="{record["f"]}"'

    def test_the_link_is_for_this_object_and_not_for_long(self, files: Files) -> None:
        record = files.create("docs", upload("large.bin", b"x" * 2000))
        link = files.get(record, record["f"]).headers["location"]
        parts = urlsplit(link)
        assert int(parse_qs(parts.query)["X-Amz-Expires"][0]) == services.files.LINK_SECONDS <= 600
        other = link.replace(record["f"], "other.bin")
        assert fetch(other)[0] == 403
        assert fetch(link.replace("attachment", "inline"))[0] == 403

    def test_a_range_follows_the_link(self, files: Files) -> None:
        record = files.create("docs", upload("large.bin", b"x" * 1999 + b"y"))
        answer = files.get(record, record["f"], range="bytes=-1")
        assert answer.status == 307
        assert fetch(answer.headers["location"], Range="bytes=-1")[::2] == (206, b"y")

    def test_conditions_and_heads_of_large_files_need_no_link(self, files: Files) -> None:
        record = files.create("docs", upload("large.bin", b"x" * 2000))
        head = files.send("HEAD", files.url(record, record["f"]))
        assert (head.status, head.headers["content-length"]) == (200, "2000")
        tag = head.headers["etag"]
        assert files.get(record, record["f"], if_none_match=tag).status == 304
        assert files.get(record, record["f"], if_match='"x"').status == 412

    def test_a_small_thumb_of_a_large_picture_is_answered_itself(self, files: Files) -> None:
        record = files.create("docs", upload("large.png", picture(700, 700)))
        assert files.get(record, record["f"]).status == 307
        assert files.get(record, record["f"], "?thumb=20x10").status == 200

    def test_a_protected_file_has_no_link_without_a_token(self, files: Files) -> None:
        files.collection("secrets", FILE | {"protected": True}, viewRule="@request.auth.id != ''")
        record = files.create("secrets", upload("large.bin", b"x" * 2000))
        assert files.get(record, record["f"]).status == 404
        token = files.send("POST", "/api/files/token", token=files.client.root).json["token"]
        assert files.get(record, record["f"], f"?token={token}").status == 307

    def test_too_large_a_request_names_the_way_around_it(self, files: Files) -> None:
        before = stored_objects()
        parts = (upload("large.bin", b"x" * 6000),)
        answer = files.form("POST", "/api/collections/docs/records", *parts)
        assert (answer.status, answer.json["status"], answer.json["data"]) == (413, 413, {})
        assert "5000 bytes" in answer.json["message"]
        assert "/api/uploads" in answer.json["message"]
        assert stored_objects() == before


def test_a_file_read_in_two_steps_is_whole(files: Files) -> None:
    content = bytes(range(256)) * 2000
    record = files.create("docs", upload("middle.bin", content))
    assert files.get(record, record["f"]).content == content
    assert (
        files.get(record, record["f"], range="bytes=300000-300003").content == content[300000:][:4]
    )


def test_a_thumb_is_made_once_and_kept(files: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    record = files.create("docs", upload("a picture.png", picture()))
    first = files.get(record, record["f"], "?thumb=20x10")
    folder = f"{record['collectionId']}/{record['id']}/thumbs_{record['f']}/"
    assert stored_objects(folder) == {f"{folder}20x10_{record['f']}"}
    monkeypatch.setattr(services.thumbs, "make", lambda *_: pytest.fail("made again"))
    assert files.get(record, record["f"], "?thumb=20x10").content == first.content
    assert files.get(record, record["f"], "?thumb=20x10", range="bytes=0-3").content == b"\x89PNG"


def test_thumbs_go_with_their_picture_and_others_stay(files: Files) -> None:
    pictures = (upload("one.png", picture(), "fs"), upload("two.png", picture(), "fs"))
    record = files.create("docs", *pictures)
    for name in record["fs"]:
        assert files.get(record, name, "?thumb=100x100").content != picture()
    gone, kept = record["fs"]
    files.update(record, Part("fs-", gone))
    folder = f"{record['collectionId']}/{record['id']}/"
    assert stored_objects(folder) == {f"{folder}{kept}", f"{folder}thumbs_{kept}/100x100_{kept}"}


def test_a_thumb_of_a_file_that_goes_meanwhile_does_not_stay(
    files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = files.create("docs", upload("one.png", picture()))
    get = store.files.get

    def get_and_delete(key: str) -> bytes:
        content = get(key)
        files.send("DELETE", f"/api/collections/docs/records/{record['id']}")
        return content

    monkeypatch.setattr(store.files, "get", get_and_delete)
    assert files.get(record, record["f"], "?thumb=20x10").status == 404
    assert stored_objects(f"{record['collectionId']}/{record['id']}/") == set()


def test_a_bomb_is_served_as_it_came(files: Files) -> None:
    """Few bytes that would unpack to 4 GB of pixels; and a thumb of 900 million."""
    header = b"\x00\x00\x00\x0dIHDR" + (32768).to_bytes(4) * 2 + b"\x08\x06\x00\x00\x00"
    bomb = b"\x89PNG\r\n\x1a\n" + header + b"\0" * 200
    record = files.create("docs", upload("bomb.png", bomb))
    assert files.get(record, record["f"], "?thumb=20x10").content == bomb
    record = files.create("docs", upload("fine.png", picture()))
    assert files.get(record, record["f"], "?thumb=30000x30000").content == picture()


def test_a_collection_made_again_sees_no_old_file(files: Files) -> None:
    first = files.collection("phoenix", FILE)
    record = files.create("phoenix", Part("id", "phoenix00000001"), upload("one.txt", "old"))
    again = files.collection("phoenix", FILE)
    assert again["id"] == first["id"]
    assert files.get(record, record["f"]).status == 404
    body = {"id": "phoenix00000001", "f": record["f"]}
    refused = files.client("POST", "/api/collections/phoenix/records", body)
    assert refused.status == 400
    made = files.create("phoenix", Part("id", "phoenix00000001"), upload("one.txt", "new"))
    assert files.get(made, made["f"]).content == b"new"
    assert stored_objects(f"{first['id']}/") == {f"{first['id']}/phoenix00000001/{made['f']}"}


def test_files_go_with_a_deleted_collection(files: Files) -> None:
    made = files.collection("mortal", FILE, FILES)
    for _ in range(25):
        files.create("mortal", upload("one.txt", "1"), upload("two.txt", "2", "fs"))
    assert len(stored_objects(f"{made['id']}/")) == 50
    files.client.as_root("DELETE", "/api/collections/mortal")
    assert stored_objects(f"{made['id']}/") == set()


def test_a_refused_write_stores_nothing(files: Files) -> None:
    index = "CREATE UNIQUE INDEX idx_t ON only_one (t)"
    files.collection("only_one", FILE, {"name": "t", "type": "text"}, indexes=[index])
    files.create("only_one", Part("t", "x"), upload("one.txt", "1"))
    before = stored_objects()
    again = files.form(
        "POST", "/api/collections/only_one/records", Part("t", "x"), upload("one.txt", "1")
    )
    assert again.status == 400
    assert stored_objects() == before
    assert store.sweeps.due(10) == []


def test_a_bucket_that_fails_at_the_second_file_keeps_none(
    files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = stored_objects(), files.client.as_root("GET", "/api/collections/docs/records")
    put = store.files.put
    done: list[str] = []

    def failing_put(key: str, content: Any) -> None:
        if done:
            raise UnavailableError
        done.append(key)
        put(key, content)

    monkeypatch.setattr(store.files, "put", failing_put)
    parts = (upload("one.txt", "1"), upload("two.txt", "2", "fs"))
    assert files.form("POST", "/api/collections/docs/records", *parts).status == 503
    assert len(done) == 1
    after = stored_objects(), files.client.as_root("GET", "/api/collections/docs/records")
    assert after == before


def test_a_file_that_somebody_took_from_the_bucket_is_not_found(files: Files) -> None:
    record = files.create("docs", upload("one.png", picture()))
    s3_files.delete([f"{record['collectionId']}/{record['id']}/{record['f']}"])
    assert files.get(record, record["f"]).status == 404
    assert files.get(record, record["f"], "?thumb=20x10").status == 404
    assert files.send("HEAD", files.url(record, record["f"])).status == 404
    files.update(record, Part("f", ""))


def test_a_bucket_that_fails_after_the_commit_is_swept_later(
    files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = files.create("docs", upload("one.txt", "1"))
    with monkeypatch.context() as patch:
        patch.setattr(s3_files, "delete", lambda _names: (_ for _ in ()).throw(s3.S3Error("no")))
        files.update(record, Part("f", ""))
    folder = f"{record['collectionId']}/{record['id']}/"
    assert len(stored_objects(folder)) == 1
    assert services.file_sweep.work(20)
    assert stored_objects(folder) == set()


def test_racing_updates_of_one_record_leave_the_winners_files(files: Files) -> None:
    record = files.create("docs", upload("start.txt", "s"))

    def write(number: int) -> None:
        files.update(record, upload(f"racer{number}.txt", f"{number}", "fs+"))

    threads = [threading.Thread(target=write, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    now = files.client.as_root("GET", f"/api/collections/docs/records/{record['id']}")
    assert sorted(name[:6] for name in now["fs"]) == [f"racer{n}" for n in range(6)]
    folder = f"{record['collectionId']}/{record['id']}/"
    assert stored_objects(folder) == {f"{folder}{name}" for name in (now["f"], *now["fs"])}


def test_a_slow_upload_outlasts_the_window_of_a_write(
    files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services.session, "WRITE_WINDOW_SECONDS", 0.3)
    put = store.files.put
    calls: list[str] = []

    def slow_put(key: str, content: Any) -> None:
        calls.append(key)
        threading.Event().wait(0.5)
        put(key, content)

    monkeypatch.setattr(store.files, "put", slow_put)
    record = files.create("docs", upload("slow.txt", "slow"))
    assert len(calls) == 1
    assert files.get(record, record["f"]).content == b"slow"


def test_a_commit_whose_note_was_claimed_stores_nothing(
    files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process so slow that a sweep took it for dead: its files are gone, so it starts again."""
    renew = services.session.Session.renew
    swept: list[bool] = []

    def swept_renew(session: Any) -> None:
        if not swept:
            with monkeypatch.context() as patch:
                late = time.time() + store.sweeps.UPLOAD_SECONDS + 60
                patch.setattr(time, "time", lambda: late)
                swept.append(services.file_sweep.work(20))
        renew(session)

    monkeypatch.setattr(services.session.Session, "renew", swept_renew)
    record = files.create("docs", upload("late.txt", "late"))
    assert swept == [True]
    assert files.get(record, record["f"]).content == b"late"
    folder = f"{record['collectionId']}/{record['id']}/"
    assert stored_objects(folder) == {f"{folder}{record['f']}"}


def test_a_sweep_ends_in_its_time(files: Files) -> None:
    for sweep in [store.sweeps.of([f"nobody/{n}/x.txt"])[0] for n in range(3)]:
        store.sweeps.announce(sweep)
    assert not file_sweep.work(0)
    assert file_sweep.work(20)
    assert store.sweeps.due(10) == []


def test_lists_and_deletes_go_beyond_a_thousand_keys(files: Files) -> None:
    client = boto3.client("s3")
    names = [f"many/{number:04d} & <ü>" for number in range(1005)]
    for name in names:
        client.put_object(Bucket=config.settings().bucket_name, Key=name, Body=b"")
    assert list(s3_files.keys("many/")) == names
    s3_files.delete(names)
    assert stored_objects("many/") == set()


@pytest.mark.parametrize(
    "name",
    [
        "../../x",
        "..",
        "%2e%2e",
        "a/../b",
        "thumbs_x/20x10_x",
        "\x00",
        "x" * 3000,
        "ü☃",
        "%",
        "' OR 1",
    ],
)
def test_a_path_leads_nowhere_else(files: Files, name: str) -> None:
    record = files.create("docs", upload("one.txt", "1"))
    for path in (f"/api/files/docs/{record['id']}/{name}", f"/api/files/docs/{name}/{record['f']}"):
        assert files.send("GET", path.replace("?", "%3F")).status == 404
