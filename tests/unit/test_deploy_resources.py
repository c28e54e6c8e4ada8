"""resources.json: what it makes, what it costs when idle, and who may do what."""

import ast
import json
import re
from pathlib import Path
from typing import Any

import pytest

from chalicelib.errors import ApiError, NotFoundError, TooLargeError, TooManyRequestsError
from chalicelib.store.table import Item
from tools.deploy import policies, project

RESOURCES: dict[str, Any] = json.loads(project.RESOURCES.read_text())["Resources"]
AWS = project.ROOT / "chalicelib" / "aws"

COSTS_NOTHING_IDLE = {
    "AWS::ApiGatewayV2::Api", "AWS::ApiGatewayV2::Integration", "AWS::ApiGatewayV2::Route",
    "AWS::ApiGatewayV2::Stage", "AWS::Lambda::Permission", "AWS::Lambda::Url",
    "AWS::SNS::Subscription", "AWS::SNS::Topic",
    "AWS::IAM::ManagedPolicy", "AWS::IAM::Role", "AWS::SQS::Queue",
    "AWS::Scheduler::Schedule", "AWS::Scheduler::ScheduleGroup",
}  # fmt: skip
COSTS_STORAGE = {"AWS::DynamoDB::Table", "AWS::S3::Bucket"}
FREE_UP_TO_A_NUMBER = {"AWS::CloudWatch::Alarm", "AWS::CloudWatch::Dashboard"}
MADE_BY_CHALICE = {
    "APIHandler", "APIHandlerInvokePermission", "ApiHandlerLogGroup", "ApiHandlerRole", "RestAPI",
    "Wake", "WakeLogGroup",
}  # fmt: skip


def test_an_idle_stack_costs_storage_only() -> None:
    types = {name: resource.get("Type") for name, resource in RESOURCES.items()}
    assert {name for name, kind in types.items() if kind is None} == MADE_BY_CHALICE
    known = COSTS_NOTHING_IDLE | COSTS_STORAGE | FREE_UP_TO_A_NUMBER | {None}
    assert set(types.values()) <= known
    assert RESOURCES["DataTable"]["Properties"]["BillingMode"] == "PAY_PER_REQUEST"
    text = json.dumps(RESOURCES)
    for always_on in ("ProvisionedThroughput", "ProvisionedConcurrency", "VpcConfig", "Accelerat"):
        assert always_on not in text


def test_the_alarms_and_the_dashboard_stay_within_what_is_free() -> None:
    alarms = [each for each in RESOURCES.values() if each.get("Type") == "AWS::CloudWatch::Alarm"]
    metrics = [each for alarm in alarms for each in alarm["Properties"]["Metrics"]]
    assert sum("MetricStat" in each for each in metrics) <= 10  # AWS: 10 alarm metrics a month
    kinds = [each.get("Type") for each in RESOURCES.values()]
    assert kinds.count("AWS::CloudWatch::Dashboard") <= 3


@pytest.mark.parametrize("name", ["DataTable", "FilesBucket"])
def test_data_outlives_the_stack(name: str) -> None:
    assert RESOURCES[name]["DeletionPolicy"] == "Retain"
    assert RESOURCES[name]["UpdateReplacePolicy"] == "Retain"


def test_the_bucket_is_private_encrypted_and_tidied() -> None:
    bucket = RESOURCES["FilesBucket"]["Properties"]
    assert len(bucket["PublicAccessBlockConfiguration"]) == 4
    assert all(bucket["PublicAccessBlockConfiguration"].values())
    assert bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    rules = bucket["LifecycleConfiguration"]["Rules"]
    assert any("AbortIncompleteMultipartUpload" in rule for rule in rules)


def test_the_table_is_the_one_that_the_model_defines() -> None:
    schema = Item._get_schema()
    table = RESOURCES["DataTable"]["Properties"]

    def keys(schema: Any) -> list[tuple[str, str]]:
        return [(each["AttributeName"], each["KeyType"]) for each in schema]

    assert keys(table["KeySchema"]) == keys(schema["key_schema"])
    indexes = {each["IndexName"]: each for each in table["GlobalSecondaryIndexes"]}
    theirs = {each["index_name"]: each for each in schema["global_secondary_indexes"]}
    assert indexes.keys() == theirs.keys()
    for name, index in indexes.items():
        assert keys(index["KeySchema"]) == keys(theirs[name]["key_schema"])
        assert index["Projection"] == theirs[name]["projection"]
    assert table["StreamSpecification"]["StreamViewType"] == Item.Meta.stream_view_type
    assert table["TimeToLiveSpecification"] == {"AttributeName": "ttl", "Enabled": True}
    assert table["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"]


def actions_named_in(module: Path) -> set[str]:
    """Return the actions of the sentence `IAM: service:Action, Action ... .` of a docstring."""
    text = ast.get_docstring(ast.parse(module.read_text())) or ""
    found = re.search(r"^IAM: (.*?)(?:\.\s|\.?\Z|\n\n)", text, re.DOTALL | re.MULTILINE)
    actions, service = set(), ""
    pattern = r"(?:\b([a-z0-9]+):)?\b([A-Z][a-z]+(?:[A-Z][a-z]+)*)\b"
    for prefix, action in re.findall(pattern, found[1] if found else ""):
        service = prefix or service
        actions.add(f"{service}:{action}")
    return actions


WRITING_ITS_OWN_LOG = {"logs:CreateLogStream", "logs:PutLogEvents"}


def test_the_function_may_do_what_the_aws_modules_name_and_no_more() -> None:
    named = {action for module in AWS.glob("*.py") for action in actions_named_in(module)}
    granted: set[str] = set()
    for statement in policies.of_template():
        actions = statement["Action"]
        granted |= {actions} if isinstance(actions, str) else set(actions)
    assert granted == named | WRITING_ITS_OWN_LOG
    assert not any("*" in action for action in granted)


def test_what_the_app_makes_for_functions_can_do_no_more_than_write_a_log() -> None:
    boundary = RESOURCES["FunctionBoundary"]["Properties"]["PolicyDocument"]["Statement"]
    assert [each["Action"] for each in boundary] == [sorted(WRITING_ITS_OWN_LOG)]
    statements = {each["Sid"]: each for each in policies.of_template()}
    bound = {"iam:PermissionsBoundary": {"Ref": "FunctionBoundary"}}
    assert statements["FunctionRoles"]["Condition"] == {"StringLike": bound}
    for sid, statement in statements.items():
        for action in {"iam:CreateRole", "iam:PutRolePolicy"} & set(statement["Action"]):
            assert sid == "FunctionRoles", f"{action} without the boundary"
        if statement["Action"] == "iam:PassRole":
            assert statement["Condition"]["StringEquals"]["iam:PassedToService"]


def test_the_queue_of_wakes_waits_longer_than_its_consumer_may_work() -> None:
    wake = project.config()["stages"]["prod"]["lambda_functions"]["wake"]
    queue = RESOURCES["WakesQueue"]["Properties"]
    assert queue["VisibilityTimeout"] > wake["lambda_timeout"] == 900


@pytest.mark.parametrize("stage", ["dev", "prod"])
def test_the_policy_file_of_a_stage_is_the_role_of_the_template(stage: str) -> None:
    assert json.loads(policies.path(stage).read_text()) == policies.of_stage(stage)


SAME_AS_OURS = [
    ("MISSING_AUTHENTICATION_TOKEN", NotFoundError()),
    ("RESOURCE_NOT_FOUND", NotFoundError()),
    ("REQUEST_TOO_LARGE", TooLargeError()),
    ("THROTTLED", TooManyRequestsError()),
    ("QUOTA_EXCEEDED", TooManyRequestsError()),
    ("DEFAULT_5XX", ApiError()),
]


@pytest.mark.parametrize(("kind", "error"), SAME_AS_OURS)
def test_the_gateway_answers_as_the_app_would(kind: str, error: ApiError) -> None:
    response = RESOURCES["RestAPI"]["Properties"]["GatewayResponses"][kind]
    assert json.loads(response["ResponseTemplates"]["application/json"]) == error.body()
    assert response["StatusCode"] == str(error.status)


def test_a_browser_may_read_every_answer_of_the_gateway() -> None:
    responses = RESOURCES["RestAPI"]["Properties"]["GatewayResponses"]
    assert {"DEFAULT_4XX", "DEFAULT_5XX", "INTEGRATION_TIMEOUT"} <= responses.keys()
    for response in responses.values():
        body = json.loads(response["ResponseTemplates"]["application/json"])
        assert str(body["status"]) == response["StatusCode"]
        assert response["ResponseParameters"]["Headers"]["Access-Control-Allow-Origin"] == "'*'"
