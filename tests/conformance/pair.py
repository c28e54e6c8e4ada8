"""Run a scenario on both servers and say what differs."""

import difflib
from collections.abc import Sequence

from tests.conformance.client import Answer
from tests.conformance.scenario import Scenario, Step, after_text, answer_text
from tests.conformance.world import Side


class Pair:
    """PocketBase and Dormouse, with one module's world on both."""

    def __init__(self, theirs: Side, ours: Side, *, is_rehearsal: bool = False) -> None:
        """`is_rehearsal`: both are PocketBase, so nothing may differ by intent."""
        self._is_rehearsal = is_rehearsal
        self.theirs = theirs
        self.ours = ours

    def check(self, scenario: Scenario) -> None:
        """Raise `AssertionError` unless both servers answer as the scenario says."""
        theirs = _run(self.theirs, scenario)
        assert theirs[0].status == scenario.status, _told("PocketBase", theirs[0])
        for text in scenario.has:
            assert text in theirs[0].content.decode(), _told("PocketBase", theirs[0])
        ours = _run(self.ours, scenario)
        if scenario.ours is not None:
            if not self._is_rehearsal:
                _check_own_answer(scenario, ours[0])
            return
        texts = [
            "\n".join(_texts(scenario, answers, side))
            for answers, side in ((theirs, self.theirs), (ours, self.ours))
        ]
        assert texts[0] == texts[1], _difference(texts)


def _run(side: Side, scenario: Scenario) -> list[Answer]:
    """Return the answers to the scenario's request and to each `after` step."""
    side.names["before"] = []
    for step in scenario.before:
        answer = side.send(step)
        assert answer.status < 400, _told(f"{side.name}, before", answer)
        side.names["before"].append(answer.json)
    answers = [side.send(scenario.step)]
    side.names["answer"] = answers[0].json
    answers += [side.send(step) for step in scenario.after]
    return answers


def _texts(scenario: Scenario, answers: Sequence[Answer], side: Side) -> list[str]:
    known = frozenset(side.known)
    first = answer_text(answers[0], scenario, known)
    rest: list[Step] = list(scenario.after)
    return [first] + [
        after_text(answer, step, scenario, known)
        for answer, step in zip(answers[1:], rest, strict=True)
    ]


def _check_own_answer(scenario: Scenario, answer: Answer) -> None:
    assert scenario.ours is not None
    assert answer.status == scenario.ours.status, _told("Dormouse", answer)
    for text in scenario.ours.has:
        assert text in answer.content.decode(), _told("Dormouse", answer)


def _told(name: str, answer: Answer) -> str:
    return f"{name}: {answer.status} {answer.content[:1500].decode(errors='replace')}"


def _difference(texts: Sequence[str]) -> str:
    theirs, ours = (text.splitlines() for text in texts)
    lines = difflib.unified_diff(theirs, ours, "PocketBase", "Dormouse", lineterm="", n=2)
    return "\n" + "\n".join(lines)
