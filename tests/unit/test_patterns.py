"""The RE2 language of patterns: what is found, what is refused, and at what cost."""

import time

import pytest

from chalicelib.domain import patterns


@pytest.mark.parametrize(
    ("pattern", "text", "found"),
    [
        ("", "", True),
        ("b", "abc", True),  # anywhere
        ("^b", "abc", False),
        ("^[a-z0-9]+$", "abc0", True),
        ("^[a-z0-9]+$", "abc\n", False),  # $ is the very end
        ("(?m)^b$", "a\nb\nc", True),
        ("^(a|b)*$", "abab", True),
        ("^(a|b)*$", "abc", False),
        ("^a{2,3}$", "aaaa", False),
        ("^a{2,}?$", "aaaa", True),
        ("a{,2}", "a{,2}", True),  # no count, so plain characters
        ("x{", "x{", True),
        ("(|a)b", "b", True),
        (r"\bfoo\b", "a foo b", True),
        (r"\bfoo\b", "afoo", False),
        (r"\Aa\z", "a", True),
        ("(?i)ABC", "xabcx", True),
        ("(?i:a)B", "ab", False),
        ("(?i)a(?-i)B", "AB", True),
        ("(?i)[k]", "\u212a", True),  # the Kelvin sign
        (r"(?i)\p{Lu}", "a", True),
        ("^.$", "é", True),
        ("^.$", "\n", False),
        ("(?s)^.$", "\n", True),
        (r"^\d$", "\u0663", False),  # only ASCII digits
        (r"\s", "\x0b", False),
        (r"^\pL+$", "éß中", True),
        (r"^\p{Han}+$", "中文", True),
        (r"^\P{L}$", "a", False),
        ("[]a]", "]", True),
        ("[^]a]", "]", False),
        ("[a-]", "-", True),
        ("[[:alpha:]]", "q", True),
        ("[[:^digit:]]", "5", False),
        ("[[:alpha]", "[", True),  # without its end it is an ordinary class
        (r"[\d\-x]", "-", True),
        (r"\Qa.b\E+", "a.bb", True),
        (r"\x41\x{42}\103", "ABC", True),
        ("(?P<year>a)(?<day>b)", "ab", True),
    ],
)
def test_search(pattern: str, text: str, found: bool) -> None:
    assert patterns.search(pattern, text) is found


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("(", "missing closing ): `(`"),
        ("a)", "unexpected ): `a)`"),
        ("*a", "missing argument to repetition operator: `*`"),
        ("{2}", "missing argument to repetition operator: `{2}`"),
        ("a**", "invalid nested repetition operator: `**`"),
        ("a{1001}", "invalid repeat count: `{1001}`"),
        ("a{2,1}", "invalid repeat count: `{2,1}`"),
        ("(a{100}){100}", "invalid repeat count: `{100}`"),
        ("[a", "missing closing ]: `[a`"),
        ("[z-a]", "invalid character class range: `z-a`"),
        (r"\p{Foo}", r"invalid character class range: `\p{Foo}`"),
        (r"\q", r"invalid escape sequence: `\q`"),
        (r"\1", r"invalid escape sequence: `\1`"),  # no back-references
        ("a\\", "trailing backslash at end of expression: ``"),
        ("a(?=b)", "invalid or unsupported Perl syntax: `(?=`"),
        ("(?<=a)b", "invalid named capture: `(?<=a)b`"),
        ("(" * 200 + ")" * 200, "expression nests too deeply: `" + "(" * 200 + ")" * 200 + "`"),
    ],
)
def test_what_is_not_re2_is_refused_in_words(pattern: str, message: str) -> None:
    with pytest.raises(patterns.PatternError) as caught:
        patterns.parse(pattern)
    assert str(caught.value) == f"error parsing regexp: {message}"


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("^(a+)+$", "a" * 5000 + "b"),
        ("^(a|a)*$", "a" * 5000 + "b"),
        ("(.*)*(.*)*x$", "a" * 5000),
    ],
)
def test_a_pattern_that_backtracks_for_ever_elsewhere_takes_no_time(
    pattern: str, text: str
) -> None:
    start = time.perf_counter()
    assert not patterns.search(pattern, text)
    assert time.perf_counter() - start < 2


def test_a_pattern_that_grows_too_large_is_refused() -> None:
    with pytest.raises(patterns.PatternError, match="too large"):
        patterns.search("(abcdefghij){1000}" * 3, "")


def test_many_different_texts_leave_a_bounded_memory() -> None:
    matcher = patterns.Matcher(patterns.parse("[ab]{1,9}c[ab]{12}"), "")
    for number in range(3000):
        matcher.search(f"{number:012b}".replace("0", "a").replace("1", "b") + "c")
    assert len(matcher._states) <= 1001
