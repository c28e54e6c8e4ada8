"""CloudFormation's tables and alarms with what ministack leaves out.

Its provisioner ignores a table's TimeToLiveSpecification and PointInTimeRecoverySpecification,
empties a table that is there when a new stack names it, and refuses alarms of several metrics.
"""

import json
from typing import Any

from ministack.services import dynamodb
from ministack.services.cloudformation import provisioners

_Document = dict[str, Any]

_create_plain = provisioners._ddb_create
_update_plain = provisioners._ddb_update
_alarm_plain = provisioners._cw_metric_alarm_record


def install() -> None:
    handlers = provisioners._RESOURCE_HANDLERS["AWS::DynamoDB::Table"]
    handlers["create"], handlers["update"] = _create, _update
    provisioners._cw_metric_alarm_record = _alarm


def _create(logical_id: str, properties: _Document, stack: str) -> Any:
    name = properties.get("TableName")
    if name and name in dynamodb._tables:
        raise ValueError(f"Table {name} already exists")
    made = _create_plain(logical_id, properties, stack)
    _complete(made[0], properties)
    return made


def _update(
    name: str, old: _Document, new: _Document, stack: str, logical_id: str | None = None
) -> Any:
    made = _update_plain(name, old, new, stack, logical_id=logical_id)
    _complete(made[0], new)
    return made


def _complete(name: str, properties: _Document) -> None:
    ttl = properties.get("TimeToLiveSpecification")
    current = json.loads(dynamodb._describe_ttl({"TableName": name})[2])
    is_on = current["TimeToLiveDescription"]["TimeToLiveStatus"] == "ENABLED"
    if ttl and bool(ttl.get("Enabled")) != is_on:
        _must(dynamodb._update_ttl({"TableName": name, "TimeToLiveSpecification": ttl}))
    recovery = properties.get("PointInTimeRecoverySpecification")
    if recovery:
        wanted = {"TableName": name, "PointInTimeRecoverySpecification": recovery}
        _must(dynamodb._update_continuous_backups(wanted))


def _must(answer: Any) -> None:
    if answer[0] >= 400:
        raise ValueError(f"AWS::DynamoDB::Table: {answer[2]!r}")


def _alarm(name: str, properties: _Document) -> Any:
    """Record an alarm of several metrics as one of its first: nothing here evaluates either."""
    metrics = [each for each in properties.get("Metrics", ()) if "MetricStat" in each]
    if not metrics:
        return _alarm_plain(name, properties)
    first = metrics[0]["MetricStat"]["Metric"]
    kept = {key: value for key, value in properties.items() if key != "Metrics"}
    return _alarm_plain(name, {**kept, **first, "ActionsEnabled": False})
