"""What the packaged template needs beyond Chalice's merge of resources.json."""

import json
from typing import Any

Template = dict[str, Any]

SNAP_START_RUNTIMES = ("python3.12", "python3.13", "python3.14")

ONLY_FOR_WAKER = {"Stream"}
FOR_WAKER = ONLY_FOR_WAKER | {
    "Records", "Indexes", "Files", "Bucket", "Logs", "Calls", "Messages", "SchedulesEnd",
}  # fmt: skip
"""By Sid. What makes functions, roles and queues is the API's alone."""


class TemplateError(Exception):
    """The template cannot be made as wanted; the text says why."""


def finish(template: Template, *, snap_start: bool = False) -> Template:
    """Complete the template in place and return it. Raises `TemplateError`."""
    resources = template["Resources"]
    dashboard = resources["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"]
    dashboard[0] = _minified(dashboard[0])
    gigabytes = resources["APIHandler"]["Properties"]["MemorySize"] / 1024
    # For the cost alarm: a mapping, because an expression cannot read a function's memory.
    template["Mappings"]["Function"] = {"Memory": {"Gigabytes": f"{gigabytes:g}"}}
    _share_out(resources)
    if snap_start:
        _use_snap_start(resources)
    return template


def _share_out(resources: dict[str, Any]) -> None:
    """Give each function's role its part of what resources.json grants the app."""
    policies = resources["ApiHandlerRole"]["Properties"]["Policies"]
    statements = policies[0]["PolicyDocument"]["Statement"]
    for_waker = [each for each in statements if each["Sid"] in FOR_WAKER]
    resources["WakeRole"]["Properties"]["Policies"] = [_policy("wake", for_waker)]
    for_api = [each for each in statements if each["Sid"] not in ONLY_FOR_WAKER]
    resources["ApiHandlerRole"]["Properties"]["Policies"] = [_policy("api", for_api)]


def _policy(name: str, statements: list[Any]) -> dict[str, Any]:
    document = {"Version": "2012-10-17", "Statement": statements}
    return {"PolicyName": name, "PolicyDocument": document}


def text(template: Template) -> str:
    """Return the template as small as it gets: CloudFormation takes 1 MB at most."""
    return _minified(template)


def set_code(template: Template, bucket: str, key: str) -> None:
    """Point every function to the uploaded zip."""
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            resource["Properties"]["CodeUri"] = {"Bucket": bucket, "Key": key}


def set_names(template: Template, table: str, bucket: str) -> None:
    """Write the names of table and bucket out, as taking up existing ones demands.

    CloudFormation imports what exists only under names that are literals in the template.
    """
    resources = template["Resources"]
    resources["DataTable"]["Properties"]["TableName"] = table
    resources["FilesBucket"]["Properties"]["BucketName"] = bucket


def _use_snap_start(resources: dict[str, Any]) -> None:
    """Start from a snapshot: of a published version, so callers must reach its alias."""
    function = resources["APIHandler"]["Properties"]
    if function["Runtime"] not in SNAP_START_RUNTIMES:
        raise TemplateError(
            f"SnapStart needs Python 3.12 or newer, and this is {function['Runtime']}: "
            "make PYTHON=python3.12 ..."
        )
    function["SnapStart"] = {"ApplyOn": "PublishedVersions"}
    function["AutoPublishAlias"] = "live"
    swagger = resources["RestAPI"]["Properties"]["DefinitionBody"]
    through_alias = json.dumps(swagger).replace("${APIHandler.Arn}/", "${APIHandlerAliaslive}/")
    resources["RestAPI"]["Properties"]["DefinitionBody"] = json.loads(through_alias)
    alias = {"Ref": "APIHandlerAliaslive"}
    for name in ("APIHandlerInvokePermission", "HttpPermission"):
        resources[name]["Properties"]["FunctionName"] = alias
    resources["HttpIntegration"]["Properties"]["IntegrationUri"] = alias
    # A Function URL names the alias by its qualifier.
    resources["FunctionUrl"]["Properties"]["TargetFunctionArn"] = {"Ref": "APIHandler"}
    resources["FunctionUrl"]["Properties"]["Qualifier"] = "live"
    resources["FunctionUrl"]["DependsOn"] = "APIHandlerAliaslive"
    for name in ("UrlPermission", "UrlInvokePermission"):
        resources[name]["Properties"]["FunctionName"] = alias


def _minified(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))
