"""Small cures of ministack: 38-digit numbers."""

import decimal

DYNAMODB_DIGITS = 38


def install() -> None:
    decimal.DefaultContext.prec = DYNAMODB_DIGITS
    decimal.setcontext(decimal.DefaultContext.copy())
