"""Make what Dormouse needs in an AWS account or a local AWS: table, bucket, queue, collections.

    python -m tools.bootstrap

Every step leaves alone what is there. The endpoint and the names come from the environment.
"""

import boto3
from botocore.exceptions import ClientError

from chalicelib import aws, services, store
from chalicelib.config import settings
from chalicelib.domain.collection import SUPERUSERS
from chalicelib.domain.functions import names

MOST_RECEIVES = 1000
"""SQS's most: attempts are counted on the calls, so this only ends what no process survives."""


def main() -> None:
    table_and_bucket()
    wakes_queue()
    services.collections.initialise()


def table_and_bucket() -> None:
    """Create the table and the bucket of this stage, if absent."""
    store.table.create()
    client = boto3.client("s3", region_name=settings().region)
    try:
        client.head_bucket(Bucket=settings().bucket_name)
    except ClientError:
        client.create_bucket(Bucket=settings().bucket_name, **_location())


def wakes_queue() -> None:
    """Create the queue of background calls and the one for what it gives up, if absent."""
    prefix = settings().resource_prefix
    aws.sqs_queues.ensure_with_dead_letters(
        names.wakes(prefix),
        names.dead_wakes(prefix),
        {
            "VisibilityTimeout": str(services.queues.HIDDEN_SECONDS),
            "ContentBasedDeduplication": "true",  # for schedules, which give no ids
            "DeduplicationScope": "messageGroup",
            "FifoThroughputLimit": "perMessageGroupId",
        },
        MOST_RECEIVES,
    )


def has_superuser() -> bool:
    """Return whether anybody may sign in as a superuser."""
    superusers = store.schema.load().find(SUPERUSERS)
    return bool(superusers and store.records.page(superusers, limit=1).stored)


def _location() -> dict[str, dict[str, str]]:
    """Return the location argument; us-east-1 is the one region that must not be named."""
    region = settings().region
    return (
        {}
        if region == "us-east-1"
        else {"CreateBucketConfiguration": {"LocationConstraint": region}}
    )


if __name__ == "__main__":
    main()
