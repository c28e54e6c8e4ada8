"""The parts of the examples that need no API."""

import io

import pytest
from PIL import Image

from examples.functions.hello import hello
from examples.functions.slug import slug
from examples.functions.thumbnail import thumbnail

ORIENTATION, QUARTER_TURN = 0x0112, 6


class Context:
    def get_remaining_time_in_millis(self) -> int:
        return 3000


@pytest.mark.parametrize(
    ("event", "name"),
    [
        ({}, "world"),
        ({"name": "Ann"}, "Ann"),
        ({"queryStringParameters": {"name": "Bob"}}, "Bob"),
        ({"queryStringParameters": None}, "world"),
    ],
)
def test_hello_finds_the_name(event: dict[str, object], name: str) -> None:
    assert hello.lambda_handler(event, Context()) == {"message": f"Hello, {name}!"}


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("Hello, World!", "hello-world"),
        ("  Crème brûlée -- 2 ways ", "creme-brulee-2-ways"),
        ("日本語", ""),
        ("a" * 79 + " bc", "a" * 79),  # cut, but never with a hyphen at its end
    ],
)
def test_slug_of_a_title(title: str, expected: str) -> None:
    assert slug.slug_of(title) == expected


def test_a_slug_that_fits_is_left_alone() -> None:
    event = {"collection": "articles", "record": {"id": "1", "title": "A b", "slug": "a-b"}}
    assert slug.lambda_handler(event, Context()) == {"changed": False}


def shrunk(picture: Image.Image, kind: str, **options: object) -> Image.Image:
    made = io.BytesIO()
    picture.save(made, kind, **options)
    return Image.open(io.BytesIO(thumbnail.shrink(made.getvalue())))


def test_a_thumbnail_is_small_and_upright() -> None:
    exif = Image.Exif()
    exif[ORIENTATION] = QUARTER_TURN
    small = shrunk(Image.new("RGB", (1000, 500), "red"), "JPEG", exif=exif)
    assert (small.format, small.size) == ("JPEG", (100, 200))
    assert not small.getexif()


def test_what_is_transparent_becomes_white() -> None:
    small = shrunk(Image.new("RGBA", (300, 300), (0, 0, 0, 0)), "PNG")
    assert small.getpixel((5, 5)) == (255, 255, 255)


def test_a_small_picture_is_not_blown_up() -> None:
    assert shrunk(Image.new("P", (20, 10)), "PNG").size == (20, 10)
