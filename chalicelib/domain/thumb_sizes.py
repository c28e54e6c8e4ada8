"""The sizes that pictures are made in, and which part of the original each shows.

    WxH   crop to the middle     WxHt  to the top    WxHb  to the bottom
    WxHf  fit inside, never larger than the original
    0xH, Wx0  keep the ratio

Rounding and enlarging as PocketBase 0.40.6 does: measured on its thumbs.
"""

import math
import re
from typing import NamedTuple

ALWAYS = "100x100"
"""Every picture can be had in this size, listed or not."""

MOST_PIXELS = 40_000_000
"""Of an original or a thumb; 160 MB when decoded. A larger original is served as it is."""

TYPES = ("image/png", "image/jpeg", "image/gif", "image/webp")

_SIZE = re.compile(r"(\d{1,6})x(\d{1,6})([tbf]?)", re.ASCII)
_TOP = {"t": 0.0, "": 0.5, "b": 1.0}


class Size(NamedTuple):
    width: int
    height: int
    mode: str
    """t, b, f, or nothing for the middle."""


class Plan(NamedTuple):
    """The part of the original to take and the size to bring it to."""

    box: tuple[float, float, float, float]
    """Left, top, right, bottom."""
    width: int
    height: int


def parse(text: str) -> Size | None:
    """Return a size, None if it is none."""
    found = _SIZE.fullmatch(text)
    if found is None:
        return None
    size = Size(int(found[1]), int(found[2]), found[3])
    return size if size.width or size.height else None


def plan(size: Size, width: int, height: int) -> Plan | None:
    """Return how a picture of `width` x `height` becomes one of `size`, None if it is too large."""
    if not 0 < width * height <= MOST_PIXELS:
        return None
    if size.mode == "f":
        found = _fitted(size, width, height)
    elif size.width and size.height:
        found = _cropped(size, width, height)
    else:
        found = _scaled(size, width, height)
    return found if found.width * found.height <= MOST_PIXELS else None


def _whole(width: int, height: int, to_width: int, to_height: int) -> Plan:
    return Plan((0, 0, width, height), max(to_width, 1), max(to_height, 1))


def _fitted(size: Size, width: int, height: int) -> Plan:
    if not (size.width and size.height):
        return _scaled(size, width, height)
    if width <= size.width and height <= size.height:
        return _whole(width, height, width, height)
    if width / height > size.width / size.height:
        return _whole(width, height, size.width, int(size.width * height / width))
    return _whole(width, height, int(size.height * width / height), size.height)


def _scaled(size: Size, width: int, height: int) -> Plan:
    to_width = size.width or math.floor(size.height * width / height + 0.5)
    to_height = size.height or math.floor(size.width * height / width + 0.5)
    return _whole(width, height, to_width, to_height)


def _cropped(size: Size, width: int, height: int) -> Plan:
    scale = max(size.width / width, size.height / height)
    part_width = min(size.width / scale, width)
    part_height = min(size.height / scale, height)
    left = (width - part_width) / 2
    top = (height - part_height) * _TOP[size.mode]
    box = (left, top, left + part_width, top + part_height)
    return Plan(box, size.width, size.height)
