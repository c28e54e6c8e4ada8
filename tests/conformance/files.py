"""Requests with files, and how answers that hold random file names are compared.

Random parts of names and the dates of downloads are levelled; everything else is compared.
A collection is called `fi` unless a scenario says otherwise; its file fields are `f` and `fs`.
"""

import json
import re
from collections.abc import Mapping
from typing import Any

from tests.conformance.client import Part
from tests.conformance.pair import Pair
from tests.conformance.requests import records
from tests.conformance.scenario import Scenario, Step, after_text, answer_text
from tests.conformance.world import Side


def post(collection: str, *parts: Part, who: str = "super") -> Step:
    return Step("POST", records(collection), who, parts=parts)


def patch(*parts: Part, record_id: str = "{before.0.id}", collection: str = "fi") -> Step:
    return Step("PATCH", records(collection, record_id), "super", parts=parts)


def one(content: bytes | str = "0123456789", name: str = "name.txt", field: str = "f") -> Part:
    return Part(field, content, name)


def several(*names: str, field: str = "fs") -> tuple[Part, ...]:
    return tuple(Part(field, name, name) for name in names)


def payload(value: Any) -> Part:
    return Part("@jsonPayload", json.dumps(value))


def get(
    path: str = "{before.0.f}",
    collection: str = "fi",
    method: str = "GET",
    headers: Mapping[str, str] | None = None,
    who: str = "guest",
    **query: str,
) -> Step:
    return Step(
        method, f"/api/files/{collection}/{{before.0.id}}/{path}", who, query, headers=headers or {}
    )


HEADERS = (
    "content-type",
    "content-disposition",
    "content-length",
    "content-range",
    "cache-control",
    "content-security-policy",
    "accept-ranges",
    "x-frame-options",
    "x-content-type-options",
    "x-xss-protection",
    "cross-origin-opener-policy",
    "access-control-allow-origin",
    "last-modified",
    "location",
)
NOT_MODIFIED = tuple(name for name in HEADERS if name not in ("content-type", "content-length"))

_NAME = re.compile(r"([a-z0-9_]+?)((?:_[a-z0-9]{10})+)(?=[.\"\\\n]|$)", re.MULTILINE)
_DATE = re.compile(r"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT")
_BOUNDARY = re.compile(r"[0-9a-f]{60}")
SHORT = range(10, 13)
"""Lengths of what becomes of a name of less than three characters."""


def levelled(told: str) -> str:
    told = _BOUNDARY.sub("<boundary>", _DATE.sub("<date>", told))
    return _NAME.sub(lambda found: _shown(found[1]) + "_<random>" * found[2].count("_"), told)


def _shown(stem: str) -> str:
    return f"<{len(stem)} characters>" if len(stem) in SHORT else stem


def _told(side: Side, scenario: Scenario) -> str:
    side.names["before"] = []
    for step in scenario.before:
        answer = side.send(step)
        assert answer.status < 400, (side.name, step, answer)
        side.names["before"].append(answer.json)
    answer = side.send(scenario.step)
    known = frozenset(side.known)
    texts = [answer_text(answer, scenario, known)]
    texts += [after_text(side.send(step), step, scenario, known) for step in scenario.after]
    return levelled("\n".join(texts))


def check(pair: Pair, scenario: Scenario) -> None:
    """Raise `AssertionError` unless both servers answer alike, and as the scenario says."""
    theirs, ours = _told(pair.theirs, scenario), _told(pair.ours, scenario)
    assert theirs.startswith(f"{scenario.status}\n"), theirs[:1500]
    if scenario.ours is None:
        assert ours == theirs
    else:
        assert ours != theirs
        assert ours.startswith(f"{scenario.ours.status}\n"), ours[:1500]
        assert all(text in ours for text in scenario.ours.has)
