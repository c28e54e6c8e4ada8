"""What differs between two JSON values: the results of a call and of its replay.

    diff({"a": [1, 2]}, {"a": [1, 3], "b": 4})
    # [{"path": "$.a[1]", "before": 2, "after": 3}, {"path": "$.b", "after": 4}]

An entry without `before` was added, one without `after` is gone. Lists are compared by index.
"""

import re
from collections.abc import Iterator
from itertools import islice
from typing import Any

Entry = dict[str, Any]

MAX_ENTRIES = 100
MAX_DEPTH = 60
"""Below it values are compared whole."""

_PLAIN_NAME = re.compile(r"[A-Za-z_$][\w$]*", re.ASCII)
_ABSENT: Any = object()


def diff(before: Any, after: Any) -> list[Entry]:
    """Return the differences in the order of the values, at most `MAX_ENTRIES`.

    If there are more, one last entry `{"more": n}` counts them.
    """
    entries = _entries("$", before, after, 0)
    found = list(islice(entries, MAX_ENTRIES))
    more = sum(1 for _ in entries)
    return [*found, {"more": more}] if more else found


def _entries(path: str, before: Any, after: Any, depth: int) -> Iterator[Entry]:
    if depth < MAX_DEPTH and isinstance(before, dict) and isinstance(after, dict):
        for name in (*before, *(name for name in after if name not in before)):
            old, new = before.get(name, _ABSENT), after.get(name, _ABSENT)
            yield from _entries(path + _step(name), old, new, depth + 1)
    elif depth < MAX_DEPTH and isinstance(before, list) and isinstance(after, list):
        for index in range(max(len(before), len(after))):
            old, new = _at(before, index), _at(after, index)
            yield from _entries(f"{path}[{index}]", old, new, depth + 1)
    elif not _same(before, after):
        known = {"before": before, "after": after}
        yield {
            "path": path,
            **{side: value for side, value in known.items() if value is not _ABSENT},
        }


def _same(before: Any, after: Any) -> bool:
    """Return whether two values are one in JSON, where true is not 1 and 1.0 is."""
    if isinstance(before, bool) or isinstance(after, bool):
        return before is after
    return bool(before == after)


def _at(values: list[Any], index: int) -> Any:
    return values[index] if index < len(values) else _ABSENT


def _step(name: str) -> str:
    if _PLAIN_NAME.fullmatch(name):
        return f".{name}"
    quoted = name.replace("\\", "\\\\").replace("'", "\\'")
    return f"['{quoted}']"
