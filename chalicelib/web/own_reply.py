"""An answer that brings headers of its own: they go before ours, and may be there several times.

The front doors take several values of one header in different ways: payload 1.0 and our servers
as `multiValueHeaders`, payload 2.0 as `cookies`, and anything else joined by commas.
"""

from typing import Any

from chalicelib.web import headers
from chalicelib.web.reply import Reply

Pairs = list[tuple[str, str]]


class OwnReply(Reply):
    """A reply whose `own` headers are completed by `complete`, and not overruled.

    But for those in `headers`: they are said by us alone.
    """

    def __init__(self, body: str | bytes, status: int, own: Pairs) -> None:
        super().__init__(body, status)
        self.own = own

    def to_dict(self, binary_types: list[str] | None = None) -> dict[str, Any]:
        answer = super().to_dict(binary_types)
        return {**answer, "headers": dict(self.headers), "own": self.own}


def complete(answer: dict[str, Any], request: dict[str, str], is_payload_2: bool) -> None:
    """Join an answer's own headers with ours, as its front door takes them."""
    several: dict[str, Pairs] = {}
    fixed = {name.lower() for name in answer["headers"]}
    for name, value in answer.pop("own"):
        if name.lower() not in fixed:
            several.setdefault(name.lower(), []).append((name, value))
    ours = headers.of_answer(request)
    if "content-security-policy" in several:
        del ours["X-Frame-Options"]
    found: dict[str, str] = answer["headers"]
    found |= {name: value for name, value in ours.items() if name.lower() not in several}
    answer["multiValueHeaders"] = {}
    for name, pairs in several.items():
        values = [value for _, value in pairs]
        if is_payload_2 and name == "set-cookie":
            answer["cookies"] = values
        elif len(values) == 1:
            found[pairs[0][0]] = values[0]
        elif not is_payload_2:
            answer["multiValueHeaders"][pairs[0][0]] = values
        else:
            found[pairs[0][0]] = ", ".join(values)
