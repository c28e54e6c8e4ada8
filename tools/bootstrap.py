"""Make what Dormouse needs in an AWS account or a local AWS: table, bucket, system collections.

    python -m tools.bootstrap

Every step leaves alone what is there. The endpoint and the names come from the environment.
"""

import boto3
from botocore.exceptions import ClientError

from chalicelib import services, store
from chalicelib.config import settings
from chalicelib.domain.collection import SUPERUSERS


def main() -> None:
    table_and_bucket()
    services.collections.initialise()


def table_and_bucket() -> None:
    """Create the table and the bucket of this stage, if absent."""
    store.table.create()
    client = boto3.client("s3", region_name=settings().region)
    try:
        client.head_bucket(Bucket=settings().bucket_name)
    except ClientError:
        client.create_bucket(Bucket=settings().bucket_name, **_location())


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
