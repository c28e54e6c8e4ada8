"""Small cures of ministack: 38-digit numbers and no wait for log lines that never come."""

import decimal

from ministack.core import lambda_runtime

DYNAMODB_DIGITS = 38


def install() -> None:
    decimal.DefaultContext.prec = DYNAMODB_DIGITS
    decimal.setcontext(decimal.DefaultContext.copy())
    # A Lambda handler that writes no log line otherwise costs 50 ms per call.
    lambda_runtime.Worker._drain_stderr_bounded.__defaults__ = (0.004, 0.002, 0.250)
