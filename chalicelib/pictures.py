"""Smaller pictures, with Pillow: imported with the first one, 20 ms later than everything else.

What is decoded comes from strangers. Only four formats are tried, the size is known and
bounded before a pixel is decoded, and one frame is enough.
"""

import io
from typing import NamedTuple

# Named here, else Pillow imports all of its forty formats to find WebP.
from PIL import (  # noqa: F401
    GifImagePlugin,
    Image,
    ImageOps,
    JpegImagePlugin,
    PngImagePlugin,
    WebPImagePlugin,
)

from chalicelib.domain import thumb_sizes
from chalicelib.domain.thumb_sizes import Plan, Size

FORMATS = ("PNG", "JPEG", "GIF", "WEBP")
_PHOTOS = ("JPEG", "MPO")
"""MPO is what Pillow calls a JPEG with more pictures behind it, as phones make them."""
_SAVED_AS = {**dict.fromkeys(_PHOTOS, ("JPEG", "image/jpeg")), "GIF": ("GIF", "image/gif")}
_JPEG_QUALITY = 90
_ORIENTATION = 0x0112
_SIDEWAYS = 5
_SHARPNESS = 2
"""A JPEG is decoded at this many times the size wanted, if it is much larger."""


class Picture(NamedTuple):
    content: bytes
    content_type: str


def resized(content: bytes, size: Size) -> Picture | None:
    """Return a picture in another size (a WebP as PNG); None if it cannot or may not be read."""
    try:
        with Image.open(io.BytesIO(content), formats=FORMATS) as image:
            return _resized(image, size)
    except Exception:  # whatever a decoder makes of hostile bytes
        return None


def _resized(image: Image.Image, size: Size) -> Picture | None:
    saved_as, content_type = _SAVED_AS.get(image.format or "", ("PNG", "image/png"))
    width, height = _upright_size(image)
    plan = thumb_sizes.plan(size, width, height)
    if plan is None:
        return None
    _decode_small(image, plan)
    upright = _plain(ImageOps.exif_transpose(image) if image.format in _PHOTOS else image)
    across, down = upright.width / width, upright.height / height
    left, top, right, bottom = plan.box
    box = (left * across, top * down, min(right * across, upright.width),
           min(bottom * down, upright.height))  # fmt: skip
    small = upright.resize((plan.width, plan.height), Image.Resampling.BILINEAR, box)
    out = io.BytesIO()
    small.save(out, saved_as, quality=_JPEG_QUALITY)
    return Picture(out.getvalue(), content_type)


def _upright_size(image: Image.Image) -> tuple[int, int]:
    """Return width and height once a photo is turned as the camera says."""
    is_turned = image.format in _PHOTOS and image.getexif().get(_ORIENTATION, 1) >= _SIDEWAYS
    return (image.height, image.width) if is_turned else image.size


def _decode_small(image: Image.Image, plan: Plan) -> None:
    """Let the JPEG decoder leave out what the thumb would not show."""
    if image.format in _PHOTOS:
        left, top, right, bottom = plan.box
        scale = _SHARPNESS * max(plan.width / (right - left), plan.height / (bottom - top))
        image.draft(None, (int(image.width * scale) + 1, int(image.height * scale) + 1))


def _plain(image: Image.Image) -> Image.Image:
    """Return a picture in RGB or RGBA, 16-bit grey brought to 8."""
    if image.mode.startswith("I"):
        image = image.point(lambda value: value / 256).convert("L")
    has_alpha = "A" in image.mode or "transparency" in image.info
    if not has_alpha:
        return image.convert("RGB")
    image = image.convert("RGBA")
    is_opaque = image.getchannel("A").getextrema() == (255, 255)
    return image.convert("RGB") if is_opaque else image
