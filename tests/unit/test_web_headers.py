"""CORS and security headers. Measured on PocketBase 0.40.6."""

import pytest

from chalicelib.web import headers


def test_answer_without_origin_has_no_cors_header() -> None:
    assert headers.of_answer({"host": "h"}) == headers.SECURITY


def test_answer_to_another_origin_may_be_read_by_it() -> None:
    answered = headers.of_answer({"origin": "https://example.com"})
    assert answered == {**headers.SECURITY, "Access-Control-Allow-Origin": "*"}


def test_preflight_allows_what_it_asked_for() -> None:
    assert headers.of_preflight(
        {"origin": "x", "access-control-request-headers": "x-a, authorization"}
    ) == {
        "Access-Control-Allow-Origin": "*",
        "Access-Control-Allow-Methods": "GET,HEAD,PUT,PATCH,POST,DELETE",
        "Access-Control-Allow-Headers": "x-a, authorization",
        "Vary": "Origin, Access-Control-Request-Method, Access-Control-Request-Headers",
    }


def test_options_without_origin_is_no_preflight() -> None:
    assert headers.of_preflight({"access-control-request-headers": "x"}) == {"Vary": "Origin"}


@pytest.mark.parametrize("wanted", ["", "x\r\nSet-Cookie: a=b", "é", "a\x00b"])
def test_header_names_that_could_break_the_answer_are_not_echoed(wanted: str) -> None:
    answered = headers.of_preflight({"origin": "x", "access-control-request-headers": wanted})
    assert "Access-Control-Allow-Headers" not in answered


def test_answers_do_not_share_their_headers() -> None:
    headers.of_answer({})["X-Frame-Options"] = "changed"
    assert headers.of_answer({})["X-Frame-Options"] == "SAMEORIGIN"
