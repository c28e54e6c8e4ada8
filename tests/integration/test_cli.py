"""The command line against a served app with real functions, as a person or a script uses it."""

import io
import json
import os
import signal
import subprocess
import sys
import tarfile
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from chalicelib import services
from tests.integration.cli_client import Cli, Terminal
from tests.integration.running import free_port
from tests.integration.serving import Server, serving
from tools.local_aws.client import LocalAws

ROOT = Path(__file__).parents[2]
EMAIL, PASSWORD = "me@example.com", "known1234"
DIVIDE = """
def lambda_handler(event, context):
    print("dividing by", event["by"])
    return {"result": 10 / event["by"]}
"""


@pytest.fixture(scope="module")
def server(
    local_aws: LocalAws, table: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    services.auth.create_superuser(EMAIL, PASSWORD)
    with serving(local_aws, tmp_path_factory.mktemp("served")) as server:
        yield server


@pytest.fixture(scope="module")
def cli(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Cli:
    cli = Cli(server.url, tmp_path_factory.mktemp("home"))
    assert cli.sign_in(EMAIL, PASSWORD).status == 0
    return cli


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str, str], Path]:
    """Write a source file and return its path."""

    def file(name: str, text: str) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    return file


Write = Callable[[str, str], Path]


def test_signing_in_keeps_the_token_and_never_the_password(server: Server, tmp_path: Path) -> None:
    cli = Cli(server.url, tmp_path)
    refused = cli("list", "--url", server.url)
    assert (refused.status, refused.out) == (3, "")
    assert f"login --url {server.url}" in refused.err

    assert cli.sign_in(EMAIL, PASSWORD).status == 0
    stored = (tmp_path / "dormouse" / "credentials.json").read_text()
    assert PASSWORD not in stored
    assert server.url in stored
    assert cli("list").status == 0

    assert cli("logout").status == 0
    assert cli("list", "--url", server.url).status == 3


def test_a_wrong_password_an_old_token_and_a_wrong_server_each_say_so(
    cli: Cli, server: Server
) -> None:
    where = ("login", "--url", server.url, "--email", EMAIL, "--password-stdin")
    wrong = cli(*where, given="wrong\n")
    assert wrong.status == 3
    assert "Check e-mail and password" in wrong.err
    assert cli("list", DORMOUSE_TOKEN="nonsense").status == 3
    nobody = cli("list", DORMOUSE_URL=f"http://127.0.0.1:{free_port()}", DORMOUSE_TOKEN="x")
    assert nobody.status == 6
    assert "make run" in nobody.err


def test_from_a_file_to_a_result_and_back_to_an_older_version(cli: Cli, write: Write) -> None:
    file = write("divide.py", DIVIDE)
    made = cli.ok("functions", "deploy", str(file))
    assert (made["name"], made["version"], made["created"], made["code"]) == (
        "divide", 1, True, "uploaded",
    )  # fmt: skip

    again = cli("deploy", str(file))
    assert again.status == 0
    assert "unchanged" in again.out
    assert cli.ok("show", "divide")["latestVersion"] == 1

    done = cli("invoke", "divide", "--event", '{"by": 4}')
    assert (done.status, json.loads(done.out)) == (0, {"result": 2.5})
    assert "dividing by 4" in done.err
    assert "cold start" in done.err
    assert "receipt $0.00000" in done.err
    assert "requests " in done.err

    write("divide.py", DIVIDE.replace("10 /", "20 /"))
    assert cli.ok("deploy", str(file))["version"] == 2
    assert cli.ok("invoke", "divide", "--event", '{"by": 4}')["result"] == {"result": 5.0}
    old = cli.ok("invoke", "divide", "--event", '{"by": 4}', "--version", "1")
    assert (old["result"], old["version"]) == ({"result": 2.5}, 1)

    assert "version 1 is live" in cli("rollback", "divide", "1").out
    assert cli.ok("invoke", "divide", "--event", '{"by": 4}')["result"] == {"result": 2.5}


def test_a_failed_call_is_found_and_replayed_on_the_mended_code(cli: Cli, write: Write) -> None:
    file = write("mend.py", DIVIDE)
    cli.ok("deploy", str(file))
    failed = cli("invoke", "mend", "--event", '{"by": 0}')
    assert (failed.status, failed.out) == (1, "")
    assert "ZeroDivisionError: division by zero" in failed.err
    assert cli("invoke", "mend", "--event", '{"by": 0}', "--json").status == 1

    found = cli.ok("invocations", "mend", "--status", "failed", "--limit", "1")
    call = found["items"][0]["id"]
    shown = cli("functions", "invocations", "mend", call)
    assert '"by": 0' in shown.out
    assert "ZeroDivisionError" in shown.out

    write("mend.py", DIVIDE.replace('event["by"]}', '(event["by"] or 1)}'))
    cli.ok("deploy", str(file))
    replayed = cli("replay", "mend", call)
    assert (replayed.status, json.loads(replayed.out)) == (0, {"result": 10.0})
    assert '    - "failed"\n    + "succeeded"' in replayed.err
    same = cli("replay", "mend", call, "--version", "1")
    assert same.status == 1
    assert f"The same outcome as {call}" in same.err


def test_settings_of_the_file_are_made_and_unmade_with_the_code(cli: Cli, write: Write) -> None:
    source = "import os\ndef lambda_handler(event, context):\n    return dict(os.environ)\n"
    file = write("env/main.py", source)
    write("env/dormouse.toml", 'memory_mb = 192\n[environment]\nWORD = "one"\n')
    cli.ok("deploy", str(file.parent))
    there = cli.ok("invoke", "env")["result"]
    assert (there["WORD"], there["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]) == ("one", "192")

    # Code and settings that change together are one version: no call sees half of it.
    write("env/main.py", source + "# changed\n")
    write("env/dormouse.toml", '[environment]\nWORD = "two"\n')
    changed = cli.ok("deploy", str(file.parent))
    assert (changed["settings"], changed["version"]) == (["environment", "memoryMb"], 2)
    there = cli.ok("invoke", "env")["result"]
    assert (there["WORD"], there["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]) == ("two", "128")
    assert cli.ok("deploy", str(file.parent))["settings"] == []


def test_a_secret_reaches_the_function_and_nobody_else(cli: Cli, write: Write) -> None:
    source = "import os\ndef lambda_handler(event, context):\n    return len(os.environ['PIN'])\n"
    file = write("keeper/main.py", source)
    write("keeper/dormouse.toml", 'secrets = ["PIN"]\n')
    missing = cli("deploy", str(file.parent))
    assert missing.status == 5
    assert "--secret PIN=VALUE" in missing.err
    done = cli("deploy", str(file.parent), "--json", PIN="s3cr3t-1234")
    assert done.status == 0, done
    assert "s3cr3t" not in done.out + done.err + cli("show", "keeper", "--json").out
    assert cli.ok("invoke", "keeper")["result"] == 11
    assert cli.ok("deploy", str(file.parent))["settings"] == []  # it is there already


def test_the_code_comes_out_as_it_went_in(cli: Cli, write: Write, tmp_path: Path) -> None:
    file = write("carry.py", DIVIDE)
    deployed = cli.ok("deploy", str(file))
    out = tmp_path / "out.zip"
    done = cli.ok("functions", "download", "carry", "-o", str(out))
    same = ("sha256", "version", "sizeBytes")
    assert [done[key] for key in same] == [deployed[key] for key in same]
    with zipfile.ZipFile(out) as opened:
        assert opened.read("carry.py").decode() == DIVIDE
    assert cli("download", "carry", "-o", str(out)).status == 5  # not over what is there
    assert cli("download", "carry", "-o", str(out), "--force").status == 0


def test_what_a_package_json_names_comes_along(cli: Cli, write: Write, tmp_path: Path) -> None:
    (tmp_path / "shelf").mkdir()
    _pack_package(tmp_path / "shelf" / "doubled.tgz")
    with _served_folder(tmp_path / "shelf") as url:
        source = write("node/index.mjs", TWICE)
        dependencies = {"dependencies": {"doubled": f"{url}/doubled.tgz"}}
        write("node/package.json", json.dumps({"name": "node", **dependencies}))
        missing = cli("deploy", str(source.parent), "--name", "twice")
        assert (missing.status, "npm install" in missing.err) == (5, True)
        lock = ["npm", "install", "--package-lock-only", "--cache", str(tmp_path / "cache")]
        subprocess.run(lock, cwd=source.parent, check=True, capture_output=True)
        deployed = cli.ok("deploy", str(source.parent), "--name", "twice")
    assert cli.ok("invoke", "twice", "--event", '{"n": 21}')["result"] == 42
    again = cli.ok("deploy", str(source.parent), "--name", "twice")  # nothing is fetched any more
    assert (again["code"], again["sha256"]) == ("unchanged", deployed["sha256"])


TWICE = """
import { doubled } from "doubled";
export const handler = async (event) => doubled(event.n);
"""


def _pack_package(file: Path) -> None:
    """Write a package as npm's registry has it."""
    manifest = {"name": "doubled", "version": "1.0.0", "type": "module", "main": "main.js"}
    parts = {"package.json": json.dumps(manifest), "main.js": "export const doubled = (n) => 2 * n"}
    with tarfile.open(file, "w:gz") as opened:
        for name, text in parts.items():
            entry = tarfile.TarInfo(f"package/{name}")
            entry.size = len(text)
            opened.addfile(entry, io.BytesIO(text.encode()))


@contextmanager
def _served_folder(folder: Path) -> Iterator[str]:
    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 (the base's name)
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_a_large_zip_goes_by_the_bucket_with_its_progress_told(cli: Cli, write: Write) -> None:
    file = write("large/main.py", "def lambda_handler(event, context):\n    return 'large'\n")
    (file.parent / "data.bin").write_bytes(os.urandom(6_000_000))
    done = cli("deploy", str(file.parent), "--name", "large")
    assert done.status == 0, done
    assert "Uploading 6.0 MB ..." in done.err
    assert "\r" not in done.err  # a bar is for terminals
    assert cli.ok("invoke", "large")["result"] == "large"


def test_a_log_is_followed_until_ctrl_c(cli: Cli, write: Write) -> None:
    cli.ok("deploy", str(write("talk.py", DIVIDE)))
    following = cli.start("logs", "talk", "-f")
    assert following.stdout is not None
    for by in ("5", "8"):
        cli.ok("invoke", "talk", "--event", f'{{"by": {by}}}')
        give_up_at = time.monotonic() + 20
        while f"dividing by {by}" not in following.stdout.readline():
            assert time.monotonic() < give_up_at
    following.send_signal(signal.SIGINT)
    _, errors = following.communicate(timeout=10)
    assert (following.returncode, errors.strip()) == (130, "")
    assert cli("logs", "talk").out.count("dividing by") == 2
    lines = [json.loads(line) for line in cli("logs", "talk", "--json").out.splitlines()]
    assert any("dividing by 8" in line["message"] for line in lines)


def test_an_event_comes_from_a_file_or_from_stdin(cli: Cli, write: Write) -> None:
    cli.ok("deploy", str(write("eat.py", "def handler(event, context):\n    return event\n")))
    event = write("event.json", '{"from": "file"}')
    assert cli.ok("invoke", "eat", "--event", f"@{event}")["result"] == {"from": "file"}
    done = cli("invoke", "eat", "--event", "-", given="[1]")
    assert (done.status, json.loads(done.out)) == (0, [1])


def test_a_dry_run_and_a_repeated_key_run_nothing(cli: Cli, write: Write) -> None:
    cli.ok("deploy", str(write("once.py", "def handler(event, context):\n    return event\n")))
    assert "would run" in cli("invoke", "once", "--dry-run").out
    first = cli.ok("invoke", "once", "--idempotency-key", "k")
    assert cli.ok("invoke", "once", "--idempotency-key", "k")["id"] == first["id"]
    assert len(cli.ok("invocations", "once")["items"]) == 1
    other = cli("invoke", "once", "--idempotency-key", "k", "--event", "[]")
    assert other.status == 5


def test_the_cap_holds_a_call_back(cli: Cli, write: Write) -> None:
    file = write("dear/main.py", "def handler(event, context):\n    return 1\n")
    write("dear/dormouse.toml", 'cap_usd = { amount = "0.00000001", per = "month" }\n')
    cli.ok("deploy", str(file.parent))
    done = cli("invoke", "dear")
    assert (done.status, done.out) == (7, "")
    assert "Raise cap_usd" in done.err
    assert cli("invoke", "dear", "--dry-run").status == 7


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (("invoke", "nobody"), 4, "There is no function 'nobody'"),
        (("show", "nobody"), 4, "list shows what there is"),
        (("invoke", "talk", "--event", "{"), 5, "Quote it for the shell"),
        (("rollback", "talk", "7"), 5, "There is no version 7"),
        (("replay", "talk", "01"), 4, "wasn't found"),
        (("invocations", "talk", "--status", "tired"), 5, "Status has to be one of"),
        (("delete", "talk"), 5, "Give --yes"),
        (("deploy", "no/such/path"), 5, "is not there"),
        (("deploy", "docs", "--name", "nothing"), 5, "which file holds the handler"),
        (("deploy", "{file}", "--memory-mb", "64"), 5, "memoryMb: Must be no less than 128"),
        (("deploy", "{file}", "--handler", "other.handler"), 5, "there is no other.py"),
        (("deploy", "{file}", "--name", "Wrong!"), 5, "name: Must begin with a lower-case letter"),
        (("deploy", "{file}", "--trigger", '{"type": "moon"}'), 5, "triggers.0.type"),
        (("deploy",), 2, "required: PATH"),
    ],
)
def test_wrong_input_says_what_is_wrong_and_with_which_status(
    cli: Cli, write: Write, words: tuple[str, ...], status: int, said: str
) -> None:
    file = write("talk.py", DIVIDE)
    words = tuple(word.replace("{file}", str(file)) for word in words)
    done = cli(*words)
    assert (done.status, done.out) == (status, "")
    assert said in done.err


def test_with_json_a_failure_is_one_document_on_stderr(cli: Cli) -> None:
    failed = cli("--json", "invoke", "nobody")
    assert (failed.status, failed.out) == (4, "")
    assert json.loads(failed.err)["error"]["code"] == "notFound"


def test_it_starts_as_a_program(cli: Cli) -> None:
    listing = cli.start("list", "--json")
    out, errors = listing.communicate(timeout=30)
    assert (listing.returncode, errors) == (0, "")
    assert "items" in json.loads(out)


def test_it_needs_nothing_but_the_standard_library() -> None:
    code = f"import sys; sys.path.insert(0, {str(ROOT)!r}); from tools.cli import __main__"
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_it_runs_from_any_folder_by_a_link_beside_a_folder_called_tools(
    cli: Cli, write: Write, tmp_path: Path
) -> None:
    link = tmp_path / "bin" / "dormouse"
    write("bin/empty", "")
    write("tools/__init__.py", "raise SystemExit('not this one')")
    link.symlink_to(ROOT / "tools" / "dormouse")
    done = subprocess.run(
        [link, "show", "nobody"], cwd=tmp_path, env=cli.environment, capture_output=True,
        text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 4, done
    assert "-> dormouse list shows what there is" in done.stderr


def test_a_terminal_is_asked_for_the_password_which_it_does_not_show(cli: Cli) -> None:
    terminal = Terminal(cli, "login", "--url", cli.url, "--email", EMAIL)
    terminal.until(f"Password of {EMAIL}: ").type(PASSWORD + "\n")
    assert terminal.end() == 0
    assert "Signed in" in terminal.text
    assert PASSWORD not in terminal.text


def test_a_terminal_is_asked_before_anything_is_deleted(cli: Cli, write: Write) -> None:
    cli.ok("deploy", str(write("keep.py", DIVIDE)))
    refused = Terminal(cli, "delete", "keep").until("[y/N] ").type("\n")
    assert refused.end() == 5
    assert "Nothing was deleted" in refused.text
    assert Terminal(cli, "delete", "keep").until("[y/N] ").type("y\n").end() == 0
    assert cli("show", "keep").status == 4


def test_a_terminal_sees_a_bar(cli: Cli, write: Write) -> None:
    terminal = Terminal(cli, "deploy", str(write("barred.py", DIVIDE)))
    assert terminal.end() == 0
    assert "100% of" in terminal.text


def test_ctrl_c_at_a_prompt_ends_quietly(cli: Cli) -> None:
    terminal = Terminal(cli, "login", "--url", cli.url, "--email", EMAIL).until(": ").type("\x03")
    assert terminal.end() == 130
    assert "Traceback" not in terminal.text


def test_what_is_deleted_is_gone(cli: Cli, write: Write) -> None:
    cli.ok("deploy", str(write("gone.py", DIVIDE)))
    assert "gone" in [function["name"] for function in cli.ok("list")["items"]]
    assert cli.ok("delete", "gone", "--yes") == {"deleted": "gone"}
    assert cli("show", "gone").status == 4
    assert "gone" not in cli("list").out.split()


def test_usage_sums_what_the_receipts_said(cli: Cli, write: Write) -> None:
    cli.ok("deploy", str(write("costly.py", "def handler(event, context):\n    return 1\n")))
    receipts = [cli.ok("invoke", "costly")["receipt"]["totalUsd"] for _ in range(2)]
    found = cli.ok("usage", "--group", "function")
    item = next(item for item in found["items"] if item["function"] == "costly")
    assert item["calls"] == 2
    assert item["totalUsd"] == pytest.approx(sum(receipts))
    assert "costly" in cli("usage", "--group", "function,day").out
