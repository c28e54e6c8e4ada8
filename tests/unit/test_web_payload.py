"""Answers that Lambda could not hand on."""

import json

import pytest

from chalicelib.web import payload
from chalicelib.web.reply import Reply


@pytest.fixture
def in_lambda(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "dormouse")


@pytest.mark.usefixtures("in_lambda")
@pytest.mark.parametrize(
    ("text", "count", "is_within"),
    [
        ("x", 6_000_000, True),
        ("x", 6_300_000, False),
        ('"', 2_000_000, True),
        ('"', 3_200_000, False),  # each needs a backslash
        ("é", 1_000_000, True),
        ("é", 1_100_000, False),  # \\u00e9
        ("😀", 500_000, True),
        ("😀", 530_000, False),
    ],
)
def test_answer_over_the_limit_becomes_a_clear_error(
    text: str, count: int, is_within: bool
) -> None:
    answer = payload.within_limit(Reply(text * count).to_dict())
    assert (answer["statusCode"] == 200) is is_within
    if not is_within:
        assert answer["statusCode"] == 400
        assert "perPage" in json.loads(answer["body"])["message"]
    assert len(json.dumps(answer)) < 6_291_456


def test_elsewhere_there_is_no_limit() -> None:
    assert payload.within_limit(Reply("x" * 7_000_000).to_dict())["statusCode"] == 200
