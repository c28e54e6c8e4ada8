"""Lambda's limit on an answer, met before Lambda meets it.

Lambda hands an answer on as one JSON document of at most 6 MB, and API Gateway turns a larger
one into a 502 that says nothing. Only in Lambda: `chalice local` and an ordinary server have
no such limit. Source: "Lambda quotas" in its developer guide.
"""

import json
import os
from typing import Any

from chalicelib.errors import BadRequestError
from chalicelib.web.reply import of_error

LIMIT_BYTES = 6_291_456 - 16_384
"""Less what the headers and the document's own keys may take."""
_MOST_BYTES_A_CHARACTER = 12
"""An emoji: two escaped UTF-16 units."""


def fits(answer: dict[str, Any]) -> bool:
    """Return whether Lambda, if this is Lambda, can hand the answer on."""
    body = answer["body"]
    if len(body) * _MOST_BYTES_A_CHARACTER <= LIMIT_BYTES or not _is_in_lambda():
        return True
    return len(json.dumps(body)) <= LIMIT_BYTES


def within_limit(answer: dict[str, Any]) -> dict[str, Any]:
    """Return the answer, or in Lambda a 400 in the place of one that is too large."""
    if fits(answer):
        return answer
    return of_error(
        BadRequestError(
            "The answer is larger than the 6 MB that Lambda can hand on. "
            "Ask for fewer items (perPage) or for some of their fields (fields)."
        )
    ).to_dict()


def _is_in_lambda() -> bool:
    return "AWS_LAMBDA_FUNCTION_NAME" in os.environ
