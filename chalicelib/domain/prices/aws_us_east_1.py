"""AWS, us-east-1 (N. Virginia): a sheet for each day on which prices were read, oldest first."""

from datetime import date
from decimal import Decimal

from chalicelib.domain.prices.sheet import Sheet, per_million

SHEETS = (
    Sheet(
        provider="aws",
        region="us-east-1",
        date=date(2026, 11, 23),
        source="AWS's public price pages, on demand, first tier",
        lambda_request=per_million("0.20"),
        gb_second_x86=Decimal("0.0000166667"),
        gb_second_arm=Decimal("0.0000133334"),
        rest_request=per_million("3.50"),
        http_request=per_million("1.00"),
        dynamodb_write_unit=per_million("0.625"),
        dynamodb_read_unit=per_million("0.125"),
        s3_put=per_million("5.00"),
        s3_get=per_million("0.40"),
        sqs_request=per_million("0.40"),
        # Not on the pages that were read, but commonly known: the one for FIFO queues.
        sqs_fifo_request=per_million("0.50"),
        schedule=per_million("1.00"),
        log_gb=Decimal("0.50"),
        egress_gb=Decimal("0.09"),
        free_requests=1_000_000,
        free_gb_seconds=400_000,
    ),
)
