"""Following a log: nothing twice, nothing lost, though lines come late and share milliseconds."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.functions import log_cursor
from chalicelib.domain.functions.log_cursor import (
    LATE_MS,
    MOST_STREAMS,
    Cursor,
    Line,
    Reader,
    WrongCursorError,
)


def follow(visible: list[Line], cursor: Cursor, limit: int) -> tuple[list[Line], Cursor]:
    """Read one page of what is visible, in the order in which CloudWatch gives it."""
    reader = Reader(cursor)
    found: list[Line] = []
    for line in sorted(visible, key=lambda line: line.time_ms):
        if line.time_ms < cursor.since_ms:
            continue
        if reader.is_new(line):
            found.append(line)
        if len(found) >= limit:
            break
    return found, log_cursor.read(log_cursor.text_of(reader.cursor()))


@st.composite
def arrivals(draw: st.DrawFn) -> list[list[Line]]:
    """Batches of lines as they become visible: late by less than `LATE_MS`, in order by stream."""
    streams = {name: 0 for name in "abc"}
    batches: list[list[Line]] = []
    now, count = 100_000, 0
    for _ in range(draw(st.integers(1, 8))):
        now += draw(st.sampled_from([0, 1, 500, 9_000, 40_000]))
        batch = []
        for _ in range(draw(st.integers(0, 6))):
            stream = draw(st.sampled_from(list(streams)))
            at = max(now - draw(st.integers(0, LATE_MS // 2)), streams[stream])
            streams[stream] = at
            batch.append(Line(at, stream, str(count)))
            count += 1
        batches.append(batch)
    return batches


@given(arrivals(), st.integers(1, 7))
def test_who_follows_gets_every_line_once(batches: list[list[Line]], limit: int) -> None:
    visible: list[Line] = []
    got: list[str] = []
    cursor = Cursor(0, {})
    for batch in [*batches, []]:
        visible += batch
        while True:
            found, cursor = follow(visible, cursor, limit)
            if not found:
                break
            got += [line.message for line in found]
    assert sorted(got, key=int) == [str(n) for n in range(len(visible))]


def test_lines_of_one_millisecond_are_read_page_by_page() -> None:
    visible = [Line(5, "s", str(n)) for n in range(1000)]
    got: list[str] = []
    cursor = Cursor(0, {})
    while True:
        found, cursor = follow(visible, cursor, 300)
        if not found:
            break
        got += [line.message for line in found]
    assert got == [line.message for line in visible]


def test_a_cursor_looks_back_less_far_where_there_is_too_much() -> None:
    visible = [Line(n, f"stream {n}", "x") for n in range(MOST_STREAMS + 10)]
    found, cursor = follow(visible, Cursor(0, {}), 1000)
    assert len(found) == MOST_STREAMS + 10
    assert cursor.since_ms == MOST_STREAMS + 9
    assert len(log_cursor.text_of(cursor)) < 4000
    assert follow(visible, cursor, 1000) == ([], cursor)


def test_nothing_read_leaves_the_cursor_as_it_was() -> None:
    cursor = Cursor(7, {"a": 1})
    assert Reader(cursor).cursor() == cursor


@pytest.mark.parametrize(
    "text", ["", "x", "W10", "bnVsbA", "WzEsIFtdXQ", "WzEsIHsiYSI6ICJ4In1d", "é"]
)
def test_another_text_is_no_cursor(text: str) -> None:
    with pytest.raises(WrongCursorError):
        log_cursor.read(text)
