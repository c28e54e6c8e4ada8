"""Stamps a slug on each article: "Hello, World!" is found under hello-world."""

import re
import unicodedata
from typing import Any

from dormouse.api import ApiError, api

MAX_CHARACTERS = 80


def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Handle one change of an article."""
    record = event["record"]
    slug = slug_of(record["title"]) or record["id"]
    if record["slug"] == slug:
        # Our own write wakes us once more: with nothing left to write the chain ends here.
        return {"changed": False}
    path = f"/api/collections/{event['collection']}/records/{record['id']}"
    try:
        api(context).patch(path, {"slug": slug})
    except ApiError as error:
        if error.status != 404:
            raise
        return {"changed": False}  # deleted meanwhile
    print(f"{record['id']} is {slug} now")
    return {"changed": True, "slug": slug}


def slug_of(title: str) -> str:
    """Return a title in lower-case letters, digits and hyphens."""
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode()
    words = re.findall(r"[a-z0-9]+", plain.lower())
    return "-".join(words)[:MAX_CHARACTERS].strip("-")
