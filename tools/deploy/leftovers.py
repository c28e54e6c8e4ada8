"""What the app made at run time for users' functions: no template knows it, so no stack deletes it.

Their definitions, code and secrets are data and stay, with table, bucket and parameters; a stage
deployed again makes the rest anew when a function is next saved.
"""

from collections.abc import Iterator
from typing import Any

import boto3
from botocore.exceptions import ClientError

from chalicelib.domain.functions import names


def remove(prefix: str, region: str) -> dict[str, int]:
    """Delete functions, their roles and logs, schedules and queues; return how many of each.

    What is gone already is left alone, so an interrupted removal can be repeated.
    """
    functions = names.lambda_function(prefix, "")
    return {
        "schedules": _remove_schedules(names.schedule_group(prefix), region),
        "mappings": _remove_mappings(prefix, region),
        "queues": _remove_queues(names.queue(prefix, ""), region),
        "functions": _remove_functions(functions, region),
        "roles": _remove_roles(functions, region),
        "logs": _remove_logs(names.log_group(prefix, ""), region),
    }


def _remove_schedules(group: str, region: str) -> int:
    client = boto3.client("scheduler", region_name=region)
    found = [
        each["Name"] for each in _pages(client, "list_schedules", "Schedules", GroupName=group)
    ]
    for name in found:
        client.delete_schedule(GroupName=group, Name=name)
    return len(found)


def _remove_mappings(prefix: str, region: str) -> int:
    client = boto3.client("lambda", region_name=region)
    try:
        found = list(
            _pages(
                client,
                "list_event_source_mappings",
                "EventSourceMappings",
                FunctionName=f"{prefix}-wake",
            )
        )
    except client.exceptions.ResourceNotFoundException:
        return 0
    for each in found:
        client.delete_event_source_mapping(UUID=each["UUID"])
    return len(found)


def _remove_queues(prefix: str, region: str) -> int:
    client = boto3.client("sqs", region_name=region)
    urls = list(_pages(client, "list_queues", "QueueUrls", QueueNamePrefix=prefix))
    for url in urls:
        client.delete_queue(QueueUrl=url)
    return len(urls)


def _remove_functions(prefix: str, region: str) -> int:
    client = boto3.client("lambda", region_name=region)
    found = [each["FunctionName"] for each in _pages(client, "list_functions", "Functions")]
    mine = [name for name in found if name.startswith(prefix)]
    for name in mine:
        client.delete_function(FunctionName=name)
    return len(mine)


def _remove_roles(prefix: str, region: str) -> int:
    client = boto3.client("iam", region_name=region)
    found = [each["RoleName"] for each in _pages(client, "list_roles", "Roles")]
    mine = [name for name in found if name.startswith(prefix)]
    for name in mine:
        for policy in _pages(client, "list_role_policies", "PolicyNames", RoleName=name):
            client.delete_role_policy(RoleName=name, PolicyName=policy)
        client.delete_role(RoleName=name)
    return len(mine)


def _remove_logs(prefix: str, region: str) -> int:
    client = boto3.client("logs", region_name=region)
    groups = [
        each["logGroupName"]
        for each in _pages(client, "describe_log_groups", "logGroups", logGroupNamePrefix=prefix)
    ]
    for group in groups:
        try:
            client.delete_log_group(logGroupName=group)
        except ClientError as error:
            if error.response["Error"]["Code"] != "ResourceNotFoundException":
                raise
    return len(groups)


def _pages(client: Any, operation: str, key: str, **arguments: Any) -> Iterator[Any]:
    for page in client.get_paginator(operation).paginate(**arguments):
        yield from page.get(key, [])
