"""A finished upload as a field's value, and uploads that go straight to S3."""

import json
import os
import urllib.error
import urllib.request
from typing import Any

import pytest

from chalicelib import config, services
from chalicelib.aws import s3, s3_multipart
from tests.integration.upload_client import MIB, UPLOADS, Uploader, Uploaders, uploaders

DOCS = "/api/collections/docs/records"
PNG = b"\x89PNG\r\n\x1a\n" + bytes(64)
MULTIPART = UPLOADS + "/s3/multipart"
FIELDS = [
    {"name": "title", "type": "text", "max": 10},
    {"name": "one", "type": "file", "maxSize": 20 * MIB},
    {"name": "many", "type": "file", "maxSelect": 3, "maxSize": 20 * MIB},
    {"name": "picture", "type": "file", "maxSize": 100, "mimeTypes": ["image/png"]},
]


@pytest.fixture(scope="module")
def us(table: str) -> Uploaders:
    from tools import bootstrap  # noqa: PLC0415 - reads the environment that local_aws sets

    bootstrap.main()
    us = uploaders()
    rules = {
        "createRule": "@request.auth.email != 'bob@example.com'",
        "updateRule": "@request.auth.id != ''",
        "viewRule": "",
    }
    body = {"name": "docs", "type": "base", "fields": FIELDS, **rules}
    us.api.as_root("POST", "/api/collections", body)
    return us


def token_of(url: str) -> str:
    return url.rpartition("/")[2]


def file_of(record: dict[str, Any], name: str) -> bytes:
    return s3.get(f"{record['collectionId']}/{record['id']}/{name}")


def create(us: Uploaders, who: Uploader, **values: Any) -> Any:
    return us.api("POST", DOCS, values, who.token)


def test_an_upload_becomes_the_file_of_a_record(us: Uploaders) -> None:
    data = os.urandom(11 * MIB)
    url = us.ann.whole(data, Upload_Metadata="filename aG9saWRheS5tcDQ=")

    answer = create(us, us.ann, title="x", one={"upload": token_of(url)})

    assert answer.status == 200, answer
    assert answer.body["one"].startswith("holiday_")
    assert answer.body["one"].endswith(".mp4")
    assert file_of(answer.body, answer.body["one"]) == data
    assert us.ann.head(url).status == us.ann.patch(url, 0, b"x").status == 410
    assert us.ann.tus("DELETE", url).status == 410
    assert s3_multipart.keys_under(".uploads/" + token_of(url)[:20]) == []


def test_uploads_stand_in_lists_beside_names_and_with_modifiers(us: Uploaders) -> None:
    first = us.ann.whole(b"first")
    body = {"many": [{"upload": url_and_all(first), "name": "eins.txt"}]}
    record = create(us, us.ann, **body).body
    assert [name[:5] for name in record["many"]] == ["eins_"]

    second, third = us.ann.whole(b"second"), us.ann.whole(b"")
    path = f"{DOCS}/{record['id']}"
    more = {"many+": [{"upload": token_of(second)}, {"upload": token_of(third)}]}
    record = us.api("PATCH", path, more, us.ann.token).body
    assert [file_of(record, name) for name in record["many"]] == [b"first", b"second", b""]

    fourth = us.ann.whole(b"fourth")
    kept = {"many": [record["many"][1], {"upload": token_of(fourth)}]}
    record = us.api("PATCH", path, kept, us.ann.token).body
    assert [file_of(record, name) for name in record["many"]] == [b"second", b"fourth"]


def url_and_all(path: str) -> str:
    return "https://host.example" + path


def test_a_batch_takes_uploads(us: Uploaders) -> None:
    us.api.as_root("PATCH", "/api/settings", {"batch": {"enabled": True, "maxRequests": 10}})
    one, two = us.ann.whole(b"one"), us.ann.whole(b"two")
    requests = [
        {"method": "POST", "url": DOCS, "body": {"one": {"upload": token_of(url)}}}
        for url in (one, two)
    ]
    answer = us.api("POST", "/api/batch", {"requests": requests}, us.ann.token)
    assert answer.status == 200, answer
    found = [file_of(part["body"], part["body"]["one"]) for part in answer.body]
    assert found == [b"one", b"two"]

    twice = us.ann.whole(b"twice")
    for request in requests:
        request["body"] = {"one": {"upload": token_of(twice)}}
    answer = us.api("POST", "/api/batch", {"requests": requests}, us.ann.token)
    assert answer.status == 400
    assert us.ann.head(twice).status == 200, "it was not used"


def test_what_a_field_refuses_leaves_the_upload_as_it_was(us: Uploaders) -> None:
    for content, code in (
        (b"not a picture", "validation_invalid_mime_type"),
        (PNG + bytes(100), "validation_file_size_limit"),
    ):
        # The name and the type that the client gives prove nothing.
        metadata = "filename YS5wbmc=,filetype aW1hZ2UvcG5n"
        url = us.ann.whole(content, Upload_Metadata=metadata)
        answer = create(us, us.ann, picture={"upload": token_of(url)})
        assert (answer.status, answer.body["data"]["picture"]["code"]) == (400, code)
        assert us.ann.head(url).status == 200
    url = us.ann.whole(PNG)
    refused = create(us, us.ann, title="much too long", picture={"upload": token_of(url)})
    assert set(refused.body["data"]) == {"title"}
    assert create(us, us.ann, picture={"upload": token_of(url)}).status == 200
    assert create(us, us.ann, picture={"upload": token_of(url)}).status == 400, "used"


def test_an_upload_is_for_its_maker_under_the_collections_rules(us: Uploaders) -> None:
    url = us.ann.whole(b"mine")
    other = us.bob.whole(b"bob's")
    record = create(us, us.ann).body
    path = f"{DOCS}/{record['id']}"
    stolen = us.api("PATCH", path, {"one": {"upload": token_of(url)}}, us.bob.token)
    assert stolen.body["data"]["one"]["code"] == "validation_invalid_file"
    root = us.api("PATCH", path, {"one": {"upload": token_of(url)}}, us.api.root)
    assert root.status == 400, "not even a superuser's"
    assert create(us, us.bob, one={"upload": token_of(other)}).body["data"] == {}, "createRule"
    assert us.bob.head(other).status == us.ann.head(url).status == 200


@pytest.mark.parametrize(
    "value",
    [
        {"upload": "nothing"},
        {"upload": 7},
        {"upload": None},
        {"upload": ""},
        {"upload": "0" * 52},
        [{"upload": "nothing"}],
    ],
)
def test_what_names_no_upload_is_an_error_of_the_field(us: Uploaders, value: Any) -> None:
    answer = create(us, us.ann, one=value)
    assert answer.status == 400
    assert answer.body["data"]["one"]["code"] == "validation_invalid_file"


def test_only_whole_finished_uploads_are_taken(us: Uploaders) -> None:
    unfinished = us.ann.create(5)
    partial = us.ann.whole(b"abc", Upload_Concat="partial")
    for url in (unfinished, partial):
        answer = create(us, us.ann, one={"upload": token_of(url)})
        assert answer.body["data"]["one"]["code"] == "validation_invalid_file"
    final = us.ann.tus("POST", UPLOADS, b"", Upload_Concat=f"final;{partial}").headers["Location"]
    record = create(us, us.ann, one={"upload": token_of(final)}).body
    assert file_of(record, record["one"]) == b"abc"


def test_a_large_object_is_copied_in_slices(us: Uploaders, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(s3_multipart, "COPY_BYTES", 6 * MIB)
    data = os.urandom(16 * MIB + 1)
    record = create(us, us.ann, one={"upload": token_of(us.ann.whole(data, 16 * MIB))}).body
    assert file_of(record, record["one"]) == data


class Direct:
    """Speaks as Uppy's S3 plugin does."""

    def __init__(self, who: Uploader) -> None:
        self.who = who

    def __call__(self, method: str, path: str = "", body: Any = None) -> tuple[int, Any]:
        raw = b"" if body is None else json.dumps(body).encode()
        answer = self.who.send(method, MULTIPART + path, raw, content_type="application/json")
        return answer.status, json.loads(answer.body) if answer.body else None

    def create(self) -> str:
        body = {"filename": "a b.bin", "type": "video/mp4", "metadata": {"name": "x", "n": 1}}
        status, made = self("POST", "", body)
        assert status == 200
        assert made["key"] == made["uploadId"]
        upload_id: str = made["uploadId"]
        return upload_id

    def put(self, upload_id: str, number: int, content: bytes) -> dict[str, Any]:
        status, signed = self("GET", f"/{upload_id}/{number}")
        assert status == 200, signed
        request = urllib.request.Request(signed["url"], content, method=signed["method"])
        with urllib.request.urlopen(request) as response:
            return {"PartNumber": number, "ETag": response.headers["ETag"]}


def test_a_direct_upload_becomes_the_file_of_a_record(us: Uploaders) -> None:
    direct = Direct(us.ann)
    data = os.urandom(11 * MIB)
    upload_id = direct.create()
    second = direct.put(upload_id, 2, data[5 * MIB :])
    first = direct.put(upload_id, 1, data[: 5 * MIB])
    status, listed = direct("GET", f"/{upload_id}")
    assert (status, [(part["PartNumber"], part["Size"]) for part in listed]) == (
        200,
        [(1, 5 * MIB), (2, 6 * MIB)],
    )
    assert direct("GET", f"/{upload_id}/batch")[0] == 400, "no numbers"

    assert direct("POST", f"/{upload_id}/complete", {"parts": [second, first]})[0] == 400
    assert direct("POST", f"/{upload_id}/complete", {"parts": []})[0] == 400
    assert direct("POST", f"/{upload_id}/complete", {"parts": [{"PartNumber": 1}]})[0] == 400
    wrong = {"PartNumber": 2, "ETag": first["ETag"]}
    assert direct("POST", f"/{upload_id}/complete", {"parts": [first, wrong]})[0] == 400
    assert create(us, us.ann, one={"upload": upload_id}).status == 400, "not complete"
    for _ in range(2):  # an answer that was lost is asked for again
        status, done = direct("POST", f"/{upload_id}/complete", {"parts": [first, second]})
        assert (status, done["size"]) == (200, 11 * MIB)
    assert direct("GET", f"/{upload_id}/3")[0] == 400, "complete"

    record = create(us, us.ann, one={"upload": upload_id}).body
    assert record["one"].startswith("a_b_")
    assert file_of(record, record["one"]) == data


def test_a_direct_upload_is_its_makers_alone(us: Uploaders) -> None:
    upload_id = Direct(us.ann).create()
    for method, path in (
        ("GET", ""),
        ("GET", "/1"),
        ("POST", "/complete"),
        ("DELETE", ""),
    ):
        assert Direct(us.bob)(method, f"/{upload_id}{path}", {"parts": []})[0] == 404
        assert Direct(us.guest)(method, f"/{upload_id}{path}", {"parts": []})[0] == 401
    assert Direct(us.guest)("POST", "", {"filename": "x"})[0] == 401
    assert Direct(us.ann)("GET", f"/{upload_id}/10001")[0] == 400
    assert Direct(us.ann)("GET", f"/{upload_id}/x")[0] == 400
    url = f"{UPLOADS}/{upload_id}"
    assert us.ann.patch(url, 0, b"abc").status == 403
    assert Direct(us.ann)("GET", f"/{token_of(us.ann.create(3))}")[0] == 400


def test_an_aborted_direct_upload_takes_no_part(us: Uploaders) -> None:
    direct = Direct(us.ann)
    upload_id = direct.create()
    url = direct("GET", f"/{upload_id}/1")[1]["url"]
    direct.put(upload_id, 1, b"abc")
    assert direct("DELETE", f"/{upload_id}") == (200, {})
    with pytest.raises(urllib.error.HTTPError, match="404") as refused:
        urllib.request.urlopen(urllib.request.Request(url, b"late", method="PUT"))
    refused.value.close()
    assert direct("GET", f"/{upload_id}")[0] == 404
    assert s3_multipart.pending(".uploads/" + upload_id[:20]) == []


def test_a_direct_upload_over_the_limit_is_removed(
    us: Uploaders, monkeypatch: pytest.MonkeyPatch
) -> None:
    direct = Direct(us.ann)
    upload_id = direct.create()
    part = direct.put(upload_id, 1, b"abcdef")
    limited = config.Settings(upload_limit_bytes=5)
    monkeypatch.setattr(services.uploads, "settings", lambda: limited)
    status, answer = direct("POST", f"/{upload_id}/complete", {"parts": [part]})
    assert (status, "5 bytes" in answer["message"]) == (413, True)
    assert s3_multipart.pending(".uploads/" + upload_id[:20]) == []
