"""When schedules fire, compared with stepping through the minutes, and where clocks change."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.domain import cron as crontab
from chalicelib.domain.functions import schedules
from chalicelib.domain.functions.schedules import ScheduleError

BERLIN, NEW_YORK = "Europe/Berlin", "America/New_York"
NOW = datetime(2026, 11, 23, 7, 0, tzinfo=UTC)


def next_texts(
    expression: str, after: str, zone: str = "UTC", count: int = 3, anchor: datetime | None = None
) -> list[str]:
    schedule = schedules.parse(expression, zone, anchor)
    moment = datetime.fromisoformat(after)
    return [f"{each:%Y-%m-%dT%H:%M}" for each in schedules.next_times(schedule, moment, count)]


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("0 3 * * *", "cron(0 3 * * ? *)"),
        ("*/15 * * * *", "cron(0,15,30,45 * * * ? *)"),
        ("0 9 * * 1-5", "cron(0 9 ? * 2-6 *)"),  # Sunday is 0 here and 1 there
        ("0 9 * * 0,6", "cron(0 9 ? * 1,7 *)"),
        ("0 9 1,15 */2 *", "cron(0 9 1,15 1,3,5,7,9,11 ? *)"),
        ("0 9 1-31 * 1", "cron(0 9 ? * 2 *)"),  # every day of the month is no restriction
        ("0 9 * jan-mar MON-fri", "cron(0 9 ? 1-3 2-6 *)"),
        ("0 9 * * 7", "cron(0 9 ? * 1 *)"),  # Sunday again
        ("0 9 * * 5-7", "cron(0 9 ? * 1,6,7 *)"),
        ("0 9 * * 1-7", "cron(0 9 * * ? *)"),
        ("@hourly", "cron(0 * * * ? *)"),
        ("@weekly", "cron(0 0 ? * 1 *)"),
        ("  0   3 * * * ", "cron(0 3 * * ? *)"),
        ("cron(0/5 8-17 ? * mon-fri *)", "cron(0/5 8-17 ? * MON-FRI *)"),
        ("rate(1 minutes)", "rate(1 minute)"),
        ("rate(5 minute)", "rate(5 minutes)"),
        ("at(2026-12-01T10:00:00)", "at(2026-12-01T10:00:00)"),
    ],
)
def test_expression_becomes_eventbridges(expression: str, expected: str) -> None:
    assert schedules.to_eventbridge(expression) == expected


@pytest.mark.parametrize(
    ("expression", "says"),
    [
        ("0 9 1 * 1", "day and weekday cannot both be set"),
        ("60 * * * *", "between the min and max"),
        ("0 9 * * MO", "invalid syntax"),
        ("0 9 * * 17", "between the min and max"),
        ("0 9 * * 8-7", "between 0 and 6"),
        ("* * * *", "5 space separated segments"),
        ("@never", "5 space separated segments"),
        ("cron(0 3 * * * *)", "one of day and weekday must be ?"),
        ("cron(0 3 ? * ? *)", "one of day and weekday must be ?"),
        ("cron(0 3 * * ?)", "six fields"),
        ("cron(0 3 32 * ? *)", "32 is no day of the month: those go from 1 to 31"),
        ("cron(0 3 ? * 0 *)", "0 is no weekday: those go from 1 to 7"),
        ("cron(0 3 ? * MO *)", "MO is no weekday"),
        ("cron(0 3 ? * 2#6 *)", "#6"),
        ("cron(0 17-9 * * ? *)", "ends before it begins"),
        ("cron(0/0 3 * * ? *)", "0 is no step"),
        ("cron(0 3 ? * 2/2 *)", "a weekday takes no steps"),
        ("cron(0 3 ? * L *)", "7L is the month's last Saturday"),
        ("cron(, 3 * * ? *)", "nothing is no minute"),
        ("cron(0 3 0W * ? *)", "0 is no day"),
        ("cron(0 3 * * ? 1969)", "1969 is no year"),
        ("rate(0 minutes)", "number above 0"),
        ("rate(5 seconds)", "minutes, hours or days"),
        ("rate(367 days)", "at most 366 days"),
        ("at(2026-12-01)", "at(...) takes a local time"),
        ("at(2026-02-30T10:00:00)", "there is no 2026-02-30T10:00:00"),
        ("at(2026-12-01T10:00:00Z)", "at(...) takes a local time"),
        ("0 3 * * * " + " " * 300 + "x", "at most 256 characters"),
    ],
)
def test_what_cannot_be_a_schedule_is_refused_with_the_reason(expression: str, says: str) -> None:
    with pytest.raises(ScheduleError) as refused:
        schedules.parse(expression)
    assert says in str(refused.value)


@pytest.mark.parametrize("zone", ["Europe/Atlantis", "", "../etc/passwd", "localtime", "/UTC", "b"])
def test_unknown_time_zone_is_refused(zone: str) -> None:
    with pytest.raises(ScheduleError, match="no time zone"):
        schedules.parse("0 3 * * *", zone)


@pytest.mark.parametrize(
    ("expression", "zone", "after", "expected"),
    [
        # 2026-03-29: clocks in Berlin go from 02:00 to 03:00.
        ("30 2 * * *", BERLIN, "2026-03-28T12:00Z", ["2026-03-30T00:30", "2026-03-31T00:30"]),
        ("30 3 * * *", BERLIN, "2026-03-28T12:00Z", ["2026-03-29T01:30", "2026-03-30T01:30"]),
        ("0 * * * *", BERLIN, "2026-03-28T23:30Z", ["2026-03-29T00:00", "2026-03-29T01:00"]),
        # 2026-10-25: the hour from 02:00 comes twice; the first one counts.
        ("30 2 * * *", BERLIN, "2026-10-24T12:00Z", ["2026-10-25T00:30", "2026-10-26T01:30"]),
        ("30 2 * * *", BERLIN, "2026-10-25T00:45Z", ["2026-10-26T01:30"]),
        ("30 2 * * *", BERLIN, "2026-10-25T01:15Z", ["2026-10-26T01:30"]),
        ("30 1 * * *", NEW_YORK, "2026-11-01T00:00Z", ["2026-11-01T05:30", "2026-11-02T06:30"]),
        # Half an hour, on an island of Australia.
        ("15 2 * * *", "Australia/Lord_Howe", "2026-10-03T00:00Z", ["2026-10-04T15:15"]),
    ],
)
def test_clocks_that_change_skip_and_do_not_repeat(
    expression: str, zone: str, after: str, expected: list[str]
) -> None:
    assert next_texts(expression, after, zone, len(expected)) == expected


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("0 0 29 2 *", ["2028-02-29", "2032-02-29", "2036-02-29"]),
        ("0 0 31 * *", ["2026-12-31", "2027-01-31", "2027-03-31"]),
        ("cron(0 0 L * ? *)", ["2026-11-30", "2026-12-31", "2027-01-31"]),
        ("cron(0 0 LW * ? *)", ["2026-11-30", "2026-12-31", "2027-01-29"]),
        ("cron(0 0 15W * ? *)", ["2026-12-15", "2027-01-15", "2027-02-15"]),
        ("cron(0 0 1W 5 ? *)", ["2027-05-03", "2028-05-01", "2029-05-01"]),  # stays in its month
        ("cron(0 0 31W * ? *)", ["2026-12-31", "2027-01-29", "2027-03-31"]),
        ("cron(0 0 ? * 6L *)", ["2026-11-27", "2026-12-25", "2027-01-29"]),
        ("cron(0 0 ? * FRIL *)", ["2026-11-27", "2026-12-25", "2027-01-29"]),
        ("cron(0 0 ? * 3#2 *)", ["2026-12-08", "2027-01-12", "2027-02-09"]),
        ("cron(0 0 ? * MON#5 *)", ["2026-11-30", "2027-03-29", "2027-05-31"]),
        ("cron(0 0 1 JAN ? 2027-2028)", ["2027-01-01", "2028-01-01"]),
        ("cron(0 0 1 1/6 ? *)", ["2027-01-01", "2027-07-01", "2028-01-01"]),
        ("cron(0 0 30 2 ? *)", []),
        ("0 0 30 2 *", []),
        ("cron(0 0 1 1 ? 2020)", []),
    ],
)
def test_days_of_the_calendar(expression: str, expected: list[str]) -> None:
    schedule = schedules.parse(expression)
    assert [f"{each:%F}" for each in schedules.next_times(schedule, NOW, 3)] == expected


def test_rate_counts_from_when_it_was_made() -> None:
    made = datetime(2026, 11, 23, 6, 58, 30, tzinfo=UTC)
    expected = ["2026-11-23T07:03", "2026-11-23T07:08", "2026-11-23T07:13"]
    assert next_texts("rate(5 minutes)", "2026-11-23T07:00Z", anchor=made) == expected
    assert next_texts("rate(5 minutes)", "2026-11-23T06:00Z", anchor=made) == expected


def test_rate_does_not_care_for_clocks() -> None:
    anchor = datetime(2026, 3, 28, 12, 0, tzinfo=UTC)
    expected = ["2026-03-29T12:00", "2026-03-30T12:00", "2026-03-31T12:00"]
    assert next_texts("rate(1 day)", "2026-03-28T13:00Z", BERLIN, anchor=anchor) == expected


def test_one_time_is_local_and_comes_once() -> None:
    expected = ["2026-12-01T09:00"]
    assert next_texts("at(2026-12-01T10:00:00)", "2026-11-23T07:00Z", BERLIN) == expected
    assert next_texts("at(2026-12-01T10:00:00)", "2026-12-01T09:00Z", BERLIN) == []


def test_one_time_that_clocks_leave_out_is_refused() -> None:
    with pytest.raises(ScheduleError, match="clocks leave out"):
        schedules.parse("at(2026-03-29T02:30:00)", BERLIN)


def field(lowest: int, highest: int) -> st.SearchStrategy[str]:
    number = st.integers(lowest, highest)
    span = st.tuples(number, number).map(sorted)
    part = st.one_of(
        number.map(str),
        span.map(lambda ends: f"{ends[0]}-{ends[1]}"),
        st.tuples(span, st.integers(1, highest)).map(lambda p: f"{p[0][0]}-{p[0][1]}/{p[1]}"),
        st.integers(1, highest).map(lambda step: f"*/{step}"),
    )
    return st.one_of(st.just("*"), st.lists(part, min_size=1, max_size=3).map(",".join))


CRONTABS = st.builds(
    lambda minute, hour, days, month: f"{minute} {hour} {days[0]} {month} {days[1]}",
    field(0, 59),
    field(0, 23),
    st.one_of(
        st.tuples(field(1, 31), st.just("*")),
        st.tuples(st.just("*"), field(0, 6)),
    ),
    field(1, 12),
)
MOMENTS = st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001
ZONES = st.sampled_from(["UTC", BERLIN, NEW_YORK, "Australia/Lord_Howe", "Asia/Kathmandu"])


@given(CRONTABS, MOMENTS)
@settings(max_examples=80, deadline=None)
def test_eventbridge_means_the_same_as_the_crontab(expression: str, moment: datetime) -> None:
    ours = schedules.parse(expression)
    assert len(ours.eventbridge) <= 256

    theirs = schedules.parse(ours.eventbridge)

    assert schedules.next_times(ours, moment, 3) == schedules.next_times(theirs, moment, 3)


@given(CRONTABS, MOMENTS, ZONES)
@settings(max_examples=40, deadline=None)
def test_next_is_the_first_minute_that_matches(
    expression: str, moment: datetime, zone: str
) -> None:
    minutes, hours, days, months, weekdays = crontab.parse(expression)
    moment = moment.replace(second=0, microsecond=0)

    def fires(at: datetime) -> bool:
        local = at.astimezone(ZoneInfo(zone))
        is_date = local.day in days and local.month in months
        is_weekday = (local.weekday() + 1) % 7 in weekdays
        is_time = local.minute in minutes and local.hour in hours
        return is_date and is_weekday and is_time and local.fold == 0

    steps = (moment + timedelta(minutes=count) for count in range(1, 3 * 1440))
    expected = next((each for each in steps if fires(each)), None)

    found = schedules.parse(expression, zone).next_after(moment)

    if expected is None:
        assert found is None or found >= moment + timedelta(minutes=3 * 1440)
    else:
        assert found == expected


@pytest.mark.parametrize("start", ["2026-03-28T22:00Z", "2026-10-24T22:00Z"])
def test_next_is_right_in_every_minute_around_a_change_of_clocks(start: str) -> None:
    zone = ZoneInfo(BERLIN)
    schedule = schedules.parse("*/10 1-3 * * *", BERLIN)
    begin = datetime.fromisoformat(start)
    minutes = [begin + timedelta(minutes=count) for count in range(6 * 60)]
    local = [each.astimezone(zone) for each in minutes]
    firing = [
        each
        for each, at in zip(minutes, local, strict=True)
        if at.minute % 10 == 0 and 1 <= at.hour <= 3 and at.fold == 0
    ]
    for each in minutes[: 3 * 60]:
        assert schedule.next_after(each) == next(at for at in firing if at > each)


def test_list_of_next_times_is_quick_even_when_there_are_few() -> None:
    schedule = schedules.parse("cron(0 0 29 2 ? *)", BERLIN)
    assert len(schedules.next_times(schedule, NOW, 5)) == 5
    assert schedules.next_times(schedules.parse("0 0 31 2,4,6 *"), NOW) == []


@pytest.mark.parametrize("zone", ["UTC", BERLIN, NEW_YORK])
@pytest.mark.parametrize("text", ["at(0001-01-01T00:00:00)", "at(9999-12-31T23:59:59)"])
def test_end_of_the_calendar_is_refused(text: str, zone: str) -> None:
    with pytest.raises(ScheduleError, match="no year of a schedule"):
        schedules.parse(text, zone)


NEARLY = st.text(st.sampled_from("0123456789*/-,?LW#() acronte@daily:T"), max_size=24)


@given(st.one_of(st.text(max_size=30), NEARLY, NEARLY.map(lambda inside: f"cron({inside})")))
@settings(max_examples=200, deadline=None)
def test_any_text_is_a_schedule_or_refused(text: str) -> None:
    try:
        schedule = schedules.parse(text, BERLIN)
    except ScheduleError:
        return
    times = schedules.next_times(schedule, NOW)
    assert times == sorted(set(times))
    assert all(each > NOW for each in times)
