"""Thumbs of all sizes, of all that is and is not a picture: size, format, corners, headers."""

import io
from typing import Any

import pytest
from PIL import Image

from tests.conformance.client import Answer
from tests.conformance.files import HEADERS, levelled, one, post
from tests.conformance.pair import Pair
from tests.conformance.scenario import Step
from tests.conformance.world import Side, World, base, field_of
from tests.integration.file_client import picture

SIZES = ["50x40", "50x40t", "50x40b", "50x40f", "0x30", "30x0", "500x500", "12x5"]

WORLD = World(collections=(base("th", field_of("file", "f", thumbs=SIZES)),))


def drawn(
    kind: str = "PNG", mode: str = "RGB", size: tuple[int, int] = (120, 80), **options: Any
) -> bytes:
    image = Image.open(io.BytesIO(picture(*size))).convert(mode)
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def turned(orientation: int) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return drawn("JPEG", exif=exif.tobytes())


def grey_16() -> bytes:
    out = io.BytesIO()
    Image.new("I;16", (120, 80), 30000).save(out, "PNG")
    return out.getvalue()


def see_through(kind: str) -> bytes:
    out = io.BytesIO()
    Image.new("RGBA", (120, 80), (10, 20, 30, 100)).save(out, kind, lossless=True)
    return out.getvalue()


def two_in_one() -> bytes:
    """A photo with a second one behind it."""
    image = Image.open(io.BytesIO(drawn()))
    out = io.BytesIO()
    image.save(out, "MPO", save_all=True, append_images=[image])
    return out.getvalue()


PICTURES = {
    "double.jpg": two_in_one(),
    "wide.png": drawn(),
    "high.png": drawn(size=(80, 120)),
    "small.png": drawn(size=(10, 6)),
    "palette.png": drawn(mode="P"),
    "grey.png": drawn(mode="LA"),
    "grey16.png": grey_16(),
    "clear.png": see_through("PNG"),
    "clear.webp": see_through("WEBP"),
    "photo.jpg": drawn("JPEG"),
    "cmyk.jpg": drawn("JPEG", "CMYK"),
    "progressive.jpg": drawn("JPEG", progressive=True),
    "large.jpg": drawn("JPEG", size=(1200, 800)),
    "moving.gif": drawn("GIF", "P"),
    "web.webp": drawn("WEBP"),
    **{f"turned{n}.jpg": turned(n) for n in range(1, 9)},
    "named.txt": drawn(),
    "bitmap.bmp": drawn("BMP"),
    "tagged.tiff": drawn("TIFF"),
    "broken.png": b"\x89PNG\r\n\x1a\nnot",
    "cut.png": drawn()[:150],
    "text.png": b"hello",
    "svg.svg": b'<svg xmlns="http://www.w3.org/2000/svg"></svg>',
}
MADE = [(name, "50x40") for name in PICTURES] + [
    (name, size)
    for name in ("wide.png", "high.png", "small.png", "photo.jpg")
    for size in (*SIZES, "100x100", "60x60", "100x100f", "0x0", "x", "50x40 ", "50X40", "")
    if (name, size) not in (("small.png", "12x5"),)  # whose crop is a rounding of half a pixel
]
MOST_DIFFERENCE = 24
"""Of a corner's colour: two scalers, and two JPEG encoders, are not the same to the bit."""


def _thumb(side: Side, name: str, size: str) -> tuple[Answer, Answer]:
    made = side.send(post("th", one(PICTURES[name], name))).json
    path = f"/api/files/th/{made['id']}/{made['f']}"
    first = side.send(Step("GET", path, query={"thumb": size}))
    again = side.send(Step("GET", path, query={"thumb": size}))
    assert (again.status, again.content) == (first.status, first.content)
    return first, side.send(Step("GET", path))


def _seen(content: bytes) -> tuple[Any, list[int]]:
    """Return what is the same in two thumbs, and the colours of their corners."""
    try:
        image = Image.open(io.BytesIO(content))
        pixels: Any = image.convert("RGBA")
    except OSError:
        return "no picture", []
    right, bottom = image.width - 1, image.height - 1
    corners = [pixels.getpixel(at) for at in ((0, 0), (right, 0), (0, bottom), (right, bottom))]
    frames = getattr(image, "n_frames", 1)
    return (image.format, image.mode, image.size, frames), [n for each in corners for n in each]


@pytest.mark.parametrize(("name", "size"), MADE)
def test_thumbs(pair: Pair, name: str, size: str) -> None:
    (theirs, original), (ours, _) = (_thumb(side, name, size) for side in (pair.theirs, pair.ours))
    compared = [header for header in HEADERS if header not in ("content-length", "last-modified")]
    told = [[levelled(each.headers.get(h, "-")) for h in compared] for each in (theirs, ours)]
    assert told[0] == told[1]
    shown = [_seen(answer.content) for answer in (theirs, ours)]
    assert shown[0][0] == shown[1][0]
    worst = max((abs(a - b) for a, b in zip(shown[0][1], shown[1][1], strict=True)), default=0)
    assert worst <= MOST_DIFFERENCE
    if theirs.content == original.content and shown[0][0] != "no picture":
        assert _seen(original.content)[0] == shown[1][0]
