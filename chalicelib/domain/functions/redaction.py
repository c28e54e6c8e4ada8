"""Leaving secrets out of what is kept of a call: its event, its result and its logs.

A secret is known by its key (`secret_keys`), wherever the key stands: in an object at any depth,
in JSON or a form inside a text (a proxy event's `body`, also in base64), in a query string, a
header, a log line. Bearer tokens, JWTs and private keys are known by their own look as well.

    redact({"body": '{"password": "x"}'}, ())   # ({"body": '{"password":"******"}'}, True)

What is too deep or too much to look through is left out too: unknown means secret.
"""

import re
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any

from chalicelib.domain.functions.secret_keys import FRAGMENTS, is_secret, normal_set

MASK = "******"
MAX_DEPTH = 60
MAX_VALUES = 200_000
"""How many values of one event are looked at."""

_LEAST_CHARACTERS = 4
_PAIR_NAMES, _PAIR_VALUES = frozenset(("name", "key", "Name", "Key")), ("value", "Value")


def redact(value: Any, extra_keys: Iterable[str] = ()) -> tuple[Any, bool]:
    """Return a JSON value without its secrets, and whether anything was left out.

    The value given is not changed. `extra_keys` are secret beside the standard ones.
    """
    work = _Redaction(normal_set(extra_keys))
    result = work.value(value, 0)
    return result, work.changed


def redact_text(text: str, extra_keys: Iterable[str] = ()) -> tuple[str, bool]:
    """Return log output without its secrets, and whether anything was left out."""
    further = normal_set(extra_keys)
    result = _without_secrets(text, further) if _may_tell(text, further) else text
    return result, result != text


def without(text: str, secrets: Iterable[str]) -> str:
    """Return a text of AWS's without these values, plain or as in JSON.

    Lambda's words for an environment that is too large have all of it in them. A value of less
    than four characters is no secret, and would take other words with it.
    """
    import json  # noqa: PLC0415  (lazy: only what AWS refuses needs it)

    for secret in sorted(secrets, key=len, reverse=True):
        if len(secret) >= _LEAST_CHARACTERS:
            shown = {secret, json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]}
            for each in sorted(shown, key=len, reverse=True):
                text = text.replace(each, MASK)
    return text


class _Redaction:
    """One value being redacted."""

    __slots__ = ("changed", "further", "left")

    def __init__(self, further: frozenset[str]) -> None:
        self.further = further
        self.changed = False
        self.left = MAX_VALUES

    def value(self, value: Any, depth: int) -> Any:
        if value is None or isinstance(value, (int, float)):
            return value
        self.left -= 1
        if depth > MAX_DEPTH or self.left < 0:
            return self.mask(value)
        if isinstance(value, dict):
            return self.object(value, depth + 1)
        if isinstance(value, (list, tuple)):
            return [self.value(item, depth + 1) for item in value]
        return self.text(str(value), depth + 1)

    def object(self, value: dict[Any, Any], depth: int) -> dict[Any, Any]:
        found = {
            key: self.mask(item) if is_secret(str(key), self.further) else self.value(item, depth)
            for key, item in value.items()
        }
        pairs = _PAIR_NAMES & value.keys()
        if pairs and any(is_secret(str(value[name]), self.further) for name in pairs):
            found.update({key: self.mask(value[key]) for key in _PAIR_VALUES if key in value})
        if value.get("isBase64Encoded") is True and isinstance(value.get("body"), str):
            found["body"] = self.base64(value["body"], depth)
        return found

    def mask(self, secret: Any) -> Any:
        """Return what stands for a secret; several values of one header stay several."""
        if secret is None or secret in ("", MASK):
            return secret
        if isinstance(secret, list):
            return [self.mask(item) for item in secret]
        self.changed = True
        return MASK

    def text(self, text: str, depth: int) -> str:
        if not _may_tell(text, self.further):
            return text
        if text.lstrip()[:1] in ("{", "["):
            whole = self.json(text, depth)
            if whole is not None:
                return whole
        clean = _without_secrets(text, self.further)
        self.changed = self.changed or clean != text
        return clean

    def json(self, text: str, depth: int) -> str | None:
        """Return the JSON in a text without its secrets; None if it is no JSON."""
        import json  # noqa: PLC0415  (lazy: most events have no JSON inside a text)

        try:
            value = json.loads(text, object_pairs_hook=_without_twins)
        except (ValueError, RecursionError):
            return None
        before, self.changed = self.changed, False
        clean = self.value(value, depth)
        changed, self.changed = self.changed, self.changed or before
        # As it was sent, unless something had to go: a signature over it may matter to a replay.
        return json.dumps(clean, ensure_ascii=False, separators=(",", ":")) if changed else text

    def base64(self, text: str, depth: int) -> str:
        """Return a body in base64 without its secrets; what is no text is left as it is."""
        import base64  # noqa: PLC0415  (lazy: few events are binary)

        try:
            inside = base64.b64decode(text, validate=True).decode()
        except ValueError:
            return text
        clean = self.text(inside, depth)
        return text if clean == inside else base64.b64encode(clean.encode()).decode()


def _without_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return a JSON object. Raises `ValueError` for one that hides a value behind another."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError
    return found


def _may_tell(text: str, further: frozenset[str]) -> bool:
    """Return whether a text may hold a secret: for most it costs a glance to see that none can."""
    if further or "\\u" in text or "eyJ" in text:
        return True
    lower = text.lower()
    if "%" in lower:
        from urllib.parse import unquote  # noqa: PLC0415  (lazy: few texts have it)

        lower = unquote(lower).lower()
    for fragment in FRAGMENTS:  # `any` takes twice as long, and every text is asked
        if fragment in lower:
            return True
    return "bearer" in lower


class _Patterns:
    """What secrets look like in a text, compiled when the first one may be in one.

    Every pattern is linear in the text, whoever wrote it: nothing that may be long can begin
    inside itself, and no two branches of a repetition take the same character.
    """

    def __init__(self) -> None:
        self.header = re.compile(
            r"(?i)(?<![\w-])((?:proxy-)?authorization|(?:set-)?cookie)([ \t]*[:=][ \t]*)"
            r"([^\s\"'\\][^\r\n\"'\\]*)"
        )
        """A header on a line of its own: all of the line is its value, blanks included."""
        self.key = re.compile(r"""(?<![\w.%-])([\w.%-]{1,100})\\*["']?[ \t]*[:=][ \t]*""")
        self.value = re.compile(
            r"""(?P<quote>\\*["'])(?:\\.|[^\\])*?(?P=quote)|"""
            r"""(?P<plain>(?:-?[\d.]+|null|None)(?=[,}\]\s])|[^\s&]+)""",
            re.DOTALL,
        )
        self.form_part = re.compile(
            r"(?mi)^(content-disposition:[^\r\n]*+\r?\n(?:[^\r\n]++\r?\n){0,8}+\r?\n)"
            r"(.*?)(?=\r?\n--|\Z)",
            re.DOTALL,
        )
        """The headers of a part of a form, and its value."""
        self.form_name = re.compile(r"""(?i)(?<![\w*])name=(?:"([^"\r\n]*)"|([^\s;"]+))""")
        self.known_by_look = (
            (re.compile(r"(?i)(?<![\w-])(bearer[ \t]+)[\w.~+/=-]{6,}"), rf"\1{MASK}"),
            (re.compile(r"(?<![\w-])eyJ[\w-]{6,}\.[\w-]{6,}\.[\w-]*"), MASK),
            (
                re.compile(r"(-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----).*?(-----END|\Z)", re.DOTALL),
                rf"\1{MASK}\2",
            ),
        )


_patterns = cache(_Patterns)


def _without_secrets(text: str, further: frozenset[str]) -> str:
    patterns = _patterns()
    for pattern, replacement in patterns.known_by_look:
        text = pattern.sub(replacement, text)
    text = patterns.header.sub(rf"\1\2{MASK}", text)
    if "name=" in text.lower():
        text = patterns.form_part.sub(lambda found: _form_part(found, further), text)
    return "".join(_without_secret_pairs(text, further))


def _without_secret_pairs(text: str, further: frozenset[str]) -> Iterator[str]:
    """Yield the text in pieces; a key that holds no secret does not hide one in its value."""
    done, patterns = 0, _patterns()
    for key in patterns.key.finditer(text):
        if key.start() < done or not is_secret(key[1], further):
            continue
        value = patterns.value.match(text, key.end())
        if value is None or value["plain"] in ("null", "None", MASK):
            continue
        quote = value["quote"] or ""
        yield f"{text[done : key.end()]}{quote}{MASK}{quote}"
        done = value.end()
    yield text[done:]


def _form_part(found: "re.Match[str]", further: frozenset[str]) -> str:
    names = (quoted or plain for quoted, plain in _patterns().form_name.findall(found[1]))
    is_any = any(is_secret(name, further) for name in names)
    return found[1] + (MASK if is_any else found[2])
