"""Parse a DynamoDB expression once per text, where ministack parses it once per item."""

import functools
from typing import Any

from ministack.services import dynamodb

CACHED_EXPRESSIONS = 4096

Tokens = list[tuple[str, str]]

_evaluate_uncached = dynamodb._evaluate_condition
_tokenize_uncached = dynamodb._tokenize


def install() -> None:
    dynamodb._tokenize = tokenize
    dynamodb._evaluate_condition = evaluate_condition


@functools.lru_cache(CACHED_EXPRESSIONS)
def tokenize(expression: str) -> Tokens:
    tokens: Tokens = _tokenize_uncached(expression)
    return tokens


@functools.lru_cache(CACHED_EXPRESSIONS)
def _is_plain(expression: str, slot: str) -> bool:
    """Return whether ministack's checks of the text pass, so that they need no repetition.

    A BETWEEN outside a key condition is checked against its values, so it never is plain.
    """
    if slot != "KeyConditionExpression" and "BETWEEN" in expression.upper():
        return False
    tokens = tokenize(expression)
    return not (
        dynamodb._check_redundant_parens(tokens, slot)
        or dynamodb._check_reserved_keyword_usage(tokens)
        or dynamodb._condition_syntax_error(expression, slot)
    )


def evaluate_condition(
    expression: str, item: Any, values: Any, names: Any, slot: str = "ConditionExpression"
) -> Any:
    """Answer as ministack's own function does; it repeats the work to word an error."""
    if expression and _is_plain(expression, slot):
        try:
            evaluation = dynamodb._ExprEval(tokenize(expression), item, values, names)
            return evaluation.evaluate()
        except Exception:  # noqa: S110, BLE001
            pass
    return _evaluate_uncached(expression, item, values, names, slot=slot)
