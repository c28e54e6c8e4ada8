"""Which key range serves a list."""

from chalicelib.domain import index_values, query_plan
from chalicelib.domain.collection import Collection, Index, IndexColumn
from chalicelib.domain.query_plan import Condition, Plan, SortColumn

FIELDS = (("id", "text"), ("category", "text"), ("created", "date"), ("views", "number"),
          ("slug", "text"), ("author", "relation"))  # fmt: skip


def index(
    name: str, *columns: str, slot: int | None = 1, where: str = "", ready: bool = True
) -> Index:
    parts = tuple(IndexColumn(column, "", descending=False) for column in columns)
    return Index(name, slot is None, parts, where, "", slot, ready)


def posts(*found: Index) -> Collection:
    entries = [{"id": name, "name": name, "type": type_} for name, type_ in FIELDS]
    definition = {"id": "c", "name": "posts", "type": "base", "storage": "s", "fields": entries}
    return Collection(definition, found)


BY_CATEGORY = index("by_category", "category", "created")
BY_VIEWS = index("by_views", "views", slot=2)
BY_SLUG = index("by_slug", "slug", slot=None)
NEWS = Condition("category", "=", "news")
NEWEST = [SortColumn("created", descending=True)]


def plan(
    collection: Collection, *conditions: Condition, sort: list[SortColumn] | None = None
) -> Plan:
    return query_plan.plan(collection, conditions, [] if sort is None else sort)


def test_an_id_is_looked_up() -> None:
    found = plan(posts(BY_CATEGORY), NEWS, Condition("id", "=", "r1"))
    assert found.ids == ("r1",)


def test_a_unique_value_is_looked_up_through_its_guard() -> None:
    found = plan(posts(BY_CATEGORY, BY_SLUG), NEWS, Condition("slug", "=", "a"))
    assert found.unique == (BY_SLUG, "a\0")


def test_a_unique_index_that_is_being_filled_is_not_trusted() -> None:
    found = plan(
        posts(index("by_slug", "slug", slot=None, ready=False)), Condition("slug", "=", "a")
    )
    assert found.unique is None


def test_an_equality_and_the_sort_are_served_by_one_index() -> None:
    found = plan(posts(BY_VIEWS, BY_CATEGORY), NEWS, sort=NEWEST)
    assert found.range is not None
    assert (found.range.slot, found.range.low, found.range.forward) == (1, "news\0", False)
    assert found.is_sorted
    assert found.used == {NEWS}


def test_a_range_bounds_the_next_column() -> None:
    since = Condition("created", ">=", "2024")
    found = plan(posts(BY_CATEGORY), NEWS, since)
    assert found.range is not None
    assert found.range.low == "news\x002024"
    assert found.range.high.startswith("news\0\U0010ffff")
    assert found.used == {NEWS, since}


def test_a_strict_bound_leaves_out_the_equal_entries() -> None:
    above, below = Condition("views", ">", 3), Condition("views", "<", 9)
    found = plan(posts(BY_VIEWS), above, below)
    three, nine = (
        index_values.slot_value(BY_VIEWS, posts(BY_VIEWS), {"id": "zzz", "views": views})
        for views in (3, 9)
    )
    assert found.range is not None
    assert three is not None
    assert nine is not None
    assert three < found.range.low < found.range.high < nine
    assert found.used == {above, below}


def test_an_index_that_only_sorts_is_used_for_the_sort() -> None:
    found = plan(posts(BY_VIEWS), sort=[SortColumn("views", descending=False)])
    assert found.range is not None
    assert found.range.slot == 2
    assert found.is_sorted


def test_a_mixed_direction_is_sorted_in_memory() -> None:
    mixed = [SortColumn("category", descending=False), SortColumn("created", descending=True)]
    assert not plan(posts(BY_CATEGORY), sort=mixed).is_sorted


def test_the_id_may_follow_the_last_column_of_a_sort() -> None:
    found = plan(posts(BY_VIEWS), sort=[SortColumn("views", True), SortColumn("id", True)])
    assert found.is_sorted
    assert found.range is not None
    assert not found.range.forward


def test_a_sort_by_id_reads_the_partition_in_order() -> None:
    found = plan(posts(), sort=[SortColumn("id", descending=True)])
    assert found.is_sorted
    assert found.range == query_plan.WHOLE._replace(forward=False)


def test_a_relation_without_an_index_is_found_by_its_references() -> None:
    found = plan(posts(), Condition("author", "=", "u1"))
    assert found.reference is not None
    assert found.reference[1] == "u1"


def test_nothing_to_go_by_reads_the_whole_partition() -> None:
    found = plan(posts(BY_CATEGORY), Condition("slug", "=", "a"), sort=NEWEST)
    assert found.range == query_plan.WHOLE
    assert not found.is_sorted


def test_a_partial_index_serves_only_what_its_where_implies() -> None:
    partial = index("by_slug", "slug", where="slug != ''")
    used = plan(posts(partial), Condition("slug", "=", "a")).range
    unused = plan(posts(partial), Condition("slug", "=", "")).range
    assert used is not None
    assert used.slot == 1
    assert unused == query_plan.WHOLE
