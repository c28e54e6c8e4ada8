"""Texts made from patterns fit the patterns."""

import pytest

from chalicelib.domain import autogenerate, ids, patterns


@pytest.mark.parametrize(
    "pattern",
    [
        "[a-z0-9]{15}",
        r"\d{3}-[A-Z]{2}|x+",
        "(?i)abc",
        ".{5}",
        "[^a]{9}",
        "a{2,}b?",
        "(ab|c)*",
        "é+",
    ],
)
def test_a_text_fits_its_pattern(pattern: str) -> None:
    for _ in range(20):
        assert patterns.search(f"^(?:{pattern})$", autogenerate.generate(pattern))


def test_texts_differ() -> None:
    assert len({autogenerate.generate("[a-z0-9]{15}") for _ in range(50)}) == 50


@pytest.mark.parametrize(
    ("pattern", "number"), [("^a", 9), ("a$", 10), (r"\ba", 11), (r"a\B", 12), ("(?m)^a", 7)]
)
def test_places_make_no_text(pattern: str, number: int) -> None:
    with pytest.raises(
        autogenerate.AutogenerateError, match=f"unsupported pattern operator {number}"
    ):
        autogenerate.generate(pattern)


def test_a_text_has_a_greatest_length() -> None:
    with pytest.raises(autogenerate.AutogenerateError, match="too long"):
        autogenerate.generate("(?:a{1000}){1}" * 30)


def test_a_record_id_is_15_lower_case_letters_and_digits() -> None:
    assert patterns.search("^[a-z0-9]{15}$", ids.record_id())
    assert ids.record_id() != ids.record_id()


def test_a_token_key_has_the_length_its_field_asks_for() -> None:
    assert patterns.search("^[a-zA-Z0-9]{50}$", ids.token_key())
