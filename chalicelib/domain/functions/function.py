"""A function as it is stored: settings, triggers, and which version is live."""

from typing import Any, NamedTuple

Trigger = dict[str, Any]
"""One trigger as the API has it: `{"id", "type": "http" | "schedule" | "record" | "file" | "queue",
...}` (`domain/functions/triggers.py` checks them)."""

ARCHITECTURE = "arm64"
"""What all functions run on: a fifth cheaper than x86_64, and their packages are fetched for it."""

PICODOLLARS = 10**12
"""Money is kept as whole picodollars: a 1 ms call of 128 MB costs 1,667 of them."""


class Cap(NamedTuple):
    """How much a function may cost per day or month (UTC)."""

    amount: str
    """US dollars as decimal text."""
    per: str
    """day or month."""


class Function(NamedTuple):
    """One function. Its code and the settings of each version are in the versions."""

    id: str
    """15 of [a-z0-9]; a function made anew under an old name has another."""
    name: str
    runtime: str
    handler: str
    memory_mb: int = 128
    timeout_seconds: int = 3
    environment: dict[str, str] = {}  # noqa: RUF012 (a default that nobody changes)
    secret_names: tuple[str, ...] = ()
    """Names of the secrets; their values are never in the table in the clear."""
    triggers: tuple[Trigger, ...] = ()
    invoke_rule: str | None = None
    """null: superusers; "": everyone; else an expression over `@request.*`."""
    description: str = ""
    cap: Cap | None = None
    reserved_concurrency: int | None = None
    retry_attempts: int = 2
    """How often a background call is tried again."""
    retry_delay_seconds: int = 60
    """Before the first retry; doubled before each further one."""
    retention_days: int = 14
    """How long events, results and logs of calls are kept."""
    redact: tuple[str, ...] = ()
    """Keys whose values are not kept, beside the standard ones."""
    rights: tuple[str, ...] = ()
    """What rules see as `@request.auth.rights` when the function calls the API."""
    live_version: int = 0
    """What `live` points to; 0: no code yet."""
    latest_version: int = 0
    url: str = ""
    """The API's public URL when the function was last changed: its `DORMOUSE_URL`."""
    created: str = ""
    updated: str = ""
    rev: str = ""
    """Changes with every write; not part of the document."""


def of_document(document: dict[str, Any], rev: str) -> Function:
    """Return the function of a stored document; keys that are missing take the defaults."""
    values = {name: document[name] for name in Function._fields if name in document}
    for name in ("secret_names", "triggers", "redact", "rights"):
        values[name] = tuple(values.get(name, ()))
    if values.get("cap"):
        values["cap"] = Cap(*values["cap"])
    return Function(**{**values, "rev": rev})


def to_document(function: Function) -> dict[str, Any]:
    """Return what is stored of a function: all but its revision."""
    document = function._asdict()
    del document["rev"]
    document["cap"] = function.cap and list(function.cap)  # orjson writes no named tuple
    return document
