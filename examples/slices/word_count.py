"""Count the words of a text of any size in S3: a Lambda handler of `dormouse.slices`.

A word is what stands between white space, as for `wc -w` in the C locale.
"""

import os
from typing import Any

from dormouse import slices

SPACES = b" \t\n\r\v\f"
KINDS = bytes(b" "[0] if byte in SPACES else b"x"[0] for byte in range(256))
"""For `bytes.translate`: every byte becomes a blank or an x. Splitting would make an object of
every word, many times the chunk's memory."""
CHUNK_BYTES = int(os.environ.get("CHUNK_BYTES", slices.CHUNK_BYTES))


def count(state: dict[str, Any] | None, chunk: bytes, _is_last: bool) -> dict[str, Any]:
    """Return the number of words so far, and whether the chunk ended within one."""
    words, in_word = (state["words"], state["in_word"]) if state else (0, False)
    kinds = chunk.translate(KINDS)
    words += kinds.count(b" x")
    if kinds.startswith(b"x") and not in_word:
        words += 1
    return {"words": words, "in_word": kinds.endswith(b"x") if kinds else in_word}


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Work on one slice of the job that `event` names."""
    return slices.run(event, context, count, chunk_bytes=CHUNK_BYTES)
