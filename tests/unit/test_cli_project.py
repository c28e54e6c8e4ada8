"""dormouse.toml and what is found out about a function's code without it."""

from pathlib import Path
from typing import Any

import pytest

from tools.cli import changes, project
from tools.cli.failures import Failure
from tools.cli.project import Project

PYTHON = "def lambda_handler(event, context):\n    return event\n"


def folder(tmp_path: Path, toml: str | None, **files: str) -> Path:
    root = tmp_path / "greet_me"
    root.mkdir()
    for name, text in files.items():
        (root / name.replace("_py", ".py").replace("_mjs", ".mjs")).write_text(text)
    if toml is not None:
        (root / "dormouse.toml").write_text(toml)
    return root


def test_one_file_tells_name_runtime_and_handler(tmp_path: Path) -> None:
    file = tmp_path / "Send Mail.py"
    file.write_text("def handler(event, context): ...\n")
    found = project.read(file, {})
    assert found.name == "send-mail"
    assert found.settings == {"runtime": "python3.13", "handler": "Send Mail.handler"}


@pytest.mark.parametrize(
    ("text", "handler"),
    [
        ("export const handler = async () => 1;", "index.handler"),
        ("export async function main(event) {}", "index.main"),
        ("exports.handler = () => 1;", "index.handler"),
        ("const other = 1;", "index.handler"),  # Lambda's own name, for want of a better one
    ],
)
def test_a_node_file_tells_its_handler(tmp_path: Path, text: str, handler: str) -> None:
    found = project.read(folder(tmp_path, None, index_mjs=text), {})
    assert found.settings == {"runtime": "nodejs22.x", "handler": handler}


def test_the_file_says_the_settings_whole_so_a_line_taken_out_is_taken_back(tmp_path: Path) -> None:
    found = project.read(folder(tmp_path, "memory_mb = 256", main_py=PYTHON), {})
    assert found.settings["memoryMb"] == 256
    assert found.settings["timeoutSeconds"] == 3
    assert found.settings["invokeRule"] is None
    assert found.settings["triggers"] == []
    assert found.settings["capUsd"] is None


def test_without_the_file_only_what_is_given_is_set(tmp_path: Path) -> None:
    found = project.read(folder(tmp_path, None, main_py=PYTHON), {"memory_mb": 512})
    assert set(found.settings) == {"runtime", "handler", "memoryMb"}


def test_a_function_table_is_read_too_and_options_win(tmp_path: Path) -> None:
    toml = '[function]\nname = "a"\nmemory_mb = 256\n[function.environment]\nA1 = "x"\n'
    found = project.read(folder(tmp_path, toml, main_py=PYTHON), {"memory_mb": 128, "name": "b"})
    assert (found.name, found.settings["memoryMb"]) == ("b", 128)
    assert found.settings["environment"] == {"A1": "x"}


def test_a_trigger_is_written_like_everything_else_in_the_file(tmp_path: Path) -> None:
    toml = '[[triggers]]\ntype = "queue"\nqueue = "mails"\nbatch_size = 5\n'
    found = project.read(folder(tmp_path, toml, main_py=PYTHON), {})
    assert found.settings["triggers"] == [{"type": "queue", "queue": "mails", "batchSize": 5}]


@pytest.mark.parametrize(
    ("toml", "said", "hint"),
    [
        ("memoryMb = 1", "'memoryMb' is no setting", "Did you mean memory_mb?"),
        ("timeout = 1", "'timeout' is no setting", "Did you mean timeout_seconds?"),
        ("name = ", "dormouse.toml: Invalid value", ""),
        ('memory_mb = 1\n[function]\nname = "a"', "outside of it: memory_mb", ""),
        ('[secrets]\nKEY = "x"', "never of their values", "--secret NAME"),
    ],
)
def test_a_wrong_file_is_refused(tmp_path: Path, toml: str, said: str, hint: str) -> None:
    with pytest.raises(Failure) as caught:
        project.read(folder(tmp_path, toml, main_py=PYTHON), {})
    assert said in str(caught.value)
    assert hint in caught.value.hint


def test_a_path_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Failure, match="is not there"):
        project.read(tmp_path / "nothing", {})


def test_a_name_that_cannot_be_guessed_is_asked_for(tmp_path: Path) -> None:
    (tmp_path / "123.py").write_text(PYTHON)
    with pytest.raises(Failure) as caught:
        project.read(tmp_path / "123.py", {})
    assert "--name" in caught.value.hint


def test_a_new_function_without_a_handler_is_refused(tmp_path: Path) -> None:
    found = project.read(folder(tmp_path, None, one_py=PYTHON, two_py=PYTHON), {})
    with pytest.raises(Failure, match="which file holds the handler"):
        changes.settings(found, None)
    assert changes.settings(found, {"name": "there"}) == {}


RECORD = {"type": "record", "collection": "x", "actions": ["create", "update"], "rule": "a = 1"}
SERVER = {
    "memoryMb": 128,
    "capUsd": {"amount": 1.5, "per": "day"},
    "triggers": [
        {"id": "a", "type": "http"},
        {"id": "b", "since": 7, "collectionId": "pbc_1", **RECORD},
    ],
    "secrets": {"OLD": "******"},
}


def changed(**settings: Any) -> list[str]:
    return list(changes.settings(Project(Path(), "name", settings), SERVER))


@pytest.mark.parametrize(
    ("settings", "names"),
    [
        ({"memoryMb": 128}, []),
        ({"memoryMb": 256}, ["memoryMb"]),
        ({"capUsd": {"amount": "1.50", "per": "day"}}, []),  # the same money in other words
        ({"capUsd": {"amount": "1.50", "per": "month"}}, ["capUsd"]),
        ({"capUsd": {"amount": "much", "per": "day"}}, ["capUsd"]),  # for the server to refuse
        ({"capUsd": None}, ["capUsd"]),
        ({"triggers": [{"type": "http"}, RECORD]}, []),
        ({"triggers": [{"type": "http"}, {**RECORD, "actions": ["update", "create"]}]}, []),
        ({"triggers": [{"type": "http"}]}, ["triggers"]),
        ({"triggers": [{"type": "http"}, {**RECORD, "rule": "a = 2"}]}, ["triggers"]),
        # A line taken out is taken back: the server's rule must not stay.
        ({"triggers": [{"type": "http"}, {**RECORD, "rule": None}]}, ["triggers"]),
        ({"triggers": [{"type": "http"}, {"type": "moon"}]}, ["triggers"]),
        ({"triggers": [{"type": "http", "colour": "red"}, RECORD]}, ["triggers"]),
    ],
)
def test_only_what_the_server_has_otherwise_is_sent(
    settings: dict[str, Any], names: list[str]
) -> None:
    assert changed(**settings) == names


def test_what_was_guessed_changes_no_function_that_is_there(tmp_path: Path) -> None:
    there = {"runtime": "python3.11", "handler": "main.other"}
    path = folder(tmp_path, None, main_py=PYTHON)
    assert changes.settings(project.read(path, {}), there) == {}
    said = project.read(path, {"runtime": "python3.12"})
    assert changes.settings(said, there) == {"runtime": "python3.12"}


def test_a_variable_is_added_to_those_that_are_there_unless_the_file_says_them_whole(
    tmp_path: Path,
) -> None:
    there = {"name": "a", "environment": {"A1": "old", "B1": "kept"}}
    given = {"environment": {"A1": "new"}}
    bare = project.read(folder(tmp_path, None, main_py=PYTHON), given)
    assert changes.settings(bare, there)["environment"] == {"A1": "new", "B1": "kept"}
    (bare.path / "dormouse.toml").write_text('[environment]\nC1 = "file"\n')
    whole = project.read(bare.path, given)
    assert whole.settings_for(there)["environment"] == {"A1": "new", "C1": "file"}


def test_a_trigger_that_leaves_its_rule_out_has_none() -> None:
    bare = {"type": "record", "collection": "x", "actions": ["create", "update"]}
    assert changed(triggers=[{"type": "http"}, bare]) == ["triggers"]


def test_a_secret_is_set_when_it_is_new_or_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEW", "n")
    assert changes.secrets([], ("OLD", "NEW"), SERVER) == {"NEW": "n"}
    assert changes.secrets(["OLD=x=y"], ("OLD",), SERVER) == {"OLD": "x=y"}
    monkeypatch.delenv("NEW")
    with pytest.raises(Failure) as caught:
        changes.secrets([], ("NEW",), None)
    assert "--secret NEW=VALUE" in caught.value.hint
