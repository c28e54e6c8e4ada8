"""CloudFormation's tables, buckets and alarms with what ministack leaves out.

Its provisioner ignores a table's TimeToLiveSpecification and PointInTimeRecoverySpecification and
a bucket's LifecycleConfiguration,
empties a table that is there when a new stack names it, refuses alarms of several metrics, and
refuses a bucket that is there even when the change set takes it up (ImportExistingResources).
"""

import json
from typing import Any

from ministack.services import cloudformation, dynamodb, s3
from ministack.services.cloudformation import provisioners
from ministack.services.cloudformation import stacks as plain_stacks

_Document = dict[str, Any]

_create_plain = provisioners._ddb_create
_update_plain = provisioners._ddb_update
_alarm_plain = provisioners._cw_metric_alarm_record
_validation_plain = plain_stacks._validation_errors


def install() -> None:
    handlers = provisioners._RESOURCE_HANDLERS["AWS::DynamoDB::Table"]
    handlers["create"], handlers["update"] = _create, _update
    provisioners._S3_BUCKET_CONFIGURATIONS += (
        ("LifecycleConfiguration", _lifecycle_xml, s3._put_bucket_lifecycle,
         s3._delete_bucket_lifecycle),
    )  # fmt: skip
    provisioners._cw_metric_alarm_record = _alarm
    plain_stacks._validation_errors = _validation_errors


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


def _lifecycle_xml(configuration: _Document) -> bytes:
    """Return the rules as S3's own API takes them: those kinds that our template has."""
    rules = "".join(
        f"<Rule><ID>{rule['Id']}</ID><Status>{rule['Status']}</Status>"
        f"<Filter><Prefix>{rule.get('Prefix', '')}</Prefix></Filter>{_actions_xml(rule)}</Rule>"
        for rule in configuration.get("Rules", ())
    )
    return f"<LifecycleConfiguration>{rules}</LifecycleConfiguration>".encode()


def _actions_xml(rule: _Document) -> str:
    parts = []
    if "AbortIncompleteMultipartUpload" in rule:
        days = rule["AbortIncompleteMultipartUpload"]["DaysAfterInitiation"]
        wanted = f"<DaysAfterInitiation>{days}</DaysAfterInitiation>"
        parts.append(f"<AbortIncompleteMultipartUpload>{wanted}</AbortIncompleteMultipartUpload>")
    if "NoncurrentVersionExpiration" in rule:
        days = rule["NoncurrentVersionExpiration"]["NoncurrentDays"]
        wanted = f"<NoncurrentDays>{days}</NoncurrentDays>"
        parts.append(f"<NoncurrentVersionExpiration>{wanted}</NoncurrentVersionExpiration>")
    if rule.get("ExpiredObjectDeleteMarker"):
        wanted = "<ExpiredObjectDeleteMarker>true</ExpiredObjectDeleteMarker>"
        parts.append(f"<Expiration>{wanted}</Expiration>")
    return "".join(parts)


def _alarm(name: str, properties: _Document) -> Any:
    """Record an alarm of several metrics as one of its first: nothing here evaluates either."""
    metrics = [each for each in properties.get("Metrics", ()) if "MetricStat" in each]
    if not metrics:
        return _alarm_plain(name, properties)
    first = metrics[0]["MetricStat"]["Metric"]
    kept = {key: value for key, value in properties.items() if key != "Metrics"}
    return _alarm_plain(name, {**kept, **first, "ActionsEnabled": False})


def _validation_errors(*arguments: Any) -> list[Any]:
    stack_id = arguments[6]
    taken_up = {
        logical_id
        for change_set in cloudformation._change_sets.values()
        if change_set["StackId"] == stack_id
        for logical_id in change_set["_import_existing"]
    }
    return [error for error in _validation_plain(*arguments) if error[0] not in taken_up]
