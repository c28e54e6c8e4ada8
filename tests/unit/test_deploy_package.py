"""What is packed, and when packaging fails."""

import json
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from tools.deploy import package, project, slim, template
from tools.deploy.project import StageError

FILES = {
    "app.py": "import chalicelib\n",
    "chalicelib/__init__.py": "NAMES = {'a', 'b', 'c', 'd'}\n",
    "botocore/session.py": "",
    "botocore-1.43.106.dist-info/METADATA": "",
    "python_dateutil-2.9.0.dist-info/METADATA": "",
    "six.py": "",
    "bcrypt-5.0.0.dist-info/RECORD": "",
    "bcrypt-5.0.0.dist-info/licenses/LICENSE": "may be copied",
}


def packed(folder: Path, files: dict[str, str]) -> Path:
    path = folder / "raw.zip"
    with zipfile.ZipFile(path, "w") as made:
        for name, text in files.items():
            made.writestr(name, text)
    return path


def test_the_zip_has_what_is_used_and_its_bytecode(tmp_path: Path) -> None:
    slim.slim(packed(tmp_path, FILES), tmp_path / "slim.zip")
    with zipfile.ZipFile(tmp_path / "slim.zip") as made:
        names = set(made.namelist())
    tag = sys.implementation.cache_tag
    bytecode = {f"__pycache__/app.{tag}.pyc", f"chalicelib/__pycache__/__init__.{tag}.pyc"}
    packed_names = {"app.py", "chalicelib/__init__.py"}
    assert names == packed_names | {"bcrypt-5.0.0.dist-info/licenses/LICENSE"} | bytecode


def test_the_same_sources_make_the_same_zip(tmp_path: Path) -> None:
    raw = packed(tmp_path, FILES)
    backwards = packed(tmp_path, dict(reversed(FILES.items())))
    slim.slim(raw, tmp_path / "one.zip")
    slim.slim(backwards, tmp_path / "two.zip")
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()


def test_the_bytecode_runs_though_its_source_has_another_date(tmp_path: Path) -> None:
    slim.slim(packed(tmp_path, FILES), tmp_path / "slim.zip")
    with zipfile.ZipFile(tmp_path / "slim.zip") as made:
        made.extractall(tmp_path / "code")
    (tmp_path / "code" / "app.py").write_text("raise SystemExit('compiled again')\n")
    program = (
        "import sys; sys.path.insert(0, sys.argv[1]); import app; print(app.chalicelib.__name__)"
    )
    command = [sys.executable, "-I", "-c", program, str(tmp_path / "code")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stdout == "chalicelib\n", done.stderr


def test_a_module_that_does_not_compile_fails_the_package(tmp_path: Path) -> None:
    raw = packed(tmp_path, {"app.py": "this is no python\n"})
    with pytest.raises(slim.SlimError, match=r"app\.py"):
        slim.slim(raw, tmp_path / "slim.zip")


def test_a_zip_above_the_limit_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slim, "LIMIT_BYTES", 100)
    with pytest.raises(slim.SlimError, match="more than 100"):
        slim.slim(packed(tmp_path, FILES), tmp_path / "slim.zip")


@pytest.mark.parametrize(
    ("status", "told"),
    [
        (1, "Traceback"),
        # Chalice goes on after this, and ends well.
        (0, "Creating deployment package.\nCould not install dependencies:\nbcrypt==5.0.0\n"),
    ],
)
def test_an_incomplete_package_fails(status: int, told: str) -> None:
    with pytest.raises(package.PackageError):
        package.check_output(status, told)


def test_a_complete_package_passes() -> None:
    package.check_output(0, "Creating deployment package.\n")


@pytest.mark.parametrize("stage", ["", "local", "nowhere", "Dev", "a b", "../dev"])
def test_what_is_no_stage_is_refused(stage: str) -> None:
    with pytest.raises(StageError):
        project.check_stage(stage)


def merged(runtime: str) -> dict[str, Any]:
    """Return resources.json over the parts of Chalice's template that matter here."""
    document: dict[str, Any] = json.loads(project.RESOURCES.read_text())
    properties = {"Runtime": runtime, "MemorySize": 512}
    document["Resources"]["APIHandler"]["Properties"].update(properties)
    document["Resources"]["APIHandler"]["Type"] = "AWS::Serverless::Function"
    document["Resources"]["WakeRole"] = {"Properties": {}}
    uri = {"Fn::Sub": "arn:x:functions/${APIHandler.Arn}/invocations"}
    paths = {"/": {"get": {"x-amazon-apigateway-integration": {"uri": uri}}}}
    document["Resources"]["RestAPI"]["Properties"]["DefinitionBody"]["paths"] = paths
    document["Resources"]["APIHandlerInvokePermission"]["Properties"] = {}
    return document


def test_the_dashboard_is_text_and_the_cost_alarm_knows_the_memory() -> None:
    made = template.finish(merged("python3.11"))
    body = made["Resources"]["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"][0]
    assert json.loads(body)["widgets"]
    assert made["Mappings"]["Function"]["Memory"]["Gigabytes"] == "0.5"


def test_the_waker_makes_no_functions_and_the_api_reads_no_stream() -> None:
    resources = template.finish(merged("python3.11"))["Resources"]
    granted = {}
    for name in ("ApiHandlerRole", "WakeRole"):
        document = resources[name]["Properties"]["Policies"][0]["PolicyDocument"]
        granted[name] = json.dumps(document["Statement"])
    for action in ("lambda:CreateFunction", "iam:CreateRole", "iam:PassRole", "sqs:CreateQueue"):
        assert action in granted["ApiHandlerRole"]
        assert action not in granted["WakeRole"]
    assert "dynamodb:GetRecords" in granted["WakeRole"]
    assert "dynamodb:GetRecords" not in granted["ApiHandlerRole"]


def test_snap_start_needs_a_runtime_that_has_it() -> None:
    with pytest.raises(template.TemplateError, match=r"Python 3\.12"):
        template.finish(merged("python3.11"), snap_start=True)


def test_with_snap_start_every_door_leads_to_the_published_version() -> None:
    made = template.finish(merged("python3.13"), snap_start=True)
    resources = made["Resources"]
    assert resources["APIHandler"]["Properties"]["AutoPublishAlias"] == "live"
    text = json.dumps(resources["RestAPI"]["Properties"]["DefinitionBody"])
    assert "${APIHandlerAliaslive}/invocations" in text
    assert "APIHandler.Arn" not in text
    alias = {"Ref": "APIHandlerAliaslive"}
    assert resources["HttpIntegration"]["Properties"]["IntegrationUri"] == alias
    assert resources["APIHandlerInvokePermission"]["Properties"]["FunctionName"] == alias
    assert resources["FunctionUrl"]["Properties"]["Qualifier"] == "live"
