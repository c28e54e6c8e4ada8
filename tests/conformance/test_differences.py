"""What a scenario says differs is a row of docs/compatibility.md, and states our answer."""

import re
from pathlib import Path

import pytest

from tests.conformance.scenario import Scenario

PAGE = Path(__file__).parents[2] / "docs" / "compatibility.md"


def _collected(session: pytest.Session) -> list[Scenario]:
    found = []
    for item in session.items:
        call = getattr(item, "callspec", None)
        scenario = call.params.get("scenario") if call else None
        if isinstance(scenario, Scenario):
            found.append(scenario)
    return found


def test_each_difference_is_documented(request: pytest.FixtureRequest) -> None:
    rows = set(re.findall(r"^\| ([a-z0-9-]+) \|", PAGE.read_text(), re.MULTILINE))
    used = {scenario.differs for scenario in _collected(request.session)} - {""}
    assert used <= rows, f"no row in {PAGE.name}: {sorted(used - rows)}"


def test_each_difference_states_our_answer(request: pytest.FixtureRequest) -> None:
    for scenario in _collected(request.session):
        assert bool(scenario.differs) == (scenario.ours is not None), scenario.name


def test_scenarios_of_a_module_have_names_of_their_own(request: pytest.FixtureRequest) -> None:
    names: set[tuple[str, str]] = set()
    repeated = []
    for item in request.session.items:
        call = getattr(item, "callspec", None)
        if call is not None and "scenario" in call.params:
            key = (str(item.path), call.params["scenario"].name)
            repeated += [key] if key in names else []
            names.add(key)
    assert not repeated
