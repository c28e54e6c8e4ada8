"""`make deploy STAGE=dev`: package, upload, and bring the stage's stack to it.

    python -m tools.deploy.deploy --stage dev --front-door http --alarm-email me@example.com

Safe to repeat: what did not change is left alone, options that are not named keep their values, and
an update that fails is rolled back. Account and region come from the usual AWS variables.
"""

import argparse
import hashlib
import json
import os
import sys
from collections.abc import Mapping
from typing import NamedTuple

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from tools.deploy import package, project, slim, stack, template
from tools.deploy.package import Package
from tools.deploy.stack import Source, Stack

PARAMETERS = {
    "front_door": "FrontDoor",
    "restored_table": "RestoredTable",
    "monitoring": "Monitoring",
    "alarm_email": "AlarmEmail",
    "daily_cost_limit": "DailyCostLimit",
}
ERRORS = (
    package.PackageError, project.StageError, slim.SlimError, template.TemplateError,
    stack.StackError, ClientError, BotoCoreError,
)  # fmt: skip


class Place(NamedTuple):
    """Where a deployment goes."""

    account: str
    region: str

    @property
    def uploads(self) -> str:
        """The bucket that packages are uploaded to."""
        return f"dormouse-packages-{self.account}-{self.region}"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.deploy.deploy", description=__doc__)
    package.add_options(parser)
    parser.add_argument("--front-door", choices=["rest", "http", "url"])
    parser.add_argument("--restored-table", help="serve from this table; '' is the stack's own")
    parser.add_argument("--monitoring", choices=["on", "off"])
    parser.add_argument("--alarm-email")
    parser.add_argument("--daily-cost-limit", help="in US dollars")
    options = parser.parse_args()
    given = {key: getattr(options, name) for name, key in PARAMETERS.items()}
    try:
        made = package.of_options(options)
        outputs = deploy(
            options.stage, made, {key: value for key, value in given.items() if value is not None}
        )
    except ERRORS as error:
        print(f"dormouse: {error}", file=sys.stderr)
        return 1
    _tell(options.stage, outputs)
    return 0


def here() -> Place:
    """Return the account and region of the caller's credentials."""
    region = boto3.session.Session().region_name or project.DEFAULT_REGION
    account = boto3.client("sts", region_name=region).get_caller_identity()["Account"]
    return Place(account, region)


def deploy(stage: str, made: Package, parameters: Mapping[str, str]) -> dict[str, str]:
    """Deploy a package and return the stack's outputs. Raises `stack.StackError`."""
    place = here()
    name = project.stack_name(stage)
    live = Stack(name, place.region)
    source = upload(made, stage, place)
    adopt = not live.status() and has_table(name, place.region)
    live.deploy(source, parameters, adopt=adopt)
    outputs = live.outputs()
    prepare(outputs, place)
    return outputs


def upload(made: Package, stage: str, place: Place) -> Source:
    """Upload code and template under names that their content decides."""
    client = boto3.client("s3", region_name=place.region)
    _make_bucket(client, place)
    code = f"{stage}/{_digest(made.code.read_bytes())}.zip"
    client.upload_file(str(made.code), place.uploads, code)
    document = json.loads(made.template.read_text())
    template.set_code(document, place.uploads, code)
    bucket = project.bucket_name(stage, place.account, place.region)
    template.set_names(document, project.stack_name(stage), bucket)
    text = template.text(document).encode()
    key = f"{stage}/{_digest(text)}.json"
    client.put_object(Bucket=place.uploads, Key=key, Body=text)
    endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
    host = endpoint or f"https://s3.{place.region}.amazonaws.com"
    return Source(url=f"{host}/{place.uploads}/{key}")


def prepare(outputs: Mapping[str, str], place: Place) -> None:
    """Write the system collections into a table that has none; leave others alone."""
    use(outputs, place)
    from chalicelib import services  # noqa: PLC0415 - reads the environment set just now

    services.collections.initialise()


def use(outputs: Mapping[str, str], place: Place) -> None:
    """Point this process to a stack's table and bucket."""
    from chalicelib.config import settings  # noqa: PLC0415 - and forget what it read before

    os.environ["AWS_REGION"] = place.region
    os.environ["DORMOUSE_TABLE_NAME"] = outputs["TableName"]
    os.environ["DORMOUSE_BUCKET_NAME"] = outputs["BucketName"]
    settings.cache_clear()


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:32]


def _make_bucket(client: "boto3.client", place: Place) -> None:
    try:
        client.head_bucket(Bucket=place.uploads)
    except ClientError:
        where = {"CreateBucketConfiguration": {"LocationConstraint": place.region}}
        client.create_bucket(Bucket=place.uploads, **({} if place.region == "us-east-1" else where))


def has_table(name: str, region: str) -> bool:
    """Return whether a table of this name is there, as after a destroy."""
    client = boto3.client("dynamodb", region_name=region)
    try:
        client.describe_table(TableName=name)
    except client.exceptions.ResourceNotFoundException:
        return False
    return True


def _tell(stage: str, outputs: Mapping[str, str]) -> None:
    url = outputs["ApiUrl"]
    print(f"""
Dormouse is deployed: {url}api/
  table   {outputs["TableName"]}
  bucket  {outputs["BucketName"]}
The first superuser:  make superuser STAGE={stage} EMAIL=you@example.com
The SDK's base URL:   {url.rstrip("/")}""")


if __name__ == "__main__":
    sys.exit(main())
