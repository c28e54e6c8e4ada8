"""Filter text to tree, and what is no filter. Messages: measured on PocketBase 0.40.6."""

import pytest

from chalicelib.domain import filters
from chalicelib.domain.filters.nodes import (
    And,
    Call,
    Comparison,
    Expression,
    Identifier,
    Number,
    Operand,
    Or,
    Text,
)


def leaf(name: str, sign: str = "=", right: Operand = Number(1.0)) -> Comparison:  # noqa: B008
    return Comparison(Identifier(name), sign, right)


CALL = Call("f", (Text("x"), Call("g", (Number(2.0),))))
A, B, C, D = (leaf(name) for name in "abcd")

TREES: list[tuple[str, Expression]] = [
    ("a=1", A),
    ("a=1&&b=1", And((A, B), 1)),
    ("a=1 || b=1 && c=1", Or((A, And((B, C), 1)), 2)),
    ("a=1 && b=1 || c=1 && d=1", Or((And((A, B), 1), And((C, D), 1)), 2)),
    ("(a=1 || b=1) && c=1", And((Or((A, B), 1), C), 2)),
    ("((((a=1))))", A),
    ("a=1 && (b=1 && (c=1))", And((A, B, C), 1)),  # brackets that change nothing leave nothing
    ("a=1 (b=1)", And((A, B), 1)),
    ("a=1 || b=1 (c=1)", Or((A, B, C), 1)),
    ("(a=1)(b=1)", And((A, B), 1)),
    ("a = (b=1)", B),
    ("a\n=\t1 // comment && b=1", A),
    ("// comment\na=1", A),
    ("a = -1.50", leaf("a", "=", Number(-1.5))),
    ("a ?!~ 'x'", leaf("a", "?!~", Text("x"))),
    ("a='it\\'s'", leaf("a", "=", Text("it's"))),
    ("a='\\\"'", leaf("a", "=", Text('"'))),
    ("a='\\\\'", leaf("a", "=", Text("\\"))),
    ("a='\\n'", leaf("a", "=", Text("\\n"))),  # not a line feed
    ('a="(b=1"', leaf("a", "=", Text("(b=1"))),
    ("(a=')')", leaf("a", "=", Text(")"))),
    ("a=''", leaf("a", "=", Text(""))),
    ("@request.auth.id:lower=1", leaf("@request.auth.id:lower")),
    ("f()=1", Comparison(Call("f", ()), "=", Number(1.0))),
    ("f('x', g(2),)=1", Comparison(CALL, "=", Number(1.0))),
]  # fmt: skip


@pytest.mark.parametrize(("text", "tree"), TREES)
def test_a_filter_becomes_a_tree(text: str, tree: Expression) -> None:
    assert filters.parse(text) == tree


INCOMPLETE = "invalid or incomplete filter expression"
LEFT = "expected left operand (identifier, function, text or number), got "

ERRORS = [
    ("", "empty filter expression"),
    ("  ", "empty filter expression"),
    ("// x", "empty filter expression"),
    ("()", "empty filter expression"),
    ("a", INCOMPLETE),
    ("a =", INCOMPLETE),
    ("a = 1 &&", INCOMPLETE),
    ("= 1", LEFT + '"=" (sign)'),
    ("a = 1 && || b = 2", LEFT + '"||" (join)'),
    ("a b 1", 'expected a sign operator, got "b" (identifier)'),
    ("a = = 1", 'expected right operand (identifier, function text or number), got "=" (sign)'),
    ("a = 1 and b = 2", 'expected && or ||, got "and" (identifier)'),
    ("a = 1e5", 'expected && or ||, got "e5" (identifier)'),
    ("(a=1) b=1", 'expected && or ||, got "b" (identifier)'),
    ("a == 1", 'invalid sign operator "=="'),
    ("a & 1", 'invalid join operator "&"'),
    ("(a = 1", "invalid formatted group - missing 1 closing bracket(s)"),
    ("((a = 1", "invalid formatted group - missing 2 closing bracket(s)"),
    ("a = 1)", "unexpected character ')'"),
    ("a ; 1", "unexpected character ';'"),
    ("a[0] = 1", "unexpected character '['"),
    ("a = .5", "unexpected character '.'"),
    ("a = 1\r", "unexpected character '\\r'"),
    ("a = ü", "unexpected character 'ü'"),
    ("a = 'x", 'invalid quoted text "\'x"'),
    ("a = 'x\\'", "invalid quoted text \"'x\\'\""),
    ("a: = 1", 'invalid identifier "a:"'),
    ("a. = 1", 'invalid identifier "a."'),
    ("_ = 1", 'invalid identifier "_"'),
    ("@ = 1", 'invalid identifier "@"'),
    ("a-b = 1", 'invalid number "-"'),
    ("a = 5.", 'invalid number "5."'),
    ("a = 1.2.3", 'invalid number "1.2.3"'),
    ("a = 1 / 2", "invalid comment"),
    ("f(1 = 1", 'expected comma after the last argument in function "f"'),
    ("f(1 2) = 1", 'expected comma after the last argument in function "f"'),
    ("f(1,,2) = 1", 'unexpected comma in function "f"'),
    ("f(,) = 1", 'unexpected comma in function "f"'),
    ("f((1)) = 1", "unsupported argument character '(' in function \"f\""),
    ("f(&&) = 1", "unsupported argument character '&' in function \"f\""),
    ("f(1", "invalid or incomplete function \"f\" (expected ')')"),
    ("f(a // c)=1", "invalid or incomplete function \"f\" (expected ')')"),
    ("f('x", 'invalid text argument "\'x" in function "f": invalid quoted text "\'x"'),
    ("f(-)=1", 'invalid number argument "-" in function "f": invalid number "-"'),
    ("f(a.)=1", 'invalid identifier argument "a." in function "f": invalid identifier "a."'),
    ("f.(1) = 1", 'invalid function name "f."'),
    (
        "f(f(f(f(1)))) = 1",
        'invalid identifier argument "f" in function "f": ' * 3
        + "max nested function arguments reached (max: 3)",
    ),
    ("f (1) = 1", INCOMPLETE),  # an identifier, and a group that is cut short
    ("a='p1' && (b=1 // its )\n)", "unexpected character ')'"),  # groups know no comments
    ("a='p1' && (b=1 // it's )", 'invalid quoted text "\'s )"'),
]


@pytest.mark.parametrize(("text", "message"), ERRORS)
def test_what_is_no_filter_is_refused(text: str, message: str) -> None:
    with pytest.raises(filters.FilterError) as refused:
        filters.parse(text)
    assert str(refused.value) == message


def test_an_error_says_where() -> None:
    with pytest.raises(filters.FilterError) as refused:
        filters.parse("name = 'x' && ;")
    assert refused.value.position == 14


def test_200_comparisons_are_the_limit() -> None:
    filters.parse(" || ".join(["a=1"] * 200))
    with pytest.raises(filters.FilterError):
        filters.parse(" || ".join(["a=1"] * 201))


def test_brackets_around_one_term_may_nest_at_will() -> None:
    assert filters.parse("(" * 1700 + "a=1" + ")" * 1700) == A


def test_alternating_joins_nested_too_deep_are_refused() -> None:
    def nested(depth: int) -> str:
        text = "a=1"
        for level in range(depth):
            text = f"(a=1 {'&&' if level % 2 else '||'} {text})"
        return text

    filters.parse(nested(100))
    with pytest.raises(filters.FilterError, match="nested deeper"):
        filters.parse(nested(101))


def test_unclosed_brackets_by_the_thousand_are_refused() -> None:
    with pytest.raises(filters.FilterError, match="3500 closing"):
        filters.parse("(" * 3500)
