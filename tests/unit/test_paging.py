"""Options of a list (rules measured on PocketBase 0.40.6)."""

import pytest

from chalicelib.domain import paging
from chalicelib.domain.paging import Cursor
from chalicelib.errors import BadRequestError


@pytest.mark.parametrize(
    ("query", "page", "per_page"),
    [
        ({}, 1, 30),
        ({"page": "3", "perPage": "5"}, 3, 5),
        ({"page": "0", "perPage": "0"}, 1, 30),
        ({"page": "-1", "perPage": "-5"}, 1, 30),
        ({"perPage": "5000"}, 1, 1000),
        ({"page": "", "perPage": ""}, 1, 30),
    ],
)
def test_page_and_per_page(query: dict[str, str], page: int, per_page: int) -> None:
    options = paging.read(query)
    assert (options.page, options.per_page) == (page, per_page)


@pytest.mark.parametrize("text", ["1", "t", "T", "true", "TRUE", "True"])
def test_skip_total_is_true(text: str) -> None:
    assert paging.read({"skipTotal": text}).skip_total


@pytest.mark.parametrize(
    "query", [{"page": "a"}, {"perPage": "1.5"}, {"skipTotal": "yes"}, {"page": "1e3"}]
)
def test_what_is_no_number_or_flag_is_refused(query: dict[str, str]) -> None:
    with pytest.raises(BadRequestError):
        paging.read(query)


def test_a_cursor_comes_back_as_it_went() -> None:
    cursor = Cursor(3, "abc", "news\0abc")
    assert paging.read_cursor(paging.cursor_text(cursor)) == cursor


@pytest.mark.parametrize("text", ["x", "%%%", "e30", "W10", "WzEsMiwzXQ", "é"])
def test_a_foreign_cursor_is_refused(text: str) -> None:
    with pytest.raises(BadRequestError):
        paging.read_cursor(text)
