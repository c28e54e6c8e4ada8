"""The tus headers, and the row of part numbers of an upload."""

import hashlib
from base64 import b64encode

import pytest

from chalicelib.domain import tus, upload
from chalicelib.domain.tus import TusError, Wanted


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"upload-length": "0"}, Wanted(0, "", "")),
        ({"upload-length": "7", "upload-concat": "partial"}, Wanted(7, "", "partial")),
        ({"upload-defer-length": "1"}, Wanted(None, "", "")),
        # The length of a concatenation is that of its parts.
        ({"upload-concat": "final;/a /b"}, Wanted(None, "", "final;/a /b")),
        ({"upload-length": "1", "upload-metadata": " a YQ==, b "}, Wanted(1, "a YQ==, b", "")),
    ],
)
def test_a_creation_is_read(headers: dict[str, str], expected: Wanted) -> None:
    assert tus.wanted(headers) == expected


def test_metadata_may_be_any_text() -> None:
    name = "größte Datei 🎉.tar.gz"
    text = f"filename {b64encode(name.encode()).decode()},empty,also ,raw /w=="
    assert tus.read_metadata(text) == {"filename": name, "empty": "", "also": "", "raw": "\ufffd"}


@pytest.mark.parametrize("text", ["a b c", "a YQ==,a YQ==", ",", "ä YQ==", "a =="])
def test_bad_metadata_is_refused(text: str) -> None:
    with pytest.raises(TusError) as refused:
        tus.read_metadata(text)
    assert refused.value.status == 400


@pytest.mark.parametrize("algorithm", tus.ALGORITHMS)
def test_a_checksum_is_held_to(algorithm: str) -> None:
    digest = hashlib.new(algorithm, b"abc").digest()
    headers = {"upload-checksum": f"{algorithm} {b64encode(digest).decode()}"}
    tus.require_checksum(headers, b"abc")
    with pytest.raises(TusError) as refused:
        tus.require_checksum(headers, b"abd")
    assert refused.value.status == 460


def test_partial_uploads_are_named_by_the_end_of_their_urls() -> None:
    concat = "final;/api/uploads/one https://host/api/api/uploads/two/ three"
    assert tus.partial_uploads(concat) == ["one", "two", "three"]
    with pytest.raises(TusError):
        tus.partial_uploads("final;" + "a " * 101)


def test_an_expiry_is_an_http_date() -> None:
    assert tus.expires(784111777) == "Sun, 06 Nov 1994 08:49:37 GMT"


def test_part_numbers_are_kept_as_ranges() -> None:
    parts = ""
    numbers = [1, 2, 3, 7, 9, 10, 11, 9_999, 10_000]
    for number in numbers:
        parts = upload.with_part(parts, number)
    assert parts == "1-3,7,9-11,9999-10000"
    assert list(upload.part_numbers(parts)) == numbers
    assert list(upload.part_numbers("")) == []
