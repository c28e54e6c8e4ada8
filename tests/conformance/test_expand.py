"""`expand`: relations, back relations, rules and hidden fields of what is expanded."""

import pytest

from tests.conformance.pair import Pair
from tests.conformance.requests import create, listing, update, view
from tests.conformance.scenario import Scenario, Step
from tests.conformance.world import Person, World, auth, base, relation, text

A, B, C = "exauthor000000a", "exauthor000000b", "exauthor000000c"
P1, P2, P3 = "expost000000001", "expost000000002", "expost000000003"
CARD = "CREATE UNIQUE INDEX ex_cards_owner ON ex_cards (owner)"

WORLD = World(
    collections=(
        auth("ex_users", text("name")), base("ex_groups", text("n"), relation("user", "ex_users")),
        base(
            "ex_authors", text("n"), text("hid", hidden=True), relation("group", "ex_groups"),
            viewRule="n != 'forbidden' || @request.context = 'none'",
        ),
        base("ex_context", text("n"), viewRule="@request.context = 'expand'"),
        base("ex_sealed", text("n"), rule=None),
        base(
            "ex_posts", text("n"), relation("one", "ex_authors"), relation("many", "ex_authors", 5),
            relation("user", "ex_users"), relation("sealed", "ex_sealed"),
            relation("ctx", "ex_context"), relation("secret", "ex_authors", hidden=True),
        ),
        base("ex_notes", text("n"), relation("post", "ex_posts"), relation("posts", "ex_posts", 5)),
        base("ex_cards", text("n"), relation("owner", "ex_authors"), indexes=[CARD]),
    ),
    people={
        "user": Person("ex_users", "exuser000000001", "exuser@example.com", {"name": "U"}),
        "seen": Person(
            "ex_users", "exuser000000002", "exseen@example.com",
            {"name": "S", "emailVisibility": True},
        ),
    },
    records=(
        ("ex_groups", {"id": "exgroup00000001", "n": "red", "user": "exuser000000001"}),
        ("ex_authors", {"id": A, "n": "Alpha", "hid": "h", "group": "exgroup00000001"}),
        ("ex_authors", {"id": B, "n": "beta"}), ("ex_authors", {"id": C, "n": "forbidden"}),
        ("ex_context", {"id": "excontext000001", "n": "c"}),
        ("ex_sealed", {"id": "exsealed0000001", "n": "s"}),
        (
            "ex_posts",
            {
                "id": P1, "n": "p1", "one": A, "many": [B, A], "user": "exuser000000001",
                "sealed": "exsealed0000001", "ctx": "excontext000001", "secret": B,
            },
        ),
        ("ex_posts", {"id": P2, "n": "p2", "one": C, "many": [C, A], "user": "exuser000000002"}),
        ("ex_posts", {"id": P3, "n": "p3", "many": [C]}),
        ("ex_notes", {"id": "exnote000000001", "n": "n1", "post": P1, "posts": [P1, P2]}),
        ("ex_notes", {"id": "exnote000000002", "n": "n2", "post": P1}),
        ("ex_notes", {"id": "exnote000000009", "n": "made before 5", "post": P3}),
        ("ex_notes", {"id": "exnote000000005", "n": "made after 9", "post": P3}),
        ("ex_cards", {"id": "excard000000001", "n": "card", "owner": A}),
    ),
)  # fmt: skip

EXPANDS = (
    "one", "many", "one,many", "one, many", " one ", "one,one", "zzz", "one,zzz", "n", "one.zzz",
    "", ",", "one.", ".one", "one..group", "one.group", "many.group", "one.group.user",
    "one,one.group", "one.group,one", "user", "sealed", "ctx", "secret", "ex_notes_via_post",
    "ex_notes_via_posts", "ex_notes_via_post.posts", "ex_notes_via_post.posts.one",
    "ex_notes_via_zzz", "zzz_via_post", "one.ex_cards_via_owner", "many.ex_cards_via_owner",
    "ex_cards_via_owner", "one.ex_posts_via_one", "one.ex_posts_via_one.many",
    "one.ex_posts_via_secret", "user.ex_groups_via_user",
    "one,many.group,user,ex_notes_via_post.post", "ONE",
    "one.ex_posts_via_one.one.ex_posts_via_one.one.ex_posts_via_one",
    "one.ex_posts_via_one.one.ex_posts_via_one.one.ex_posts_via_one.one",
    "one.ex_posts_via_one.one.ex_posts_via_one.one.ex_posts_via_one.one.group", "one.zzz,one.group",
    "one,one.zzz", "one.group.zzz", "one.zzz,many", "one.ex_posts_via_one.sealed",
    "many.group.user.zzz", "@request.auth", "collectionId", "one:lower", "one;many", "*",
)  # fmt: skip


def _rows() -> list[Scenario]:
    rows = [
        Scenario(
            f"{who} expands {expand!r}", listing("ex_posts", who, expand=expand, sort="n"), 200,
        )
        for expand in EXPANDS
        for who in ("guest", "super")
    ]  # fmt: skip
    rows += [
        Scenario(f"view with {expand!r}", view("ex_posts", P1, "user", expand=expand), 200)
        for expand in (
            "one.zzz", "one", "many.group.user", "user", "ex_notes_via_post", "secret", "sealed",
            "ctx",
        )
    ]  # fmt: skip
    return rows


OTHERS = [
    Scenario(
        "seven levels",
        view("ex_posts", P1, expand=".".join(["one", "ex_posts_via_one"] * 3 + ["one"])), 200,
    ),
    Scenario(
        "create with expand",
        create("ex_posts", {"n": "new", "one": A, "many": [B]}, expand="one,many"), 200,
    ),
    Scenario(
        "update with expand", update("ex_posts", "{before.0.id}", {"one": B}, expand="one"), 200,
        before=(create("ex_posts", {"n": "new", "one": A}),),
    ),
    Scenario(
        "expand with fields that leave it out",
        listing("ex_posts", expand="one", fields="id,n", sort="n"), 200,
    ),
    Scenario(
        "expand with fields of it",
        listing("ex_posts", expand="one.group", fields="id,expand.one.expand.group.n", sort="n"),
        200,
    ),
    Scenario(
        "expand at login",
        Step(
            "POST", "/api/collections/ex_users/auth-with-password",
            query={"expand": "ex_groups_via_user"},
            json={"identity": "exuser@example.com", "password": "password-123"},
        ),
        200,
    ),
    Scenario(
        "expand at refresh",
        Step(
            "POST", "/api/collections/ex_users/auth-refresh", "user",
            {"expand": "ex_groups_via_user"},
        ),
        200,
    ),
    Scenario(
        "the context of a plain view is not expand", view("ex_context", "excontext000001"), 404,
    ),
    Scenario(
        "the owner sees the e-mail in an expand", view("ex_posts", P1, "user", expand="user"), 200,
    ),
    Scenario(
        "another sees no e-mail in an expand", view("ex_posts", P1, "seen", expand="user"), 200,
    ),
    Scenario("a visible e-mail in an expand", view("ex_posts", P2, expand="user"), 200),
    Scenario(
        "a thousand names", view("ex_posts", P1, expand=",".join(f"x{i}" for i in range(1000))),
        200,
    ),
]  # fmt: skip


@pytest.mark.parametrize("scenario", _rows() + OTHERS, ids=lambda scenario: scenario.name)
def test_expands_are_the_same(scenario: Scenario, pair: Pair) -> None:
    pair.check(scenario)
