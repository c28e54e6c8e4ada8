"""geoDistance and strftime in filters: ids measured on PocketBase 0.40.6."""

import pytest

from tests.unit.filter_world import ALL, NONE, World

WORLD = World()

# geoDistance.
DISTANCE = [
    ("geoDistance(g.lon, g.lat, 23.3, 42.7) < 100", "p1"),
    ("geoDistance(g.lon, g.lat, 23.3, 42.7) = 0", "p1"),
    ("geoDistance(g.lon, g.lat, 23.3, 42.7) != 0", "p2 p3 p4 p5 p6 p7 p8 p9 pa pb pc"),
    (
        "geoDistance(g.lon, g.lat, 23.3, 42.7) < 2500 && geoDistance(g.lon, g.lat, 23.3, 42.7) > 1",
        "p2",
    ),
    (
        "geoDistance(g.lon, g.lat, js.k, 42.7) = null",
        "p2 p3 p4 p5 p6 p7 p9 pa pb pc",
    ),  # no number is NULL
    ("geoDistance(g.lon, g.lat, js.k, 42.7) = ''", NONE),  # which is not ''
    ("geoDistance(n, v, 1, 1) > 0", "p6 p8 pc"),  # text that reads as a number counts
    ("geoDistance(v, v, selfs.v, 1) > 0", "p2 p4 p5 pa"),  # any row is enough
    ("geoDistance(v, v, selfs.v, 1) ?> 0", "p2 p4 p5 pa"),
    ("geoDistance(1, 2, 3, 4) ~ 314", ALL),
    ("v ~ geoDistance(1, 2, 3, 4)", NONE),
    ("owners.name != geoDistance(g.lon, g.lat, selfs.g.lon, 0)", "p1 p2 p4 p5 p6 pa"),
]


# strftime.
TIMES = [
    ("strftime('%Y', d) = '2024'", "p1 p2 p5 pb"),
    ("strftime('%Y', d) = 2024", NONE),  # text is no number
    ("strftime('%Y', d) != '2024'", "p3 p4 p6 p7 p8 p9 pa pc"),
    ("strftime('%Y', d) = ''", "p3 p6 p7 p8 pa pc"),  # of the empty date it is NULL
    ("strftime('%Y', d) < '2025'", "p1 p2 p5 p9 pb"),
    ("strftime('%Y-%m', d, '+1 month') = '2024-02'", "p1 p5 pb"),
    ("strftime('%Y', d, '+1 year',) = '2025'", "p1 p2 p5 pb"),  # a last comma is fine
    ("strftime( '%Y' , // a comment\n d ) = '2024'", "p1 p2 p5 pb"),
    ("strftime('%m', '2024-01-01') = '01'", ALL),
    ("strftime('%Y', 1700000000, 'unixepoch') = '2023'", ALL),
    ("strftime('%Y', null) = ''", ALL),
    ("strftime('%x', d) = ''", ALL),
    ("strftime('%Y', self.d) = '2024'", "p2 p5"),
    ("strftime('%Y', self.d) = one.n", "p3 p4 p7 p9 pa pb"),
    ("strftime('%Y', selfs.d) = '2024'", "p2 p4 p5"),  # every row, but NULL does no harm
    ("strftime('%Y', selfs.d) != '2024'", "p1 p3 p6 p7 p8 p9 pa pb pc"),
    ("strftime('%Y', selfs.d) ?= '2024'", "p2 p4 p5"),
    ("selfs.d = strftime('%Y', self.d)", "p1 p3 p4 p6 p7 p8 p9 pa pb pc"),
    ("'2024' ~ strftime('%Y', d)", "p1 p2 p5 pb"),  # on the right it is the pattern itself
    ("'x2024x' ~ strftime('%Y', d)", NONE),
    ("n !~ strftime('%Y-%m', d, 'start of year')", NONE),  # whose literals are wrapped in %
    (
        "n !~ strftime('%Y-%m', selfs.d, 'start of year')",
        "p2 p4 p5 pa",
    ),  # not of many values
    ("'2024-01' ?~ strftime('%Y-%m', selfs.d)", "p2 p4 p5"),
]


@pytest.mark.parametrize(("text", "ids"), DISTANCE)
def test_distances(text: str, ids: str) -> None:
    assert WORLD.ids(text) == ids


@pytest.mark.parametrize(("text", "ids"), TIMES)
def test_times(text: str, ids: str) -> None:
    assert WORLD.ids(text) == ids
