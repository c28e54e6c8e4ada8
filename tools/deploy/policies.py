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
    """Return the policy of a stage's function."""
    table = f"arn:aws:dynamodb:*:*:table/{project.stack_name(stage)}"
    bucket = f"arn:aws:s3:::{project.stack_name(stage)}-*"
    resources = {
        "Records": table,
        "Indexes": f"{table}/index/*",
        "Files": f"{bucket}/*",
        "Bucket": bucket,
        "Logs": f"arn:aws:logs:*:*:log-group:/aws/lambda/dormouse-{stage}*:*",
    }
    statements = [
        {**statement, "Resource": resources[statement["Sid"]]} for statement in of_template()
    ]
    return {"Version": "2012-10-17", "Statement": statements}


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
