"""The `fields` parameter. Each expectation is PocketBase 0.40.6's answer, asked."""

import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain import picker
from chalicelib.errors import BadRequestError

C = [{"d": 1, "e": "<i>zz</i> yy"}, {"d": 2}]
J = {"a": 1, "b": {"c": C, "t": "long text here"}, "arr": [1, 2, {"k": "v"}]}
TITLE = "<p>Hello <b>big</b>   wörld</p>\n  <script>x</script> tail &amp; é"
RECORD = {"id": "r1", "title": TITLE, "n": 5, "sel": ["a", "b"], "j": J}


@pytest.mark.parametrize(
    ("fields", "picked"),
    [
        ("title", {"title": TITLE}),
        (" title ,n", {"title": TITLE, "n": 5}),
        ("title,", {"title": TITLE}),
        ("*", RECORD),
        ("nope", {}),
        ("nope.x", {}),
        ("TITLE", {}),
        ("", RECORD),
        ("  ", RECORD),
        (",", RECORD),
        ("(title)", {}),
        ("items.id", {}),
        ("j.a", {"j": {"a": 1}}),
        ("j.*", {"j": J}),
        ("j.b.c", {"j": {"b": {"c": C}}}),
        ("j.b.c.d", {"j": {"b": {"c": [{"d": 1}, {"d": 2}]}}}),  # through lists
        ("j.b.c.*", {"j": {"b": {"c": C}}}),
        ("j.b.c.0", {"j": {"b": {"c": [{}, {}]}}}),  # an index is no key
        ("j.arr.k", {"j": {"arr": [1, 2, {"k": "v"}]}}),  # what has no keys stays whole
        ("title.x", {"title": TITLE}),
        ("sel.x", {"sel": ["a", "b"]}),
        ("n.x,id", {"n": 5, "id": "r1"}),
        ("j,j.a", {"j": J}),  # the whole beats the part
        ("j.a,j", {"j": J}),
        ("*,j.a", {**RECORD, "j": {"a": 1}}),  # `*` is for what no path names
        ("*.a", {}),
        ("j..a", {"j": {}}),
        (".title", {}),
        ("title.", {"title": TITLE}),
        ("title:excerpt(5)", {"title": "Hello"}),
        ("title:excerpt(5,true)", {"title": "Hello..."}),
        ("title:excerpt( 5 , true )", {"title": "Hello..."}),
        ("title:excerpt(5,1)", {"title": "Hello..."}),
        ("title:excerpt(5,false)", {"title": "Hello"}),
        ("title:excerpt(5,x)", {"title": "Hello"}),
        ("title:excerpt(5,)", {"title": "Hello"}),
        ("title:excerpt(5.5)", {"title": "Hello"}),
        ("title: excerpt 5)", {"title": "Hello"}),
        ("title:excerpt(5)x", {"title": "Hello"}),
        ("title:excerpt(100)", {"title": "Hello big wörld tail & é"}),
        ("title,title:excerpt(3)", {"title": "Hel"}),  # the later of equal paths
        ("title:excerpt(3),title", {"title": TITLE}),
        ("n:excerpt(2),sel:excerpt(1)", {"n": 5, "sel": ["a", "b"]}),  # text only
        ("j.b.t:excerpt(4,true)", {"j": {"b": {"t": "long..."}}}),
        ("j.b.c.e:excerpt(2)", {"j": {"b": {"c": [{"e": "zz"}, {}]}}}),
        ("*:excerpt(1),title", {"id": "r", "title": TITLE, "n": 5, "sel": ["a", "b"], "j": J}),
    ],
)
def test_record_is_picked(fields: str, picked: dict[str, Any]) -> None:
    assert picker.pick(RECORD, fields) == picked


@pytest.mark.parametrize(
    "fields",
    [
        "title:",
        "title:nope",
        "title:nope(1)",
        "title:EXCERPT(5)",
        "title:excerpt",
        "title:excerpt()",
        "title:excerpt(0)",
        "title:excerpt(-1)",
        "title:excerpt(a)",
        "title:excerpt(,true)",
        "title:excerpt(5,true,1)",
        "title:excerpt(5,true",
        "title:excerpt(5):excerpt(2)",
        "title:excerpt(99999999999999999999)",
        "nope:bad",  # refused even where nothing is picked
    ],
)
def test_bad_modifier_is_refused(fields: str) -> None:
    with pytest.raises(BadRequestError):
        picker.pick(RECORD, fields)


PAGE = {"page": 1, "perPage": 30, "totalItems": -1, "totalPages": -1, "items": [RECORD]}


@pytest.mark.parametrize(
    ("fields", "items"),
    [("id", [{"id": "r1"}]), ("page", [{}]), ("items.id", [{}]), ("*", [RECORD])],
)
def test_page_keeps_its_envelope(fields: str, items: list[Any]) -> None:
    assert picker.pick(PAGE, fields) == {**PAGE, "items": items}


def test_record_with_the_fields_of_a_page_is_a_record() -> None:
    record = {**PAGE, "collectionId": "c"}
    assert picker.pick(record, "page") == {"page": 1}


def test_list_is_picked_item_by_item() -> None:
    assert picker.pick([{"id": 1, "x": 2}, {"id": 2}], "id") == [{"id": 1}, {"id": 2}]


def test_key_with_a_dot_can_be_named() -> None:
    assert picker.pick({"a.b": {"c": 1}, "a": 2}, "a.b.c") == {"a.b": {"c": 1}, "a": 2}


def test_what_was_given_is_left_as_it_is() -> None:
    record = {"j": {"a": "<p>x</p>", "b": 1}}
    picker.pick(record, "j.a:excerpt(1)")
    assert record == {"j": {"a": "<p>x</p>", "b": 1}}


VALUES = st.recursive(
    st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3)
    ),
    max_leaves=10,
)
PATHS = st.lists(
    st.lists(st.sampled_from("abc*"), min_size=1, max_size=3).map(".".join), min_size=1, max_size=3
).map(",".join)


@given(VALUES, PATHS)
def test_picking_again_changes_nothing(value: Any, fields: str) -> None:
    once = picker.pick(value, fields)
    assert picker.pick(once, fields) == once


@given(VALUES)
def test_star_picks_everything(value: Any) -> None:
    assert picker.pick(value, "*") == value


@given(st.text(max_size=30))
def test_any_text_picks_or_is_refused(fields: str) -> None:
    with contextlib.suppress(BadRequestError):
        assert picker.pick(RECORD, fields).keys() <= RECORD.keys()


@pytest.mark.parametrize(
    ("text", "length", "shown"),
    [
        ("hello world", 5, "hello..."),
        ("hello world", 6, "hello..."),  # no space before the dots
        ("hello world", 7, "hello w..."),
        ("hello. world", 6, "hello...."),
        ("hello ", 5, "hello"),
        ("ab   c", 2, "ab..."),
        ("日本語テキスト", 3, "日本語..."),
        ("😀😀😀", 2, "😀😀..."),  # characters, not UTF-16 units
        ("  hi \n there ", 20, "hi there"),
        ("\u3000a\u00a0b\u2003c", 20, "a\u00a0b\u2003c"),  # only HTML's white space is folded
        ("a\x0bb\x0cc", 20, "a\x0bb c"),
        ("<div>a</div><div>b</div>", 20, "a b"),
        ("<p>a</p><p>b</p>", 2, "a..."),
        ("<span>a</span><b>b</b>", 20, "ab"),
        ("a<br>b<hr>c", 20, "ab c"),
        ("<h1>a</h1>b", 20, "a b"),
        ("<p>a<p>b", 20, "a b"),
        ("<ul><li>a<li>b</ul>", 20, "a b"),
        ("<custom-el>a</custom-el>b", 20, "a b"),
        ("<td>a</td><td>b</td>", 20, "ab"),  # outside of a table: no cell
        ("<table><tr><td>a</td><td>b</td></tr></table>c", 20, "a b c"),
        ("a<style>x</style>b<!-- c -->d", 20, "abd"),
        ("<p>a<script>if(a<b){}</script>b", 20, "ab"),
        ("a<script>b", 20, "a"),
        ("<svg><text>s</text></svg>r", 20, "r"),
        ("<select><option>x</option></select>r<button>b</button>", 20, "r"),
        ("<textarea>q</textarea><form>f</form>r", 20, "r"),
        ("<img src=x>a <a href='y'>b</a>, c", 20, "a b, c"),
        ("<p title='a>b'>c</p>", 20, "c"),
        ("<p/>a</b>b", 20, "ab"),
        ("&lt;b&gt; &amp; &#65;&#x42; &nosuch;", 20, "<b> & AB &nosuch;"),
        ("1 < 2 and 3 > 2", 20, "1 < 2 and 3 > 2"),
        ("x <3", 20, "x <3"),
        ("a <b", 20, "a"),  # a tag that does not end
        ("<>x", 20, "<>x"),
        ("a\x00b", 20, "ab"),
    ],
)
def test_excerpt_is_the_text_that_html_shows(text: str, length: int, shown: str) -> None:
    assert picker.excerpt(text, length, with_ellipsis=True) == shown


@given(st.text(), st.integers(1, 50))
def test_excerpt_is_never_longer_than_asked(text: str, length: int) -> None:
    assert len(picker.excerpt(text, length)) <= length
