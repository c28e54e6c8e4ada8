"""boto3 without a framework: what most handlers on DynamoDB are made of."""

import os

import boto3
import common

client = boto3.client("dynamodb", region_name=os.environ["AWS_DEFAULT_REGION"])
CALLS = {"GetItem": client.get_item, "PutItem": client.put_item, "Query": client.query}


def call(operation, arguments):
    return CALLS[operation](**arguments)


def handler(event, context):
    return common.handle(call, event)
