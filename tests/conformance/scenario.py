"""What a scenario is, and how the answers of two servers are compared.

A scenario is one request with the status that PocketBase 0.40.6 gives it; it runs on PocketBase
and on Dormouse, and both answers must be the same once what may differ is levelled:

    random ids, tokens (compared by their claims), `created`/`updated`, the order of a list
    that was not sorted, the database's own words after "Raw error:".

Placeholders such as `{user.id}`, `{token.user}` or `{0.id}` (the answer of the first `before`
step) are filled in from what each server answered, in paths, queries, headers and bodies.

A scenario that must differ names its row of docs/compatibility.md in `differs` and states
Dormouse's answer in `ours`.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from tests.conformance.client import Answer, Part, multipart, with_query
from tests.conformance.normalise import level

NOTHING: Any = object()
_PLACEHOLDER = re.compile(r"\{([A-Za-z0-9_]+(?:\.[A-Za-z0-9_]+)+)\}")


@dataclass(frozen=True)
class Step:
    """One request. At most one of `json`, `text`, `form` and `parts` is its body."""

    method: str
    path: str
    who: str = "guest"
    query: Mapping[str, Any] = field(default_factory=dict)
    json: Any = NOTHING
    text: str | bytes | None = None
    form: Any = None
    parts: tuple[Part, ...] = ()
    content_type: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Expected:
    """Dormouse's own answer where it differs: `has` must be in the body as text."""

    status: int
    has: tuple[str, ...] = ()


@dataclass(frozen=True)
class Scenario:
    """`before` and `after` are further requests; the answers of `after` are compared too."""

    name: str
    step: Step
    status: int
    before: tuple[Step, ...] = ()
    after: tuple[Step, ...] = ()
    ignore: tuple[str, ...] = ()
    """Keys whose values are random or timed here."""
    headers: tuple[str, ...] = ()
    """Response headers to compare as well."""
    has: tuple[str, ...] = ()
    """Texts that both bodies must hold, so that a row cannot be right by accident."""
    differs: str = ""
    ours: Expected | None = None


def fill(value: Any, names: Mapping[str, Any]) -> Any:
    """Return `value` with its placeholders replaced, at any depth."""
    if isinstance(value, str):
        whole = _PLACEHOLDER.fullmatch(value)
        if whole:
            return _look_up(whole[1], names)
        return _PLACEHOLDER.sub(lambda match: str(_look_up(match[1], names)), value)
    if isinstance(value, Mapping):
        return {fill(key, names): fill(item, names) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [fill(item, names) for item in value]
    return value


def request_of(
    step: Step, names: Mapping[str, Any]
) -> tuple[str, str, bytes | None, dict[str, str]]:
    """Return method, path, body and headers of a step for one server."""
    path = with_query(fill(step.path, names), fill(dict(step.query), names))
    headers: dict[str, str] = {}
    content, content_type = _content(step, names)
    if step.content_type or content_type:
        headers["Content-Type"] = step.content_type or content_type
    if step.who != "guest":
        headers["Authorization"] = names["token"][step.who]
    headers.update(fill(dict(step.headers), names))
    return step.method, path, content, headers


def _content(step: Step, names: Mapping[str, Any]) -> tuple[bytes | None, str]:
    if step.json is not NOTHING:
        return json.dumps(fill(step.json, names)).encode(), "application/json"
    if step.form is not None:
        form = urlencode(fill(step.form, names), doseq=True)
        return form.encode(), "application/x-www-form-urlencoded"
    if step.parts:
        return multipart(
            tuple(
                part._replace(value=fill(part.value, names))
                if isinstance(part.value, str)
                else part
                for part in step.parts
            )
        )
    if isinstance(step.text, str):
        return fill(step.text, names).encode("utf-8", "surrogateescape"), "application/json"
    return step.text, "application/json" if step.text is not None else ""


def _look_up(path: str, names: Mapping[str, Any]) -> Any:
    value: Any = names
    for key in path.split("."):
        value = value[int(key)] if isinstance(value, list) else value[key]
    return value


def answer_text(answer: Answer, scenario: Scenario, known: frozenset[str]) -> str:
    """Return an answer as text that is equal for two servers that behave the same."""
    return _canonical(answer, scenario.step, scenario.ignore, scenario.headers, known)


def after_text(answer: Answer, step: Step, scenario: Scenario, known: frozenset[str]) -> str:
    """Return the answer of an `after` step as comparable text."""
    return _canonical(answer, step, scenario.ignore, (), known)


def _canonical(
    answer: Answer,
    step: Step,
    ignore: tuple[str, ...],
    headers: tuple[str, ...],
    known: frozenset[str],
) -> str:
    body = level(answer.json, is_sorted="sort" in step.query, ignore=ignore, known=known)
    text = json.dumps(body, sort_keys=True, indent=1, ensure_ascii=False)
    shown = "".join(f"{name}: {answer.headers.get(name, '-')}\n" for name in headers)
    return f"{answer.status}\n{shown}{text}"
