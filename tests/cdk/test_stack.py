"""The CDK stack synthesises to what `make deploy` deploys. `make test-cdk` runs this.

In an environment of its own, `infrastructure/.venv`, because aws-cdk-lib has 240 MB.
"""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tools.deploy import package, project
from tools.deploy.package import Package

PYTHON = project.ROOT / "infrastructure" / ".venv" / "bin" / "python"
ADDED_BY_CDK = {"AWS::CDK::Metadata"}
PROGRAM = """
import sys
from pathlib import Path
import aws_cdk as cdk
from aws_cdk import aws_iam
from infrastructure.stack import DormouseStack
app = cdk.App(outdir=sys.argv[2])
stack = DormouseStack(app, "dormouse-dev", Path(sys.argv[1]))
role = aws_iam.Role(stack, "Other", assumed_by=aws_iam.ServicePrincipal("lambda.amazonaws.com"))
stack.table.grant_read_data(role)
stack.bucket.grant_read(role)
stack.function.grant_invoke(role)
app.synth()
"""


@pytest.fixture(scope="module")
def packaged(tmp_path_factory: pytest.TempPathFactory) -> Package:
    if not PYTHON.exists():
        pytest.skip("needs infrastructure/.venv: make test-cdk")
    if os.environ.get("DORMOUSE_TEST_PACKAGE"):
        return Package(Path(os.environ["DORMOUSE_TEST_PACKAGE"]))
    return package.make("dev", tmp_path_factory.mktemp("package"))


@pytest.fixture(scope="module")
def synthesised(packaged: Package, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    out = tmp_path_factory.mktemp("cdk")
    done = subprocess.run(
        [str(PYTHON), "-c", PROGRAM, str(packaged.folder.resolve()), str(out)], cwd=project.ROOT,
        env={**os.environ, "AWS_DEFAULT_REGION": "us-east-1"}, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    document: dict[str, Any] = json.loads((out / "dormouse-dev.template.json").read_text())
    return document


def without_code(resource: dict[str, Any]) -> dict[str, Any]:
    properties = {k: v for k, v in resource.get("Properties", {}).items() if k != "CodeUri"}
    kept = {k: v for k, v in resource.items() if k not in ("Metadata", "Properties")}
    return {**kept, "Properties": properties}


@pytest.mark.timeout(300)
def test_every_resource_is_that_of_the_template(
    packaged: Package, synthesised: dict[str, Any]
) -> None:
    ours = json.loads(packaged.template.read_text())
    for part in ("Parameters", "Mappings", "Conditions", "Outputs"):
        made = synthesised[part]
        assert {name: made[name] for name in ours[part]} == ours[part]
    made = synthesised["Resources"]
    for name, resource in ours["Resources"].items():
        assert without_code(made[name]) == without_code(resource), name
    assert set(synthesised["Transform"]) == set(ours["Transform"])


def test_the_code_is_the_uploaded_asset(synthesised: dict[str, Any]) -> None:
    code = synthesised["Resources"]["APIHandler"]["Properties"]["CodeUri"]
    assert code["Key"].endswith(".zip")
    assert "cdk-" in json.dumps(code["Bucket"])


def test_constructs_of_ones_own_can_be_granted_what_the_stack_has(
    synthesised: dict[str, Any],
) -> None:
    policies = [
        json.dumps(each)
        for each in synthesised["Resources"].values()
        if each["Type"] == "AWS::IAM::Policy"
    ]
    assert len(policies) == 1
    for part in ("DataTable", "FilesBucket", "APIHandler"):
        assert f'"Fn::GetAtt": ["{part}", "Arn"]' in policies[0]
