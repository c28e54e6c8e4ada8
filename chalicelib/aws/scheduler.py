"""EventBridge Scheduler: one schedule for each schedule trigger, all in the deployment's group.

A schedule sends its input to the queue of wakes, and tells in it for when it was due. That queue
is first-in-first-out and must have content-based deduplication, since Scheduler gives no ids.

IAM: scheduler:CreateSchedule, GetSchedule, UpdateSchedule, DeleteSchedule on the group's
schedules (arn:aws:scheduler:<region>:<account>:schedule/<prefix>/*), scheduler:ListSchedules
and, for the group itself, scheduler:CreateScheduleGroup on schedule-group/<prefix>; iam:PassRole on
the schedules' role, to scheduler.amazonaws.com alone.
"""

import re
from typing import Any, NamedTuple

from chalicelib.aws import account
from chalicelib.aws.control import ExistsError, MissingError, client, translated
from chalicelib.config import settings
from chalicelib.domain.functions import names

SCHEDULED_TIME = "<aws.scheduler.scheduled-time>"
"""Scheduler puts the time in its place, as 2026-11-23T07:00:00Z."""

_RETRIES = {"MaximumEventAgeInSeconds": 3600, "MaximumRetryAttempts": 30}
_TRIGGER_ID = re.compile(r"[a-z0-9]{8}")


class Schedule(NamedTuple):
    """A schedule as it is to be."""

    name: str
    expression: str
    timezone: str
    is_once: bool
    input: str
    """Sent to the queue of wakes; `SCHEDULED_TIME` in it is replaced."""


def ensure(wanted: Schedule) -> None:
    """Make a schedule, or change the one there is. Raises `ControlError`.

    One that is as it should be is left alone, because a change would begin a rate anew.
    """
    try:
        found = _get(wanted.name)
    except MissingError:
        _create(wanted)
        return
    arguments = _arguments(wanted)
    if any(_differs(value, found.get(name)) for name, value in arguments.items()):
        with translated():
            client("scheduler").update_schedule(**arguments)


def delete(name: str) -> None:
    """Remove a schedule; an absent one is fine. Raises `ControlError`."""
    try:
        with translated():
            client("scheduler").delete_schedule(GroupName=_group(), Name=name)
    except MissingError:
        return


def of_function(function: str) -> list[str]:
    """Return the names of the schedules that a function has. Raises `ControlError`."""
    prefix = names.schedule(function, "")
    pages = client("scheduler").get_paginator("list_schedules")
    try:
        with translated():
            found = [
                str(each["Name"])
                for page in pages.paginate(GroupName=_group(), NamePrefix=prefix)
                for each in page["Schedules"]
            ]
    except MissingError:
        return []  # no group yet
    # A function whose name goes on where this one's ends has a longer rest.
    return [name for name in found if _TRIGGER_ID.fullmatch(name.removeprefix(prefix))]


def _create(wanted: Schedule) -> None:
    try:
        try:
            _create_in_group(wanted)
        except MissingError:
            _create_group()
            _create_in_group(wanted)
    except ExistsError:
        # Another request has made it meanwhile, perhaps from older settings.
        with translated():
            client("scheduler").update_schedule(**_arguments(wanted))


def _create_in_group(wanted: Schedule) -> None:
    with translated():
        client("scheduler").create_schedule(**_arguments(wanted))


def _create_group() -> None:
    try:
        with translated():
            client("scheduler").create_schedule_group(Name=_group())
    except ExistsError:
        return


def _get(name: str) -> dict[str, Any]:
    with translated():
        found: dict[str, Any] = client("scheduler").get_schedule(GroupName=_group(), Name=name)
    return found


def _arguments(wanted: Schedule) -> dict[str, Any]:
    prefix = settings().resource_prefix
    partition, number = account.identity()
    queue = f"arn:{partition}:sqs:{settings().region}:{number}:{names.wakes(prefix)}"
    return {
        "Name": wanted.name,
        "GroupName": _group(),
        "ScheduleExpression": wanted.expression,
        "ScheduleExpressionTimezone": wanted.timezone,
        "ActionAfterCompletion": "DELETE" if wanted.is_once else "NONE",
        "FlexibleTimeWindow": {"Mode": "OFF"},
        "State": "ENABLED",
        "Target": {
            "Arn": queue,
            "RoleArn": account.role_arn(settings().schedule_role or f"{prefix}-schedules"),
            "Input": wanted.input,
            "RetryPolicy": _RETRIES,
            "SqsParameters": {"MessageGroupId": wanted.name},
        },
    }


def _differs(wanted: Any, found: Any) -> bool:
    """Return whether AWS has something else; what it adds to a structure does not count."""
    if isinstance(wanted, dict) and isinstance(found, dict):
        return any(_differs(value, found.get(name)) for name, value in wanted.items())
    return bool(wanted != found)


def _group() -> str:
    return names.schedule_group(settings().resource_prefix)
