"""A stage through its life: deployed, deployed again, another front door, destroyed, back again."""

import json
import time
from collections.abc import Iterator
from typing import Any

import boto3
import pytest

from tests.deployed import stage
from tests.deployed.stage import Deployed
from tools.deploy import destroy, project, template
from tools.deploy.package import Package
from tools.deploy.stack import StackError
from tools.local_aws import client
from tools.local_aws.client import LocalAws

NOTES = {"name": "notes", "type": "base", "fields": [{"name": "title", "type": "text"}]}
RECORDS = "/api/collections/notes/records"
TAKEN = {
    "Type": "AWS::DynamoDB::Table",
    "DependsOn": "APIHandler",
    "Properties": {
        "TableName": project.stack_name(stage.STAGE),
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [{"AttributeName": "k", "AttributeType": "S"}],
        "KeySchema": [{"AttributeName": "k", "KeyType": "HASH"}],
    },
}
"""A resource that cannot be made, because its name is taken, once the function is updated."""


@pytest.fixture
def fresh_aws() -> Iterator[LocalAws]:
    running = client.start()
    yield running
    running.stop()


def titles(live: Deployed) -> list[str]:
    return [each["title"] for each in live.must("GET", RECORDS)["items"]]


def changed(package: Package, more: Any = None, **properties: Any) -> Package:
    """Return the package with other properties of its function, and `more` resources."""
    document = json.loads(package.template.read_text())
    document["Resources"]["APIHandler"]["Properties"].update(properties)
    document["Resources"].update(more or {})
    folder = package.folder.with_name(f"{package.folder.name}-changed-{time.monotonic_ns()}")
    folder.mkdir()
    (folder / "deployment.zip").symlink_to(package.code)
    (folder / "template.json").write_text(json.dumps(document))
    return Package(folder)


def function(aws: LocalAws, outputs: dict[str, str]) -> dict[str, Any]:
    with stage.environment(aws):
        name = outputs["APIHandlerName"]
        found = boto3.client("lambda").get_function_configuration(FunctionName=name)
    return dict(found)


def test_deploys_and_destroys_keep_the_data(fresh_aws: LocalAws, packaged: Package) -> None:
    first = stage.run(fresh_aws, packaged)
    stage.make_superuser(fresh_aws)
    with stage.reached(fresh_aws, first) as live:
        live.must("POST", "/api/collections", NOTES)
        live.must("POST", RECORDS, {"title": "before"})

    assert stage.run(fresh_aws, packaged) == first, "a repeated deploy must change nothing"

    other = stage.run(fresh_aws, changed(packaged, MemorySize=1024, Description="another"))
    assert other["ApiUrl"] == first["ApiUrl"]
    assert function(fresh_aws, other)["MemorySize"] == 1024
    with stage.reached(fresh_aws, other) as live:
        assert titles(live) == ["before"]
        live.must("POST", RECORDS, {"title": "between"})

    with stage.environment(fresh_aws):
        destroy.destroy(stage.STAGE)
    again = stage.run(fresh_aws, packaged)
    with stage.reached(fresh_aws, again) as live:
        assert sorted(titles(live)) == ["before", "between"]


def test_a_destroyed_stage_leaves_only_table_and_bucket(
    fresh_aws: LocalAws, packaged: Package
) -> None:
    with stage.environment(fresh_aws):
        before = everything()
    stage.run(fresh_aws, packaged, AlarmEmail="me@example.com")
    stage.make_superuser(fresh_aws)
    with stage.environment(fresh_aws):
        kept = destroy.destroy(stage.STAGE)
        after = everything()
    assert after - before == {("table", kept["table"]), ("bucket", kept["bucket"])}


def everything() -> set[tuple[str, str]]:
    """Return the kind and name of whatever a stack of ours may make."""
    lists: dict[str, tuple[str, str, str, str]] = {
        "table": ("dynamodb", "list_tables", "TableNames", ""),
        "bucket": ("s3", "list_buckets", "Buckets", "Name"),
        "function": ("lambda", "list_functions", "Functions", "FunctionName"),
        "role": ("iam", "list_roles", "Roles", "RoleName"),
        "log group": ("logs", "describe_log_groups", "logGroups", "logGroupName"),
        "REST API": ("apigateway", "get_rest_apis", "items", "id"),
        "HTTP API": ("apigatewayv2", "get_apis", "Items", "ApiId"),
        "alarm": ("cloudwatch", "describe_alarms", "MetricAlarms", "AlarmName"),
        "dashboard": ("cloudwatch", "list_dashboards", "DashboardEntries", "DashboardName"),
        "topic": ("sns", "list_topics", "Topics", "TopicArn"),
    }
    found = set()
    for kind, (service, operation, key, name) in lists.items():
        items = getattr(boto3.client(service), operation)()[key]
        found |= {(kind, item[name] if name else item) for item in items}
    return found


def test_the_template_makes_all_that_it_promises(deployed: Deployed) -> None:
    with stage.environment(deployed.aws):
        made = everything()
        table = project.stack_name(stage.STAGE)
        dynamodb = boto3.client("dynamodb")
        ttl = dynamodb.describe_time_to_live(TableName=table)["TimeToLiveDescription"]
        backups = dynamodb.describe_continuous_backups(TableName=table)
        bucket = deployed.outputs["BucketName"]
        rules = boto3.client("s3").get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]
        group = f"/aws/lambda/{deployed.outputs['APIHandlerName']}"
        logs = boto3.client("logs").describe_log_groups(logGroupNamePrefix=group)["logGroups"]
    assert (ttl["AttributeName"], ttl["TimeToLiveStatus"]) == ("ttl", "ENABLED")
    recovery = backups["ContinuousBackupsDescription"]["PointInTimeRecoveryDescription"]
    assert recovery["PointInTimeRecoveryStatus"] == "ENABLED"
    assert any("AbortIncompleteMultipartUpload" in rule for rule in rules)
    assert [each["retentionInDays"] for each in logs] == [30]
    kinds = [kind for kind, _ in made]
    assert kinds.count("alarm") == 4
    assert kinds.count("dashboard") == 1


@pytest.mark.parametrize("door", ["http", "url"])
def test_another_front_door_serves_the_same(
    fresh_aws: LocalAws, packaged: Package, door: str
) -> None:
    stage.run(fresh_aws, packaged)
    stage.make_superuser(fresh_aws)
    outputs = stage.run(fresh_aws, packaged, FrontDoor=door)
    assert "RestAPIId" not in outputs
    with stage.reached(fresh_aws, outputs) as live:
        live.must("POST", "/api/collections", NOTES)
        made = live.must("POST", RECORDS, {"title": "ü ☃"})
        assert live.must("GET", f"{RECORDS}/{made['id']}")["title"] == "ü ☃"
        query = "?filter=title%3D%22%C3%BC%20%E2%98%83%22&fields=title"
        assert live.must("GET", RECORDS + query)["items"] == [{"title": "ü ☃"}]
        assert live.ask("GET", "/api/nothing").status == 404
        assert live.ask("DELETE", f"{RECORDS}/{made['id']}").status == 204


def test_a_failed_update_rolls_back(fresh_aws: LocalAws, packaged: Package) -> None:
    outputs = stage.run(fresh_aws, packaged)
    stage.make_superuser(fresh_aws)
    broken = changed(packaged, {"Taken": TAKEN}, MemorySize=1024)
    with pytest.raises(StackError, match=r"UPDATE_ROLLBACK_COMPLETE(.|\n)*already exists"):
        stage.run(fresh_aws, broken)
    assert function(fresh_aws, outputs)["MemorySize"] == 512
    with stage.reached(fresh_aws, outputs) as live:
        assert live.ask("GET", "/api/health").status == 200


def test_snap_start_leads_callers_to_a_published_version(
    fresh_aws: LocalAws, packaged: Package
) -> None:
    document = json.loads(packaged.template.read_text())
    # The local Lambda runs every Python by its own; the name alone allows SnapStart.
    document["Resources"]["APIHandler"]["Properties"]["Runtime"] = "python3.13"
    body = document["Resources"]["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"]
    body[0] = json.loads(body[0])
    snapped = template.finish(document, snap_start=True)
    outputs = stage.run(fresh_aws, changed(packaged, snapped["Resources"]))
    stage.make_superuser(fresh_aws)
    with stage.reached(fresh_aws, outputs) as live:
        assert live.ask("GET", "/api/health").status == 200
    with stage.environment(fresh_aws):
        name = outputs["APIHandlerName"]
        alias = boto3.client("lambda").get_alias(FunctionName=name, Name="live")
    assert alias["FunctionVersion"] == "1"


def test_the_restore_drill_brings_a_deleted_record_back(
    fresh_aws: LocalAws, packaged: Package
) -> None:
    outputs = stage.run(fresh_aws, packaged)
    stage.make_superuser(fresh_aws)
    with stage.reached(fresh_aws, outputs) as live:
        live.must("POST", "/api/collections", NOTES)
        record = live.must("POST", RECORDS, {"title": "dear"})
        restored = f"{outputs['TableName']}-restored"
        with stage.environment(fresh_aws):
            dynamodb = boto3.client("dynamodb")
            dynamodb.restore_table_to_point_in_time(
                SourceTableName=outputs["TableName"], TargetTableName=restored,
                UseLatestRestorableTime=True,
            )  # fmt: skip
            dynamodb.get_waiter("table_exists").wait(TableName=restored)
        assert live.ask("DELETE", f"{RECORDS}/{record['id']}").status == 204
        assert titles(live) == []

        drilled = stage.run(fresh_aws, packaged, RestoredTable=restored)
        assert drilled["TableName"] == restored
        assert titles(live) == ["dear"]

        stage.run(fresh_aws, packaged, RestoredTable="")
        assert titles(live) == []
