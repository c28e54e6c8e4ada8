"""boto3 without a framework: what most handlers on DynamoDB are made of."""

import os

import boto3

from tests.benchmarks.peers import common
from tests.benchmarks.peers.common import Shape

client = boto3.client("dynamodb", region_name=os.environ["AWS_DEFAULT_REGION"])
CALLS = {"GetItem": client.get_item, "PutItem": client.put_item, "Query": client.query}


def call(operation: str, arguments: Shape) -> Shape:
    answer: Shape = CALLS[operation](**arguments)
    return answer


def handler(event: Shape, context: object) -> Shape:
    return common.handle(call, event)
