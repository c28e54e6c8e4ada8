import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain import thumb_sizes
from chalicelib.domain.thumb_sizes import MOST_PIXELS, Size

SIDES = st.integers(1, 5000)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("100x50", Size(100, 50, "")),
        ("1x1t", Size(1, 1, "t")),
        ("0x30", Size(0, 30, "")),
        ("30x0f", Size(30, 0, "f")),
        ("0x0", None),
        ("0x0b", None),
        ("", None),
        ("x", None),
        ("10x", None),
        ("10X10", None),
        ("10x10 ", None),
        ("10x10c", None),
        ("-1x10", None),
        ("٣x٣", None),  # digits, but not ours
        ("1234567x1", None),  # no picture is that wide
    ],
)
def test_a_size_is_read(text: str, expected: Size | None) -> None:
    assert thumb_sizes.parse(text) == expected


@pytest.mark.parametrize(
    ("text", "original", "box", "size"),
    [
        ("50x40", (120, 80), (10, 0, 110, 80), (50, 40)),
        ("50x40", (80, 120), (0, 28, 80, 92), (50, 40)),
        ("50x40t", (80, 120), (0, 0, 80, 64), (50, 40)),
        ("50x40b", (80, 120), (0, 56, 80, 120), (50, 40)),
        ("50x40f", (120, 80), (0, 0, 120, 80), (50, 33)),
        ("50x40f", (80, 120), (0, 0, 80, 120), (26, 40)),
        ("50x40f", (10, 6), (0, 0, 10, 6), (10, 6)),  # to fit is never to grow
        ("0x30", (120, 80), (0, 0, 120, 80), (45, 30)),
        ("30x0", (120, 80), (0, 0, 120, 80), (30, 20)),
        ("0x30", (10, 6), (0, 0, 10, 6), (50, 30)),
        ("1x0", (10, 1), (0, 0, 10, 1), (1, 1)),  # a side never vanishes
    ],
)
def test_a_plan_takes_the_right_part(
    text: str, original: tuple[int, int], box: tuple[int, ...], size: tuple[int, int]
) -> None:
    wanted = thumb_sizes.parse(text)
    assert wanted is not None
    plan = thumb_sizes.plan(wanted, *original)
    assert plan is not None
    assert [round(edge, 6) for edge in plan.box] == list(box)
    assert (plan.width, plan.height) == size


@given(SIDES, SIDES, st.sampled_from(["", "t", "b", "f"]), SIDES, SIDES)
def test_a_plan_stays_inside_the_original(
    to_width: int, to_height: int, mode: str, width: int, height: int
) -> None:
    plan = thumb_sizes.plan(Size(to_width, to_height, mode), width, height)
    assert plan is not None
    left, top, right, bottom = plan.box
    assert -1e-6 <= left < right <= width + 1e-6
    assert -1e-6 <= top < bottom <= height + 1e-6
    if mode == "f":
        assert plan.width <= max(to_width, 1)
        assert plan.height <= max(to_height, 1)
    else:
        assert (plan.width, plan.height) == (to_width, to_height)


@pytest.mark.parametrize("original", [(0, 10), (10, 0), (MOST_PIXELS, 2), (32768, 32768)])
def test_too_large_an_original_has_no_plan(original: tuple[int, int]) -> None:
    assert thumb_sizes.plan(Size(10, 10, ""), *original) is None


def test_too_large_a_thumb_has_no_plan() -> None:
    assert thumb_sizes.plan(Size(30000, 30000, ""), 10, 10) is None
    assert thumb_sizes.plan(Size(0, 30000, ""), 10, 1) is None
