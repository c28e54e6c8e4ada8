"""`make bootstrap STAGE=dev`: what `chalice deploy --stage dev` needs and does not make.

    python -m tools.deploy.bootstrap --stage dev

Table, bucket and what functions need, as resources.json describes them, in a stack of their own;
their names in the stage's part of `.chalice/config.json`; and the stage's policy file, from which
`chalice deploy` makes the role. Safe to repeat.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from tools.deploy import deploy, policies, project
from tools.deploy.deploy import Place
from tools.deploy.stack import Source, Stack

DATA = ("DataTable", "FilesBucket")
FOR_FUNCTIONS = ("WakesQueue", "DeadWakesQueue", "Schedules", "ScheduleRole", "FunctionBoundary")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.deploy.bootstrap", description=__doc__)
    parser.add_argument("--stage", required=True)
    parser.add_argument("--project", type=Path, default=project.ROOT, help="whose config to write")
    options = parser.parse_args()
    try:
        outputs = bootstrap(project.check_stage(options.stage), options.project)
    except deploy.ERRORS as error:
        print(f"dormouse: {error}", file=sys.stderr)
        return 1
    print(f"Ready for: chalice deploy --stage {options.stage}")
    print(f"  table   {outputs['TableName']}\n  bucket  {outputs['BucketName']}")
    return 0


def bootstrap(stage: str, root: Path) -> dict[str, str]:
    """Make the data stack and write the stage's files under `root`; return the outputs.

    Raises `stack.StackError`.
    """
    place = deploy.here()
    live = Stack(f"{project.stack_name(stage)}-data", place.region)
    adopt = not live.status() and deploy.has_table(project.stack_name(stage), place.region)
    live.deploy(Source(body=json.dumps(data_template(stage, place))), {}, adopt=adopt)
    outputs = live.outputs()
    deploy.prepare(outputs, place)
    document = project.config(root)
    variables = document["stages"][stage].setdefault("environment_variables", {})
    variables["DORMOUSE_TABLE_NAME"] = outputs["TableName"]
    variables["DORMOUSE_BUCKET_NAME"] = outputs["BucketName"]
    variables["DORMOUSE_RESOURCE_PREFIX"] = project.stack_name(stage)
    variables["DORMOUSE_WAKER"] = _waker(stage)
    variables["DORMOUSE_SCHEDULE_ROLE"] = outputs["ScheduleRoleArn"]
    variables["DORMOUSE_BOUNDARY"] = outputs["BoundaryArn"]
    project.write_config(document, root)
    policies.write(stage, root)
    return outputs


def data_template(stage: str, place: Place) -> dict[str, Any]:
    """Return a template of what holds data and what functions need, under the usual names."""
    resources = json.loads(project.RESOURCES.read_text())["Resources"]
    made = {name: resources[name] for name in DATA + FOR_FUNCTIONS}
    made["DataTable"]["Properties"]["TableName"] = project.stack_name(stage)
    bucket = project.bucket_name(stage, place.account, place.region)
    made["FilesBucket"]["Properties"]["BucketName"] = bucket
    outputs = {
        "TableName": {"Ref": "DataTable"},
        "BucketName": {"Ref": "FilesBucket"},
        "ScheduleRoleArn": {"Fn::GetAtt": ["ScheduleRole", "Arn"]},
        "BoundaryArn": {"Ref": "FunctionBoundary"},
    }
    # This stack bears another name than the stage's own would.
    text = json.dumps(made).replace("${AWS::StackName}", project.stack_name(stage))
    text = text.replace('{"Ref": "AWS::StackName"}', json.dumps(project.stack_name(stage)))
    return {
        "Description": f"Dormouse, stage {stage}: its data, for chalice deploy",
        "Resources": json.loads(text),
        "Outputs": {key: {"Value": value} for key, value in outputs.items()},
    }


def _waker(stage: str) -> str:
    """Return what `chalice deploy` calls the second function of app.py."""
    return f"{project.stack_name(stage)}-wake"


if __name__ == "__main__":
    sys.exit(main())
