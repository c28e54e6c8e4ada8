"""`make destroy STAGE=dev`: delete a stage's stack; its data stays.

Table and bucket are retained, and the next deploy of the stage takes them up again. What was
uploaded for the stage goes, and so do the Lambda functions of its users (`leftovers`).
"""

import argparse
import sys

import boto3
from botocore.exceptions import ClientError

from tools.deploy import deploy, leftovers, project
from tools.deploy.deploy import Place
from tools.deploy.stack import Stack


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.deploy.destroy", description=__doc__)
    parser.add_argument("--stage", required=True)
    stage = parser.parse_args().stage
    try:
        kept = destroy(project.check_stage(stage))
    except deploy.ERRORS as error:
        print(f"dormouse: {error}", file=sys.stderr)
        return 1
    print(f"The stage {stage} is gone. Kept, with all data:")
    for what, name in kept.items():
        print(f"  {what:7} {name}")
    return 0


def destroy(stage: str) -> dict[str, str]:
    """Delete users' functions, then the stack; return the names of what is retained.

    Raises `stack.StackError`.
    """
    place = deploy.here()
    live = Stack(project.stack_name(stage), place.region)
    leftovers.remove(project.stack_name(stage), place.region)
    live.delete()
    _empty_uploads(stage, place)
    return {
        "table": project.stack_name(stage),
        "bucket": project.bucket_name(stage, place.account, place.region),
    }


def _empty_uploads(stage: str, place: Place) -> None:
    bucket = boto3.resource("s3", region_name=place.region).Bucket(place.uploads)
    try:
        bucket.objects.filter(Prefix=f"{stage}/").delete()
        if not any(True for _ in bucket.objects.limit(1)):
            bucket.delete()
    except ClientError as error:
        if error.response["Error"]["Code"] != "NoSuchBucket":
            raise


if __name__ == "__main__":
    sys.exit(main())
