"""Makes a small picture of each picture that arrives, and puts it into another field."""

import io
from typing import Any

from PIL import Image, ImageOps

from dormouse.api import ApiError, api

LONGEST_SIDE_PIXELS = 200

# A small file can hold a picture that fills the memory. Pillow refuses twice as many pixels.
Image.MAX_IMAGE_PIXELS = 20_000_000


def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Handle one file event; the same event again makes the same thumbnail again."""
    pb = api(context)
    name, record = event["file"]["name"], event["record"]
    small = shrink(pb.get(event["file"]["url"]))
    path = f"/api/collections/{event['collection']}/records/{record['id']}"
    try:
        pb.patch(path, files={"thumbnail": ("thumbnail.jpg", small, "image/jpeg")})
    except ApiError as error:
        if error.status != 404:
            raise
        # The record was deleted meanwhile: trying again would not bring it back.
        print(f"{record['id']} is gone, and needs no thumbnail")
        return {"made": False}
    print(f"made {len(small)} bytes of {name}")
    return {"made": True, "bytes": len(small)}


def shrink(content: bytes) -> bytes:
    """Return a picture as a JPEG that fits into a square, the right way up, without metadata."""
    with Image.open(io.BytesIO(content)) as opened:
        # Before anything else: so a large JPEG is never unpacked in full.
        opened.thumbnail((LONGEST_SIDE_PIXELS, LONGEST_SIDE_PIXELS))
        upright = ImageOps.exif_transpose(opened).convert("RGBA")
    white = Image.new("RGBA", upright.size, "white")
    made = io.BytesIO()
    Image.alpha_composite(white, upright).convert("RGB").save(made, "JPEG", quality=82)
    return made.getvalue()
