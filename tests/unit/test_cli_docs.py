"""The guide names every command, setting and exit status, and the examples are what it says."""

import argparse
import re
import tomllib
from pathlib import Path

import pytest

from chalicelib.domain.functions import specification
from tools.cli import failures, options, project
from tools.cli.failures import Failure
from tools.cli.packing import sources

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs" / "functions.md").read_text()
EXAMPLES = sorted(path for path in (ROOT / "examples" / "functions").iterdir() if path.is_dir())


def _commands(parser: argparse.ArgumentParser) -> list[str]:
    actions = [
        action for action in parser._actions if isinstance(action, argparse._SubParsersAction)
    ]
    return sorted(name for action in actions for name in action.choices)


@pytest.mark.parametrize("command", [*_commands(options.parser())])
def test_a_command_is_in_the_guide(command: str) -> None:
    assert re.search(rf"`{command}[ `]", GUIDE)


@pytest.mark.parametrize("name", [*project.API_NAMES, *project.OTHERS])
def test_a_setting_is_in_the_guide(name: str) -> None:
    assert re.search(rf"\| `\[*{name}\]*` \|", GUIDE)


def test_every_setting_of_the_server_can_be_written_in_the_file() -> None:
    assert {*project.API_NAMES.values(), *project.OTHERS} == set(specification.KEYS)


@pytest.mark.parametrize(
    "kind", [Failure, *Failure.__subclasses__()], ids=lambda kind: str(kind.__name__)
)
def test_an_exit_status_is_in_the_guide_and_in_the_help(kind: type[Failure]) -> None:
    assert f"| {kind.exit_status} |" in GUIDE
    assert f"  {kind.exit_status}  " in options.EPILOG
    assert str(kind.exit_status) in str(failures.__doc__)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)
def test_an_example_can_be_deployed_as_it_is(example: Path) -> None:
    found = project.read(example, {})
    written = tomllib.loads((example / "dormouse.toml").read_text())
    assert found.name == example.name
    assert f"`{example.name}`" in GUIDE
    assert f"deploy examples/functions/{example.name}" in (example / "README.md").read_text()
    handler_file = found.settings["handler"].rpartition(".")[0]
    assert any(path.startswith(f"{handler_file}.") for path in sources.read(example))
    assert len(written["triggers"]) == 1
