"""Cron expressions: what PocketBase 0.40.6 accepts in `backups.cron`, and its messages."""

import pytest

from chalicelib.domain import cron

SEGMENTS = (
    "invalid cron expression - must be a valid macro or to have exactly 5 space separated segments"
)
VALUE = "invalid segment value - must be between the min and max of the segment"
STEP_BOUNDARY = "invalid segment step boundary - the step must be between 1 and the 59"
STEP_FORM = "invalid segment step format - must be in the format */n or 1-30/n"
STEP_OF_ONE = "invalid segment step - step > 1 could be used only with the wildcard or range format"


def not_a_number(text: str) -> str:
    return f'strconv.Atoi: parsing "{text}": invalid syntax'


@pytest.mark.parametrize(
    "expression",
    [
        "* * * * *",
        "0 0 * * 0-6",
        "1-5/2 * * * *",
        "1-5,7-9/2,30 * * * *",
        "5/1 * * * *",  # a step of 1 may follow a single value
        "*/1 0 1 1 *",
        "0-59/59 * * * *",
        "1-1 * * * *",
        "01 * * * *",
        "+5 * * * *",
        "* * */31 */12 */6",
        *cron.MACROS,
    ],
)
def test_accepted(expression: str) -> None:
    assert len(cron.parse(expression)) == 5


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("", SEGMENTS),
        ("x", SEGMENTS),
        ("0 0 * *", SEGMENTS),
        ("0 0 0 0 0 0", SEGMENTS),
        (" 0  0 * * * ", SEGMENTS),
        ("@reboot", SEGMENTS),
        ("@every 1h", SEGMENTS),
        ("@DAILY", SEGMENTS),
        ("61 * * * *", VALUE),
        ("0 24 * * *", VALUE),
        ("0 0 0 * *", VALUE),
        ("0 0 * 13 *", VALUE),
        ("0 0 * * 7", VALUE),  # Sunday is 0 alone
        ("5-1 * * * *", "invalid segment range maximum - must be between 5 and 59"),
        ("60-70 * * * *", "invalid segment range minimum - must be between 0 and 59"),
        ("1-2-3 * * * *", "invalid segment range format - the range must have 1 or 2 parts"),
        ("*/0 * * * *", STEP_BOUNDARY),
        ("0-59/60 * * * *", STEP_BOUNDARY),
        ("60-5/0 * * * *", STEP_BOUNDARY),  # the step is looked at first
        ("*/2/3 * * * *", STEP_FORM),
        ("5/2 * * * *", STEP_OF_ONE),
        ("1,2, * * * *", not_a_number("")),
        ("-1 * * * *", not_a_number("")),
        ("* * * JAN *", not_a_number("JAN")),
        ("*-5 * * * *", not_a_number("*")),
        ("٣ * * * *", not_a_number("٣")),
        (
            "99999999999999999999 * * * *",
            'strconv.Atoi: parsing "99999999999999999999": value out of range',
        ),
    ],
)
def test_refused_with_pocketbases_message(expression: str, message: str) -> None:
    with pytest.raises(ValueError, match=r".") as refused:
        cron.parse(expression)
    assert str(refused.value) == message


@pytest.mark.parametrize(
    ("expression", "minutes"),
    [
        ("*/15 * * * *", {0, 15, 30, 45}),
        ("1-5/2 * * * *", {1, 3, 5}),
        ("7,1-2 * * * *", {1, 2, 7}),
        ("@hourly", {0}),
    ],
)
def test_fires_at_these_minutes(expression: str, minutes: set[int]) -> None:
    assert cron.parse(expression)[0] == minutes


def test_days_and_months_start_at_one() -> None:
    _, _, days, months, weekdays = cron.parse("* * * * *")
    assert (min(days), max(days), min(months), max(months)) == (1, 31, 1, 12)
    assert weekdays == set(range(7))
