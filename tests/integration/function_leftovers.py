"""What a function has in AWS, so that tests can tell that nothing of it is left."""

from typing import Any

from chalicelib import store
from chalicelib.aws import s3_files
from chalicelib.aws.control import client
from chalicelib.config import settings


def stored_text() -> str:
    """Return the whole table as text."""
    pages = client("dynamodb").get_paginator("scan")
    found = pages.paginate(TableName=settings().table_name)
    return "\n".join(str(item) for page in found for item in page["Items"])


def leftovers(function_id: str, name: str) -> list[str]:
    """Return what there is of a function, calls excepted."""
    full = f"{settings().resource_prefix}-fn-{name}"
    return [
        *_of("lambda", "list_functions", "Functions", "FunctionName", full),
        *_of("iam", "list_roles", "Roles", "RoleName", full),
        *_of("ssm", "describe_parameters", "Parameters", "Name", f"/functions/{name}/"),
        *_of("logs", "describe_log_groups", "logGroups", "logGroupName", full),
        *_of("scheduler", "list_schedules", "Schedules", "Name", f"{name}-"),
        *s3_files.keys(f".functions/{function_id}/code/"),
        *(["item"] if store.functions.read(name) else []),
        *(f"version {each.number}" for each in store.functions.versions(function_id)),
        *(["account"] if f"'SK': {{'S': '{function_id}'}}" in stored_text() else []),
    ]


def _of(service: str, call: str, kind: str, key: str, part: str) -> list[str]:
    answer: dict[str, Any] = getattr(client(service), call)()
    return [f"{service} {each[key]}" for each in answer[kind] if part in each[key]]
