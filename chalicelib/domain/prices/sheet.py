"""What a price sheet holds: US dollars for one of each thing that a call can use."""

from datetime import date
from decimal import Decimal
from typing import NamedTuple

GB = 2**30
"""A gigabyte in a bill, in bytes; Lambda's memory is reckoned the same way (1,024 MB)."""


class Sheet(NamedTuple):
    """One provider's prices in one region, as they were on a day; the first tier of each."""

    provider: str
    region: str
    date: date
    source: str
    lambda_request: Decimal
    gb_second_x86: Decimal
    gb_second_arm: Decimal
    rest_request: Decimal
    """API Gateway, REST API."""
    http_request: Decimal
    """API Gateway, HTTP API. A function URL is free."""
    dynamodb_write_unit: Decimal
    dynamodb_read_unit: Decimal
    s3_put: Decimal
    """PUT, COPY, POST or LIST."""
    s3_get: Decimal
    sqs_request: Decimal
    sqs_fifo_request: Decimal
    schedule: Decimal
    """One fire of an EventBridge schedule."""
    log_gb: Decimal
    """Written to CloudWatch Logs; keeping it is not in a call's receipt."""
    egress_gb: Decimal
    free_requests: int
    """Of Lambda, free in each month for ever."""
    free_gb_seconds: int
    note: str = ""
    """Why these are not quite the prices that were asked for."""


def per_million(usd: str) -> Decimal:
    """Return the price of one, given that of a million."""
    return Decimal(usd).scaleb(-6)
