"""Functions through the API, on the local AWS: what they are, their code, versions, secrets."""

import base64
import hashlib
import io
import json
import stat
import time
import urllib.error
import urllib.request
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from chalicelib import services
from chalicelib.aws import s3_files
from chalicelib.aws.control import client
from chalicelib.config import settings
from chalicelib.domain.functions import archive
from chalicelib.web import limits
from tests.conformance.client import Part
from tests.integration.auth_client import USERS
from tests.integration.file_client import Files
from tests.integration.function_client import Functions
from tests.integration.function_leftovers import leftovers, stored_text

HELLO = """
import os
def handler(event, context):
    return {"says": os.environ.get("SAYS"), "key": os.environ.get("API_KEY"), "event": event}
"""


@pytest.fixture(scope="module")
def functions(table: str) -> Functions:
    return Functions()


@pytest.fixture(scope="module")
def files(functions: Functions) -> Files:
    return Files(functions.client)


@pytest.fixture(scope="module")
def user_token(functions: Functions) -> str:
    functions.client.account(USERS, "user@example.com")
    token: str = functions.client.login(USERS, "user@example.com").body["token"]
    return token


def in_lambda(name: str) -> Any:
    return client("lambda").get_function(FunctionName=f"dormouse-local-fn-{name}")


def alias(name: str) -> str:
    found = client("lambda").get_alias(FunctionName=f"dormouse-local-fn-{name}", Name="live")
    return str(found["FunctionVersion"])


# What a function is.


def test_a_function_is_made_with_lambdas_defaults_and_without_code(functions: Functions) -> None:
    made = functions.ok("POST", "", {"name": "plain", "runtime": "python3.12"})
    assert (made["memoryMb"], made["timeoutSeconds"]) == (128, 3)
    assert (made["liveVersion"], made["latestVersion"]) == (0, 0)
    assert (made["state"], made["calls"], made["coldShare"], made["lastWake"]) == (
        "asleep",
        0,
        0,
        "",
    )
    assert made["handler"] == "lambda_function.lambda_handler"
    assert made["url"] == "http://api.example.com"
    assert functions.ok("GET", "/plain") == made
    assert functions.ok("GET", "/plain/versions") == {"items": []}
    assert functions("GET", "/plain/code").status == 404


def test_functions_are_listed_by_name_in_pages(functions: Functions) -> None:
    for name in ("list-b", "list-a"):
        functions.ok("POST", "", {"name": name, "runtime": "nodejs22.x"})
    whole = functions.ok("GET", "?perPage=500")
    names = [item["name"] for item in whole["items"]]
    assert names == sorted(names)
    assert whole["totalItems"] == len(names) >= 2
    second = functions.ok("GET", "?page=2&perPage=1")
    assert (second["page"], second["perPage"], second["totalPages"]) == (2, 1, len(names))
    assert [item["name"] for item in second["items"]] == names[1:2]
    assert functions.ok("GET", "?page=99")["items"] == []


ROUTES = [
    ("GET", ""), ("POST", ""), ("GET", "/x"), ("PATCH", "/x"), ("DELETE", "/x"),
    ("PUT", "/x/code"), ("GET", "/x/code"), ("POST", "/x/code/upload"), ("GET", "/x/versions"),
    ("POST", "/x/rollback"),
]  # fmt: skip


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_only_superusers_come_near_functions(
    functions: Functions, user_token: str, method: str, path: str
) -> None:
    ask = functions.client
    assert ask(method, "/api/functions" + path, {}).status == 401
    assert ask(method, "/api/functions" + path, {}, user_token).status == 403


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/nobody", None), ("PATCH", "/nobody", {}), ("DELETE", "/nobody", None),
        ("PUT", "/nobody/code", {"files": {"a": ""}}), ("GET", "/nobody/code", None),
        ("POST", "/nobody/code/upload", {"sizeBytes": 1}), ("GET", "/nobody/versions", None),
        ("POST", "/nobody/rollback", {"version": 1}), ("GET", "/No%20Name", None),
        ("GET", "/" + "x" * 2000, None),
    ],
)  # fmt: skip
def test_a_function_that_is_not_there_is_a_404(
    functions: Functions, method: str, path: str, body: Any
) -> None:
    assert functions(method, path, body).status == 404


def test_a_name_is_taken_once(functions: Functions) -> None:
    functions.ok("POST", "", {"name": "once", "runtime": "python3.11"})
    again = functions("POST", "", {"name": "once", "runtime": "python3.12"})
    assert again.status == 400
    assert again.body["data"]["name"]["code"] == "validation_not_unique"
    assert functions.ok("GET", "/once")["runtime"] == "python3.11"


def test_all_that_is_wrong_is_said_and_nothing_is_made(functions: Functions) -> None:
    body = {"name": "Bad Name", "runtime": "java21", "memoryMb": 1, "surprise": True}
    answer = functions("POST", "", body)
    assert answer.status == 400
    assert set(answer.body["data"]) == {"name", "runtime", "memoryMb", "surprise"}


def test_a_name_has_to_fit_behind_the_stages(
    functions: Functions, monkeypatch: pytest.MonkeyPatch
) -> None:
    long = settings()._replace(resource_prefix="dormouse-" + "x" * 20)
    monkeypatch.setattr(services.function_changes, "settings", lambda: long)
    answer = functions("POST", "", {"name": "a" * 32, "runtime": "python3.11"})
    assert answer.status == 400
    assert answer.body["data"]["name"]["message"].startswith("Must be no more than 31 character")
    assert functions("GET", "/" + "a" * 32).status == 404


def test_a_function_may_be_sent_back_as_it_was_read(functions: Functions) -> None:
    schedule = {"type": "schedule", "expression": "0 3 * * *", "timezone": "Europe/Berlin"}
    settings_ = {"triggers": [schedule, {"type": "http"}], "secrets": {"API_KEY": "s3cret"}}
    before = functions.make("back", HELLO, **settings_)
    runs = before["triggers"][0]["nextRuns"]
    assert len(runs) == 5
    assert all(run.endswith((" 02:00:00.000Z", " 01:00:00.000Z")) for run in runs)
    functions.call("back")
    after = functions.ok("PATCH", "/back", functions.ok("GET", "/back"))
    assert after["liveVersion"] == before["liveVersion"] == 1
    assert after["triggers"] == before["triggers"]
    assert (after["calls"], after["coldShare"]) == (1, 1)
    assert 0 < after["costThisMonthUsd"] < 0.001
    assert after["lastWake"] > before["created"]


# Code and versions.


def test_each_new_code_is_a_version_and_live_at_once(functions: Functions) -> None:
    first = functions.make("steps", HELLO, environment={"SAYS": "one"})
    assert (first["liveVersion"], first["unchanged"]) == (1, False)
    assert functions.call("steps", 7)["result"] == {"says": "one", "key": None, "event": 7}
    second = functions.code("steps", HELLO + "\n# two")
    assert (second["liveVersion"], second["latestVersion"]) == (2, 2)
    found = functions.ok("GET", "/steps/versions")["items"]
    assert [(each["version"], each["live"]) for each in found] == [(2, True), (1, False)]
    assert found[0]["sha256"] != found[1]["sha256"]
    assert alias("steps") == "2"


def test_the_same_code_uploads_nothing(functions: Functions) -> None:
    first = functions.make("same", HELLO)
    key = f".functions/{first['id']}/code/"
    before = client("s3").list_objects_v2(Bucket=settings().bucket_name, Prefix=key)
    again = functions.code("same", HELLO)
    assert (again["unchanged"], again["liveVersion"]) == (True, 1)
    after = client("s3").list_objects_v2(Bucket=settings().bucket_name, Prefix=key)
    assert [each["LastModified"] for each in after["Contents"]] == [
        each["LastModified"] for each in before["Contents"]
    ]
    assert again["updated"] == first["updated"]


def test_what_lambda_runs_is_versioned_and_the_rest_is_not(functions: Functions) -> None:
    functions.make("settings", HELLO)
    unversioned = {
        "description": "x",
        "invokeRule": "",
        "retentionDays": 3,
        "capUsd": {"amount": 1, "per": "day"},
        "triggers": [{"type": "http"}],
    }
    assert functions.ok("PATCH", "/settings", unversioned)["liveVersion"] == 1
    versioned = [
        {"memoryMb": 256}, {"timeoutSeconds": 9}, {"environment": {"SAYS": "hi"}},
        {"secrets": {"API_KEY": "k1"}}, {"secrets": {"API_KEY": "k2"}}, {"runtime": "python3.12"},
    ]  # fmt: skip
    for number, change in enumerate(versioned, start=2):
        assert functions.ok("PATCH", "/settings", change)["liveVersion"] == number
    configuration = in_lambda("settings")["Configuration"]
    assert (configuration["MemorySize"], configuration["Timeout"]) == (256, 9)
    assert functions.call("settings")["result"]["key"] == "k2"
    assert functions.call("settings", version=5)["result"]["key"] == "k1"


def test_settings_and_code_can_make_one_version_together(functions: Functions) -> None:
    functions.make("together", HELLO)
    body = {"files": {"other.py": HELLO}, "settings": {"handler": "other.handler", "memoryMb": 192}}
    made = functions.ok("PUT", "/together/code", body)
    assert (made["liveVersion"], made["handler"], made["memoryMb"]) == (2, "other.handler", 192)
    assert functions.call("together")["status"] == "succeeded"
    same = functions.ok("PUT", "/together/code", {**body, "settings": {"memoryMb": 256}})
    assert (same["liveVersion"], same["unchanged"]) == (3, False)
    wrong = functions("PUT", "/together/code", {**body, "settings": {"memoryMb": 1}})
    assert (wrong.status, list(wrong.body["data"])) == (400, ["memoryMb"])


def test_a_rollback_brings_code_and_settings_back_and_forth(functions: Functions) -> None:
    functions.make("swing", HELLO, environment={"SAYS": "one"}, memoryMb=128)
    other = HELLO.replace('"event": event', '"event": "two"')
    body = {
        "files": {"main.py": other},
        "settings": {"environment": {"SAYS": "two"}, "memoryMb": 256},
    }
    functions.ok("PUT", "/swing/code", body)
    back = functions.ok("POST", "/swing/rollback", {"version": 1})
    assert (back["liveVersion"], back["latestVersion"], back["memoryMb"]) == (1, 2, 128)
    assert functions.call("swing", 1)["result"] == {"says": "one", "key": None, "event": 1}
    assert alias("swing") == "1"
    assert functions.call("swing", 1, version=2)["result"]["event"] == "two"
    forth = functions.ok("POST", "/swing/rollback", {"version": 2})
    assert (forth["liveVersion"], forth["memoryMb"]) == (2, 256)


def test_a_change_after_a_rollback_is_made_on_what_is_live(functions: Functions) -> None:
    functions.make("onward", HELLO)
    functions.code("onward", "def handler(event, context):\n    return 'broken'")
    functions.ok("POST", "/onward/rollback", {"version": 1})
    after = functions.ok("PATCH", "/onward", {"environment": {"SAYS": "again"}})
    assert (after["liveVersion"], after["latestVersion"]) == (3, 3)
    assert functions.call("onward")["result"]["says"] == "again"


@pytest.mark.parametrize("version", [2, 0, -1, 10**9, "1", True, None, 1.5])
def test_only_a_version_that_is_there_can_be_live(functions: Functions, version: Any) -> None:
    if functions("GET", "/stay").status == 404:
        functions.make("stay", HELLO)
    answer = functions("POST", "/stay/rollback", {"version": version})
    assert (answer.status, list(answer.body["data"])) == (400, ["version"])
    assert functions.ok("GET", "/stay")["liveVersion"] == 1


def test_a_version_that_was_deleted_in_lambda_cannot_be_live(functions: Functions) -> None:
    functions.make("gone", HELLO)
    functions.code("gone", HELLO + "#")
    client("lambda").delete_function(FunctionName="dormouse-local-fn-gone", Qualifier="1")
    answer = functions("POST", "/gone/rollback", {"version": 1})
    assert (answer.status, list(answer.body["data"])) == (400, ["version"])
    assert functions.ok("GET", "/gone")["liveVersion"] == 2


def test_code_moves_out_as_it_came_in(functions: Functions) -> None:
    functions.make("out", HELLO)
    functions.code("out", HELLO + "#")
    for query, number in (("", 2), ("?version=1", 1)):
        link = functions.ok("GET", f"/out/code{query}")
        with urllib.request.urlopen(link["url"]) as response:
            content = response.read()
        assert (link["version"], link["sizeBytes"]) == (number, len(content))
        assert hashlib.sha256(content).hexdigest() == link["sha256"]
    with zipfile.ZipFile(io.BytesIO(content)) as found:
        assert found.read("main.py").decode() == HELLO
    for wrong in ("3", "0", "x", "-1", "9" * 30):
        assert functions("GET", f"/out/code?version={wrong}").status == 404


# How code comes in, and which does not.


def zip_of(**files: str) -> bytes:
    return archive.make_zip({name.replace("__", "."): text for name, text in files.items()})


def test_a_zip_comes_in_as_a_form(functions: Functions, files: Files) -> None:
    functions.ok("POST", "", {"name": "form", "runtime": "python3.11", "handler": "main.handler"})
    content = zip_of(main__py=HELLO, data__bin="x" * 100)
    part = Part("zip", content, "code.zip", "application/zip")
    extra = Part("@jsonPayload", json.dumps({"settings": {"environment": {"SAYS": "form"}}}))
    token = functions.client.root
    answer = files.form("PUT", "/api/functions/form/code", part, extra, token=token)
    assert answer.status == 200, answer
    assert answer.json["liveVersion"] == 1
    assert functions.call("form")["result"]["says"] == "form"
    sha256 = functions.ok("GET", "/form/versions")["items"][0]["sha256"]
    assert sha256 == hashlib.sha256(content).hexdigest()


def test_binary_files_come_in_as_base64(functions: Functions) -> None:
    functions.ok("POST", "", {"name": "binary", "runtime": "python3.11", "handler": "main.handler"})
    source = "def handler(event, context):\n    return list(open('d/x.bin', 'rb').read())"
    content = {"base64": base64.b64encode(bytes([0, 255, 7])).decode()}
    functions.ok("PUT", "/binary/code", {"files": {"main.py": source, "d/x.bin": content}})
    assert functions.call("binary")["result"] == [0, 255, 7]


def send(url: str, content: bytes, content_type: str = "application/zip") -> int:
    request = urllib.request.Request(url, content, {"content-type": content_type}, method="PUT")
    try:
        with urllib.request.urlopen(request) as response:
            return int(response.status)
    except urllib.error.HTTPError as error:
        return int(error.code)


def test_a_large_zip_is_uploaded_to_the_bucket_first(functions: Functions) -> None:
    functions.ok("POST", "", {"name": "large", "runtime": "python3.11", "handler": "main.handler"})
    content = zip_of(main__py=HELLO)
    begun = functions.ok("POST", "/large/code/upload", {"sizeBytes": len(content)})
    assert begun["method"] == "PUT"
    assert functions("PUT", "/large/code", {"upload": begun["id"]}).status == 400
    assert send(begun["url"], content + b"more") == 403
    assert send(begun["url"], content, "text/html") == 403
    assert send(begun["url"], content) == 200
    functions.ok("POST", "", {"name": "thief", "runtime": "python3.11", "handler": "main.handler"})
    assert functions("PUT", "/thief/code", {"upload": begun["id"]}).status == 400
    made = functions.ok("PUT", "/large/code", {"upload": begun["id"]})
    assert made["liveVersion"] == 1
    assert functions.call("large", 5)["result"]["event"] == 5


def test_the_bytes_of_an_upload_are_swept_when_its_time_is_over(
    functions: Functions, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = functions.ok("POST", "", {"name": "swept", "runtime": "python3.11"})
    now = time.time()
    begun = functions.ok("POST", "/swept/code/upload", {"sizeBytes": 3})
    assert send(begun["url"], b"abc") == 200
    prefix = f".functions/{made['id']}/uploads/"
    assert services.file_sweep.work(5.0)
    assert len([*s3_files.keys(prefix)]) == 1
    monkeypatch.setattr(time, "time", lambda: now + 3600 + 1300)
    assert services.file_sweep.work(5.0)
    assert [*s3_files.keys(prefix)] == []


def test_a_body_that_is_too_large_is_told_the_other_way(
    functions: Functions, monkeypatch: pytest.MonkeyPatch
) -> None:
    functions.ok("POST", "", {"name": "heavy", "runtime": "python3.11"})
    monkeypatch.setattr(limits, "most_bytes", lambda: 1000)
    answer = functions("PUT", "/heavy/code", {"files": {"main.py": "#" * 2000}})
    assert answer.status == 413
    assert "/code/upload" in answer.body["message"]


@pytest.mark.parametrize("size", [0, -1, "5", None, True, 1.5])
def test_the_size_of_an_upload_has_to_be_told(functions: Functions, size: Any) -> None:
    if functions("GET", "/sizes").status == 404:
        functions.ok("POST", "", {"name": "sizes", "runtime": "python3.11"})
    answer = functions("POST", "/sizes/code/upload", {"sizeBytes": size})
    assert (answer.status, list(answer.body["data"])) == (400, ["sizeBytes"])
    assert functions("POST", "/sizes/code/upload", {"sizeBytes": 10**9}).status == 413


def entry(name: str, mode: int = 0o644, text: str = "x") -> bytes:
    """Return a zip that `zipfile` writes without a question."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as zipped:
        zipped.writestr("main.py", HELLO)
        info = zipfile.ZipInfo(name)
        info.external_attr = mode << 16
        zipped.writestr(info, text, zipfile.ZIP_DEFLATED)
    return made.getvalue()


HARMFUL: dict[str, Callable[[], bytes]] = {
    "no zip": lambda: b"PK not at all",
    "empty": lambda: b"",
    "an absolute path": lambda: entry("/etc/passwd"),
    "a path that leaves": lambda: entry("../../x.py"),
    "a link": lambda: entry("link", stat.S_IFLNK | 0o777, "/etc/passwd"),
    "a bomb": lambda: entry("zeros", text="\0" * 60_000_000),
    "no handler": lambda: zip_of(other__py=HELLO),
}


@pytest.mark.parametrize("what", HARMFUL)
def test_a_harmful_zip_is_refused_before_anything_is_stored(
    functions: Functions, files: Files, what: str
) -> None:
    if functions("GET", "/harm").status == 404:
        functions.ok(
            "POST", "", {"name": "harm", "runtime": "python3.11", "handler": "main.handler"}
        )
    part = Part("zip", HARMFUL[what](), "code.zip", "application/zip")
    answer = files.form("PUT", "/api/functions/harm/code", part, token=functions.client.root)
    assert answer.status == 400, answer
    assert answer.json["data"] or "zip" in answer.json["message"]
    found = functions.ok("GET", "/harm")
    assert (found["liveVersion"], found["state"]) == (0, "asleep")
    assert [*s3_files.keys(f".functions/{found['id']}/")] == []


@pytest.mark.parametrize(
    "body",
    [
        {}, {"files": {}}, {"files": []}, {"files": {"../a.py": ""}}, {"files": {"a.py": 1}},
        {"files": {"a": {"base64": "!"}}}, {"files": {"main.py": HELLO}, "upload": "x"},
        {"upload": "x"}, {"upload": 5}, {"upload": "../" * 5}, {"zip": "x"},
        {"files": {"main.py": HELLO}, "settings": []}, {"files": {"a.py": "", "a.py/b": ""}},
    ],
)  # fmt: skip
def test_code_that_cannot_be_read_is_a_400(functions: Functions, body: Any) -> None:
    if functions("GET", "/unread").status == 404:
        functions.ok("POST", "", {"name": "unread", "runtime": "python3.11", "handler": "main.x"})
    answer = functions("PUT", "/unread/code", body)
    assert answer.status == 400, answer
    assert functions.ok("GET", "/unread")["liveVersion"] == 0


# Secrets.


def test_secrets_are_given_and_never_shown(functions: Functions) -> None:
    made = functions.make("vault", HELLO, secrets={"API_KEY": "tell-nobody", "OLD": "olden"})
    assert made["secrets"] == {"API_KEY": "******", "OLD": "******"}
    answers = [functions.ok("GET", path) for path in ("/vault", "/vault/versions", "?perPage=99")]
    for text in (json.dumps(answers), stored_text()):
        assert "tell-nobody" not in text
        assert "olden" not in text
    parameter = client("ssm").get_parameter(
        Name="/dormouse-local/functions/vault/secrets", WithDecryption=False
    )["Parameter"]
    assert parameter["Type"] == "SecureString"
    assert "tell-nobody" not in parameter["Value"]
    changed = functions.ok("PATCH", "/vault", {"secrets": {"API_KEY": "******", "OLD": None}})
    assert changed["secrets"] == {"API_KEY": "******"}
    assert in_lambda("vault")["Configuration"]["Environment"]["Variables"] == {
        "API_KEY": "tell-nobody", "DORMOUSE_URL": "http://api.example.com",
    }  # fmt: skip
    assert functions.call("vault")["result"]["key"] == "tell-nobody"


def test_secrets_too_large_for_their_parameter_are_refused(functions: Functions) -> None:
    body = {"name": "too-much", "runtime": "python3.11", "secrets": {"API_KEY": "x" * 5000}}
    assert functions("POST", "", body).status == 400
    assert functions("GET", "/too-much").status == 404


# What AWS holds.


def test_a_function_may_write_its_own_log_and_nothing_else(functions: Functions) -> None:
    functions.make("least", HELLO, retentionDays=15)
    iam = client("iam")
    name = "dormouse-local-fn-least"
    role = iam.get_role(RoleName=name)["Role"]
    policies = iam.list_role_policies(RoleName=name)["PolicyNames"]
    assert len(policies) == 1
    policy = iam.get_role_policy(RoleName=name, PolicyName=policies[0])["PolicyDocument"]
    (statement,) = policy["Statement"]
    assert statement["Action"] == ["logs:CreateLogStream", "logs:PutLogEvents"]
    assert statement["Resource"].endswith(f":log-group:/aws/lambda/{name}:*")
    assert "*" not in statement["Resource"][:-1]
    assert iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"] == []
    assert in_lambda("least")["Configuration"]["Role"] == role["Arn"]
    groups = client("logs").describe_log_groups(logGroupNamePrefix=f"/aws/lambda/{name}")
    assert [group["retentionInDays"] for group in groups["logGroups"]] == [30]


def test_concurrency_is_kept_and_given_back(functions: Functions) -> None:
    functions.make("lanes", HELLO, reservedConcurrency=3)
    assert in_lambda("lanes")["Concurrency"]["ReservedConcurrentExecutions"] == 3
    assert functions.ok("PATCH", "/lanes", {"reservedConcurrency": 0})["liveVersion"] == 1
    assert in_lambda("lanes")["Concurrency"]["ReservedConcurrentExecutions"] == 0
    functions.ok("PATCH", "/lanes", {"reservedConcurrency": None})
    assert "Concurrency" not in in_lambda("lanes")


def test_delete_leaves_nothing_behind(functions: Functions) -> None:
    schedule = {"type": "schedule", "expression": "rate(1 hour)"}
    made = functions.make("goner", HELLO, secrets={"API_KEY": "k"}, triggers=[schedule])
    functions.code("goner", HELLO + "#")
    assert len(leftovers(made["id"], "goner")) >= 6
    assert functions("DELETE", "/goner").status == 204
    assert leftovers(made["id"], "goner") == []
    assert functions("GET", "/goner").status == 404
    assert functions("DELETE", "/goner").status == 404
    again = functions.make("goner", HELLO)
    assert again["id"] != made["id"]
    assert functions.call("goner", 1)["result"]["event"] == 1


# Several at once.


def test_codes_that_come_at_once_all_become_versions(functions: Functions) -> None:
    functions.make("crowd", HELLO)
    with ThreadPoolExecutor(6) as pool:
        made = list(pool.map(lambda n: functions.code("crowd", f"{HELLO}#{n}"), range(6)))
    numbers = [each["liveVersion"] for each in made]
    assert sorted(numbers) == [2, 3, 4, 5, 6, 7]
    versions = functions.ok("GET", "/crowd/versions")["items"]
    assert len({version["sha256"] for version in versions}) == 7
    assert functions.ok("GET", "/crowd")["liveVersion"] == 7
    by_number = {version["version"]: version["sha256"] for version in versions}
    for source, each in enumerate(made):
        content = archive.make_zip({"main.py": f"{HELLO}#{source}"})
        assert by_number[each["liveVersion"]] == hashlib.sha256(content).hexdigest()


def test_no_change_of_settings_is_lost_among_several(functions: Functions) -> None:
    functions.make("meet", HELLO)
    changes: list[dict[str, Any]] = [
        {"memoryMb": 256},
        {"timeoutSeconds": 7},
        {"description": "met"},
        {"retryAttempts": 0},
    ]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda change: functions.ok("PATCH", "/meet", change), changes))
    after = functions.ok("GET", "/meet")
    assert {key: after[key] for change in changes for key in change} == {
        key: value for change in changes for key, value in change.items()
    }
    configuration = in_lambda("meet")["Configuration"]
    assert (configuration["MemorySize"], configuration["Timeout"]) == (256, 7)


def test_of_functions_made_at_once_under_one_name_there_is_one(functions: Functions) -> None:
    def make(number: int) -> int:
        secrets = {"API_KEY": f"secret{number}"}
        body = {"name": "race", "runtime": "python3.11", "handler": "main.handler"}
        return functions(
            "POST", "", {**body, "description": f"{number}", "secrets": secrets}
        ).status

    with ThreadPoolExecutor(5) as pool:
        statuses = sorted(pool.map(make, range(5)))
    assert statuses == [200, 400, 400, 400, 400]
    winner = functions.ok("GET", "/race")["description"]
    functions.code("race", HELLO)
    assert functions.call("race")["result"]["key"] == f"secret{winner}"
