"""What each setting of a function may be: readers that return the value as it is kept.

A reader raises `WrongError` with the field's error in PocketBase's shape, which may nest: for a
map the error of each of its keys. Limits are Lambda's ("Lambda quotas", "Working with environment
variables" in its developer guide).
"""

import json
import math
import re
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import Any

from chalicelib.domain.definition_errors import BLANK, at_least, at_most
from chalicelib.domain.functions import names
from chalicelib.domain.functions.function import Cap
from chalicelib.errors import ErrorData, field_error

MASK = "******"
"""What is shown for a secret; sent back it means that the secret stays."""

RUNTIMES = (
    "python3.11",
    "python3.12",
    "python3.13",
    "python3.14",
    "nodejs20.x",
    "nodejs22.x",
    "nodejs24.x",
)
MAX_ENVIRONMENT_BYTES = 4096
MAX_LISTED = 100
MAX_LISTED_CHARACTERS = 200
MAX_DESCRIPTION_CHARACTERS = 256
MAX_HANDLER_CHARACTERS = 128
MAX_CAP_USD = 1_000_000

_VARIABLE = re.compile(r"[a-zA-Z][a-zA-Z0-9_]+", re.ASCII)
_RESERVED = ("AWS_", "LAMBDA_", "DORMOUSE_")
_WRITABLE = re.compile(r"[^\0\ud800-\udfff]*")
_HANDLER = re.compile(r"[^\s/.][^\s.]*(?:\.[^\s.]+)*\.[A-Za-z_$][\w$]*")
_MONEY_DIGITS = 15  # what a JSON number surely holds
_MONEY_PLACES = 12  # picodollars


class WrongError(Exception):
    """A value that cannot be; `error` is a field error, or maps keys to such."""

    def __init__(self, error: ErrorData) -> None:
        super().__init__(error.get("message", ""))
        self.error = error


def wrong(code: str, message: str) -> WrongError:
    return WrongError(field_error(f"validation_{code}", message))


def name(value: Any) -> str:
    text = required_text(value)
    if not names.FUNCTION_NAME.fullmatch(text):
        message = (
            "Must begin with a lower-case letter, go on with lower-case letters, digits and -,"
            " not end with - and have at most 40 characters"
        )
        raise wrong("match_invalid", message)
    return text


def runtime(value: Any) -> str:
    text = required_text(value)
    if text not in RUNTIMES:
        raise wrong("in_invalid", f"Not supported yet: {text}. There are {', '.join(RUNTIMES)}")
    return text


def handler(value: Any) -> str:
    text = required_text(value)
    if len(text) > MAX_HANDLER_CHARACTERS or not _HANDLER.fullmatch(text):
        message = (
            "Must be a module, a dot and a function, as lambda_function.lambda_handler or"
            f" src/index.handler, of at most {MAX_HANDLER_CHARACTERS} characters"
        )
        raise wrong("match_invalid", message)
    return text


def whole(least: int, most: int) -> Callable[[Any], int]:
    """Return the reader of a whole number between two others."""

    def read(value: Any) -> int:
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if not isinstance(value, int) or isinstance(value, bool):
            raise wrong("only_int_constraint", "Must be a whole number")
        if value < least:
            raise WrongError(at_least(least))
        if value > most:
            raise WrongError(at_most(most))
        return value

    return read


def concurrency(value: Any) -> int | None:
    return None if value is None else whole(0, 1000)(value)


def description(value: Any) -> str:
    text = any_text(value)
    if len(text) > MAX_DESCRIPTION_CHARACTERS:
        message = f"Must have at most {MAX_DESCRIPTION_CHARACTERS} characters"
        raise wrong("length_too_long", message)
    return text


def texts(value: Any) -> tuple[str, ...]:
    """Return a list of texts, each once."""
    if not isinstance(value, list) or len(value) > MAX_LISTED:
        raise wrong("invalid_value", f"Must be a list of at most {MAX_LISTED} texts")
    for each in value:
        if not 0 < len(any_text(each)) <= MAX_LISTED_CHARACTERS:
            message = f"Must have texts of 1 to {MAX_LISTED_CHARACTERS} characters only"
            raise wrong("invalid_value", message)
    return tuple(dict.fromkeys(value))


def environment(value: Any) -> dict[str, str]:
    return _variables(value, any_text)


def secrets(value: Any, known: tuple[str, ...]) -> dict[str, str | None]:
    """Return what is to be set and removed (None); a mask sent back is left out."""

    def read(given: Any) -> str | None:
        return None if given is None else required_text(given)

    found = _variables(value, read)
    strange = [name for name, text in found.items() if text == MASK and name not in known]
    if strange:
        missing = wrong("invalid_value", f"{MASK} stands for a stored secret, but there is none")
        raise WrongError(dict.fromkeys(strange, missing.error))
    return {name: text for name, text in found.items() if text != MASK}


def environment_bytes(variables: dict[str, str]) -> int:
    """Return the size that Lambda limits: of the variables as JSON."""
    text = json.dumps(variables, ensure_ascii=False, separators=(",", ":"))
    return len(text.encode("utf-8", "surrogatepass"))


def cap(value: Any) -> Cap | None:
    if value is None:
        return None
    given = _map(value)
    readers = {"amount": _amount, "per": _period}
    for key in given:
        if key not in readers:
            raise WrongError({key: unknown_key(key, list(readers))})
    return Cap(**_each(readers, lambda key: readers[key](given.get(key))))


def unknown_key(key: str, known: list[str]) -> ErrorData:
    """Return the error of a key that means nothing, naming the one that was meant."""
    import difflib  # noqa: PLC0415  (lazy: only a typing error needs it)

    near = difflib.get_close_matches(key.lower(), [each.lower() for each in known], 1, 0.5)
    meant = [each for each in known if near and each.lower() == near[0]]
    there_are = f". There are {', '.join(sorted(known))}" if known else ", nor any other"
    hint = f": did you mean {meant[0]}?" if meant else there_are
    return field_error("validation_unknown_key", f"There is no setting {key}{hint}")


def required_text(value: Any) -> str:
    if value is None or value == "":
        raise WrongError(BLANK)
    return any_text(value)


def any_text(value: Any) -> str:
    """Return a text, which may be empty. Raises `WrongError` for one that cannot be stored."""
    if not isinstance(value, str) or not _WRITABLE.fullmatch(value):
        raise wrong("invalid_value", "Must be text")
    return value


def _map(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise wrong("invalid_value", "Must be an object")
    return value


def _each(given: dict[str, Any], read: Callable[[str], Any]) -> dict[str, Any]:
    """Return what `read` makes of each key. Raises `WrongError` with all that is wrong."""
    found, errors = {}, {}
    for key in given:
        try:
            found[key] = read(key)
        except WrongError as error:
            errors[key] = error.error
    if errors:
        raise WrongError(errors)
    return found


def _variables(value: Any, read: Callable[[Any], Any]) -> dict[str, Any]:
    """Return what `read` makes of each value of a map with names of variables."""
    given = _map(value)

    def read_one(name: str) -> Any:
        _require_variable_name(name)
        return read(given[name])

    return _each(given, read_one)


def _require_variable_name(name: str) -> None:
    if not _VARIABLE.fullmatch(name):
        message = "The name must begin with a letter and go on with letters, digits and _"
        raise wrong("match_invalid", message)
    if name.upper().startswith(_RESERVED):
        message = "Names that begin with AWS_, LAMBDA_ or DORMOUSE_ are the platform's own"
        raise wrong("not_in_invalid", message)


def _amount(value: Any) -> str:
    """Return an amount as plain decimal text."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise WrongError(BLANK) if value is None else wrong("not_a_number", _NO_AMOUNT)
    if isinstance(value, float) and not math.isfinite(value):
        raise wrong("not_a_number", _NO_AMOUNT)
    try:
        number = Decimal(str(value).strip())
    except InvalidOperation:
        raise wrong("not_a_number", _NO_AMOUNT) from None
    if not number.is_finite() or not 0 < number <= MAX_CAP_USD:
        raise wrong("invalid_value", f"Must be above 0 and at most {MAX_CAP_USD} US dollars")
    text = f"{number.normalize():f}"
    if len(text) > _MONEY_DIGITS or len(text.partition(".")[2]) > _MONEY_PLACES:
        message = f"Must have at most {_MONEY_DIGITS} digits, {_MONEY_PLACES} of them after the dot"
        raise wrong("invalid_value", message)
    return text


_NO_AMOUNT = "Must be a number of US dollars"


def _period(value: Any) -> str:
    if value not in ("day", "month"):
        raise wrong("in_invalid", "Must be day or month")
    return str(value)
