"""The policy files of `chalice deploy`, made from the roles in resources.json.

So there is one list of what the app may do. `chalice deploy` knows no references between
resources, so these name table and bucket, in any account and region.
"""

import json
from pathlib import Path
from typing import Any

from tools.deploy import project

Policy = dict[str, Any]


def of_stage(stage: str) -> Policy:
    """Return the policy of a stage's functions."""
    statements = [_resolved(each, stage) for each in of_template()]
    for statement in statements:
        if statement["Sid"] == "Logs":  # `chalice deploy` adds nothing to the stage's name
            name = f"{project.stack_name(stage)}*:*"
            statement["Resource"] = f"arn:aws:logs:*:*:log-group:/aws/lambda/{name}"
    return {"Version": "2012-10-17", "Statement": statements}


def _resolved(value: Any, stage: str) -> Any:
    """Return a part of a statement without references, in any account and region."""
    if isinstance(value, list):
        return [_resolved(each, stage) for each in value]
    if not isinstance(value, dict):
        return value
    if "Fn::Sub" in value:
        text = value["Fn::Sub"]
        return _substituted(text if isinstance(text, str) else text[0], stage)
    for made, pattern in _MADE.items():
        if value in ({"Ref": made}, {"Fn::GetAtt": [made, "Arn"]}):
            return pattern.format(stack=project.stack_name(stage))
    return {key: _resolved(each, stage) for key, each in value.items()}


_MADE = {
    "FilesBucket": "arn:aws:s3:::{stack}-*",
    "ScheduleRole": "arn:aws:iam::*:role/{stack}-*ScheduleRole*",
    "FunctionBoundary": "arn:aws:iam::*:policy/{stack}-*FunctionBoundary*",
}
"""What bears a name that CloudFormation or the account decides."""


def _substituted(text: str, stage: str) -> str:
    stack = project.stack_name(stage)
    values = {
        "AWS::Partition": "aws",
        "AWS::Region": "*",
        "AWS::AccountId": "*",
        "AWS::StackName": stack,
        "Table": stack,
        "FilesBucket.Arn": _MADE["FilesBucket"].format(stack=stack),
    }
    for name, value in values.items():
        text = text.replace(f"${{{name}}}", value)
    return text


def of_template() -> list[Policy]:
    """Return the statements of the function's role in resources.json."""
    role = json.loads(project.RESOURCES.read_text())["Resources"]["ApiHandlerRole"]
    statements: list[Policy] = role["Properties"]["Policies"][0]["PolicyDocument"]["Statement"]
    return statements


def path(stage: str, root: Path = project.ROOT) -> Path:
    return root / ".chalice" / f"policy-{stage}.json"


def write(stage: str, root: Path = project.ROOT) -> None:
    """Write the stage's policy file."""
    path(stage, root).write_text(json.dumps(of_stage(stage), indent=2) + "\n")
