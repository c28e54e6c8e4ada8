"""Every validation code of a collection: name, id, type, fields, options, rules, indexes."""

from typing import Any

import pytest

from tests.conformance.pair import Pair
from tests.conformance.scenario import Scenario, Step
from tests.conformance.world import World, auth, base, number, text

COLLECTIONS = "/api/collections"
WORLD = World(
    collections=(
        base(
            "cv_base", text("n"), indexes=["CREATE INDEX cv_taken ON cv_base (n)"], id="cv_base_id",
        ),
        auth("cv_auth", text("n")),
    ),
)  # fmt: skip


def field(kind: str, name: str = "x", **options: Any) -> dict[str, Any]:
    return {"type": kind, "name": name, **options}


def with_fields(*fields: Any) -> dict[str, Any]:
    return {"name": "cv_new", "fields": list(fields)}


def with_auth(**options: Any) -> dict[str, Any]:
    return {"name": "cv_new", "type": "auth", **options}


def with_indexes(*indexes: Any) -> dict[str, Any]:
    return {
        "name": "cv_new", "fields": [text("a"), text("b"), number("v")], "indexes": list(indexes),
    }  # fmt: skip


def with_rule(rule: Any, name: str = "listRule") -> dict[str, Any]:
    return {
        "name": "cv_new", "fields": [text("n"), field("relation", "r", collectionId="cv_base_id")],
        name: rule,
    }  # fmt: skip


BAD: dict[str, Any] = {
    "no name": {}, "an empty name": {"name": ""}, "a null name": {"name": None},
    "a name with a space": {"name": "a b"}, "a name with a dash": {"name": "a-b"},
    "a name with a dot": {"name": "a.b"}, "a name with _via_": {"name": "a_via_b"},
    "a name of Unicode": {"name": "ünï"}, "a taken name": {"name": "cv_base"},
    "a taken name in capitals": {"name": "CV_BASE"}, "the name of an id": {"name": "cv_base_id"},
    "a name of 256": {"name": "x" * 256}, "an internal name": {"name": "_params"},
    "a name of SQLite": {"name": "sqlite_master"}, "a name as number": {"name": 5},
    "a system name": {"name": "_superusers"}, "an unknown type": {"name": "cv_new", "type": "zzz"},
    "a taken id": {"name": "cv_new", "id": "cv_base_id"},
    "the id of a name": {"name": "cv_new", "id": "cv_auth"},
    "an id with a dash": {"name": "cv_new", "id": "a-b"},
    "a long id": {"name": "cv_new", "id": "x" * 101},
    "fields are no list": {"name": "cv_new", "fields": "x"},
    "a field is no object": with_fields("x"), "a field without a type": with_fields({"name": "x"}),
    "a field of an unknown type": with_fields(field("zzz")),
    "a field without a name": with_fields({"type": "text"}),
    "a field's name is empty": with_fields(text("")),
    "a field's name with a space": with_fields(text("a b")),
    "a field's name with a dash": with_fields(text("a-b")),
    "a field's name starts with a digit": with_fields(text("1a")),
    "a field's name with _via_": with_fields(text("a_via_b")),
    "a field's name is reserved: null": with_fields(text("null")),
    "a field's name is reserved: true": with_fields(text("true")),
    "a field's name is reserved: false": with_fields(text("false")),
    "a field's name is reserved: _rowid_": with_fields(text("_rowid_")),
    "a field's name is reserved: expand": with_fields(text("expand")),
    "a field's name is reserved: collectionId": with_fields(text("collectionId")),
    "a field's name is reserved: collectionName": with_fields(text("collectionName")),
    "a field's name is reserved: NULL": with_fields(text("NULL")),
    "a field's name of 256": with_fields(text("x" * 256)),
    "two fields of one name": with_fields(text("x"), number("x")),
    "two fields of one name in other case": with_fields(text("x"), number("X")),
    "two fields of one id": with_fields(text("x", id="i"), number("y", id="i")),
    "a second id field": with_fields(text("id2", primaryKey=True)),
    "an id of another type": with_fields(number("id")),
    "a help of 301": with_fields(text("x", help="h" * 301)),
    "a field's id of 256": with_fields(text("x", id="i" * 256)),
    # text
    "text: min over max": with_fields(text("x", min=5, max=3)),
    "text: min below zero": with_fields(text("x", min=-1)),
    "text: max below zero": with_fields(text("x", max=-1)),
    "text: a broken pattern": with_fields(text("x", pattern="(")),
    "text: a lookahead": with_fields(text("x", pattern="(?=a)")),
    "text: a broken autogenerate pattern": with_fields(text("x", autogeneratePattern="[")),
    "text: autogenerate against max": with_fields(
        text("x", autogeneratePattern="[a-z]{10}", max=5),
    ),
    "text: autogenerate against the pattern": with_fields(
        text("x", autogeneratePattern="[a-z]{10}", pattern="^[0-9]+$"),
    ),
    "text: min is text": with_fields(text("x", min="a")),
    "text: a fraction as max": with_fields(text("x", max=1.5)),
    # number
    "number: min over max": with_fields(number("x", min=5, max=3)),
    "number: a fraction as min of integers": with_fields(number("x", min=1.5, onlyInt=True)),
    "number: a fraction as max of integers": with_fields(number("x", max=1.5, onlyInt=True)),
    "number: min is text": with_fields(number("x", min="a")),
    # email, url
    "email: both domain lists": with_fields(
        field("email", onlyDomains=["a.com"], exceptDomains=["b.com"]),
    ),
    "email: a broken domain": with_fields(field("email", onlyDomains=["a b"])),
    "email: a broken except domain": with_fields(field("email", exceptDomains=["http://a.com"])),
    "url: both domain lists": with_fields(
        field("url", onlyDomains=["a.com"], exceptDomains=["b.com"]),
    ),
    "url: a broken domain": with_fields(field("url", exceptDomains=["-"])),
    # editor, json, file
    "editor: a size below zero": with_fields(field("editor", maxSize=-1)),
    "json: a size below zero": with_fields(field("json", maxSize=-1)),
    "file: a size below zero": with_fields(field("file", maxSize=-1)),
    "file: a broken thumb": with_fields(field("file", thumbs=["1x"])),
    "file: a thumb of zero": with_fields(field("file", thumbs=["0x0"])),
    "file: maxSelect below zero": with_fields(field("file", maxSelect=-1)),
    "editor: an enormous size": with_fields(field("editor", maxSize=2**60)),
    # date
    "date: min over max": with_fields(field("date", min="2022-01-01", max="2021-01-01")),
    "date: a min that is no date": with_fields(field("date", min="x")),
    "autodate: neither": with_fields(field("autodate")),
    "autodate: false": with_fields(field("autodate", onCreate=False, onUpdate=False)),
    # select
    "select: no values": with_fields(field("select")),
    "select: empty values": with_fields(field("select", values=[])),
    "select: a repeated value": with_fields(field("select", values=["a", "a"])),
    "select: an empty value": with_fields(field("select", values=[""])),
    "select: maxSelect below zero": with_fields(field("select", values=["a"], maxSelect=-1)),
    "select: maxSelect over the values": with_fields(field("select", values=["a"], maxSelect=2)),
    # relation
    "relation: no collection": with_fields(field("relation")),
    "relation: a missing collection": with_fields(field("relation", collectionId="zzz")),
    "relation: a collection's name": with_fields(field("relation", collectionId="cv_base")),
    "relation: minSelect over maxSelect": with_fields(
        field("relation", collectionId="cv_base_id", minSelect=3, maxSelect=2),
    ),
    "relation: minSelect below zero": with_fields(
        field("relation", collectionId="cv_base_id", minSelect=-1),
    ),
    "relation: maxSelect below zero": with_fields(
        field("relation", collectionId="cv_base_id", maxSelect=-1),
    ),
    # password
    "password: min over max": with_fields(field("password", min=10, max=5)),
    "password: max over 71": with_fields(field("password", max=72)),
    "password: a cost of 3": with_fields(field("password", cost=3)),
    "password: a cost of 32": with_fields(field("password", cost=32)),
    "password: a broken pattern": with_fields(field("password", pattern="(")),
    "password: min below zero": with_fields(field("password", min=-1)),
    # several
    "several broken fields": with_fields(
        text(""), field("select"), number("x", min=2, max=1), field("relation", "y"),
    ),
    "a good and a broken one": with_fields(text("ok"), text("not ok")),
    # auth
    "auth: a reserved field: passwordConfirm": with_auth(fields=[text("passwordConfirm")]),
    "auth: a reserved field: oldPassword": with_auth(fields=[text("oldPassword")]),
    "auth: email of another type": with_auth(fields=[text("email")]),
    "auth: tokenKey not hidden": with_auth(
        fields=[text("tokenKey", system=True, required=True, min=30, hidden=False)],
    ),
    "auth: a manageRule of nothing": with_auth(manageRule=""),
    "auth: a broken authRule": with_auth(authRule="zzz = 1"),
    "auth: a broken manageRule": with_auth(manageRule="("),
    "auth: a short token": with_auth(authToken={"duration": 5}),
    "auth: no token duration": with_auth(authToken={"duration": 0}),
    "auth: a long token": with_auth(authToken={"duration": 94670857}),
    "auth: a short secret": with_auth(authToken={"secret": "x", "duration": 100}),
    "auth: a long secret": with_auth(authToken={"secret": "x" * 256, "duration": 100}),
    "auth: a short file token": with_auth(fileToken={"duration": 1}),
    "auth: no identity fields": with_auth(passwordAuth={"enabled": True, "identityFields": []}),
    "auth: an unknown identity field": with_auth(
        passwordAuth={"enabled": True, "identityFields": ["zzz"]},
    ),
    "auth: an identity field that is not unique": with_auth(
        fields=[text("n")], passwordAuth={"enabled": True, "identityFields": ["n"]},
    ),
    "auth: MFA of one method": with_auth(mfa={"enabled": True, "duration": 100}),
    "auth: a short MFA": with_auth(
        mfa={"enabled": True, "duration": 1}, otp={"enabled": True, "duration": 100, "length": 8},
    ),
    "auth: a short OTP": with_auth(otp={"enabled": True, "duration": 100, "length": 3}),
    "auth: a brief OTP": with_auth(otp={"enabled": True, "duration": 5, "length": 8}),
    "auth: a broken MFA rule": with_auth(
        mfa={"enabled": True, "duration": 100, "rule": "zzz = 1"},
        otp={"enabled": True, "duration": 100, "length": 8},
    ),
    "auth: an unknown provider": with_auth(
        oauth2={
            "enabled": True, "providers": [{"name": "zzz", "clientId": "x", "clientSecret": "y"}],
        },
    ),
    "auth: a provider twice": with_auth(
        oauth2={
            "enabled": True,
            "providers": [{"name": "google", "clientId": "x", "clientSecret": "y"}] * 2,
        },
    ),
    "auth: a provider without a client": with_auth(
        oauth2={"enabled": True, "providers": [{"name": "google"}]},
    ),
    "auth: a mail without a body": with_auth(verificationTemplate={"subject": "x", "body": ""}),
    "auth: a mail without its token": with_auth(
        verificationTemplate={"subject": "x", "body": "no token"},
    ),
    "auth: a provider's URL": with_auth(
        oauth2={
            "enabled": True,
            "providers": [{"name": "oidc", "clientId": "x", "clientSecret": "y", "authURL": "bad"}],
        },
    ),
    # indexes
    "index: not SQL": with_indexes("zzz"), "index: empty": with_indexes(""),
    "index: no columns": with_indexes("CREATE INDEX cv_i ON cv_new ()"),
    "index: an unknown column": with_indexes("CREATE INDEX cv_i ON cv_new (zzz)"),
    "index: a taken name": with_indexes("CREATE INDEX cv_taken ON cv_new (a)"),
    "index: a name twice": with_indexes(
        "CREATE INDEX cv_i ON cv_new (a)", "CREATE INDEX cv_i ON cv_new (b)",
    ),
    "index: a definition twice": with_indexes(
        "CREATE INDEX cv_i ON cv_new (a)", "CREATE INDEX cv_j ON cv_new (a)",
    ),
    "index: no name": with_indexes("CREATE INDEX ON cv_new (a)"),
    "index: a statement": with_indexes("DROP TABLE cv_base"), "index: a number": with_indexes(5),
    "index: a broken WHERE": with_indexes("CREATE INDEX cv_i ON cv_new (a) WHERE"),
    "index: an unknown column in WHERE": with_indexes(
        "CREATE INDEX cv_i ON cv_new (a) WHERE zzz = 1",
    ),
    # rules
    "rule: an unknown field": with_rule("zzz = 1"), "rule: broken": with_rule("n ="),
    "rule: blank": with_rule(" "),
    "rule: an unknown collection": with_rule("@collection.zzz.id = ''"),
    "rule: an unknown modifier": with_rule("n:zzz = 1"),
    "rule: an unknown request part": with_rule("@request.zzz = ''"),
    "rule: an unknown field of a relation": with_rule("r.zzz = 1"),
    "rule: a lone operand": with_rule("n"), "rule: a number": with_rule(5),
    "rule: 201 expressions": with_rule(" && ".join(["n = 'x'"] * 201)),
    "rule: an unknown macro": with_rule("@nope = 1"),
    "rule: a back relation from the collection that is being made": with_rule(
        "cv_new_via_r.n = 'x'",
    ),
    "rule: view": with_rule("zzz = 1", "viewRule"),
    "rule: create": with_rule("zzz = 1", "createRule"),
    "rule: update": with_rule("zzz = 1", "updateRule"),
    "rule: delete": with_rule("zzz = 1", "deleteRule"),
    "rule: length of a plain body field": with_rule("@request.body.n:length = 1", "createRule"),
    "rule: each of a plain body field": with_rule("@request.body.n:each = 1", "createRule"),
    "rule: changed outside of the body": with_rule("@request.query.n:changed = true", "createRule"),
    "several parts at once": {
        "name": "a b", "type": "zzz", "fields": [text("")], "listRule": "zzz = 1",
        "indexes": ["zzz"],
    },
    "a rule of a collection with broken fields": {
        "name": "cv_new", "fields": [text("a b")], "listRule": "n = 1",
    },
}  # fmt: skip
# What looks wrong and is taken as it is.
TOLERATED = frozenset(
    (
        "the id of a name", "a field's name starts with a digit",
        "a field's name is reserved: NULL", "two fields of one name", "two fields of one id",
        "date: min over max", "date: a min that is no date", "select: a repeated value",
        "select: an empty value", "auth: email of another type", "auth: tokenKey not hidden",
        "auth: a mail without its token",
    ),
)  # fmt: skip
GOOD_RULES = (
    "n = 'x'", "@request.auth.zzz = 1", "@request.body.zzz = 1", "@request.body.n:isset = true",
    "@request.body.n:changed = true", "@request.auth.id != ''", "@request.auth.zzz.yyy.xxx = 1",
    "@request.body.r.n = 'x'", "@request.headers.any_thing = 'x'", "@request.query.any.thing = 'x'",
    "r.n = 'x'", "r.id = ''", "@collection.cv_base.n ?= n", "@collection.cv_base:a.n ?= n",
    "@collection.CV_BASE.n ?= n", "id = @request.auth.id", "@request.context = 'default'",
    "@request.method = 'GET'", "@request.auth.verified = true", "@now > '2020'", "n:lower = 'x'",
    "@request.auth.cv_base_via_x.n = 1", "strftime('%Y', n) = '2020'", "r:length = 1",
    "@request.body.r:length > 1", "@request.body.r:each ?= 'x'", "n = 'x' // a comment",
    "((n = 'x'))", "@request.auth.collectionName = 'users'", "@request.auth.roles:each ?= 'x'",
    "@request.auth.id:isset = true", "n = null && n = NULL && true = true",
)  # fmt: skip


def _rows() -> list[Scenario]:
    rows = []
    for number_, (name, body) in enumerate(BAD.items()):
        if body.get("name") == "cv_new":  # a name of its own: a wrong 200 must not spoil the next
            body = {**body, "name": f"cv_new{number_}"}
        rows.append(
            Scenario(
                name, Step("POST", COLLECTIONS, "super", json=body),
                200 if name in TOLERATED else 400,
            ),
        )  # fmt: skip
    for number_, rule in enumerate(GOOD_RULES):
        body = {
            **with_rule(rule), "name": f"cv_rule{number_}",
            "fields": [text("n"), field("relation", "r", collectionId="cv_base_id", maxSelect=3)],
        }  # fmt: skip
        rows.append(Scenario(f"rule {rule}", Step("POST", COLLECTIONS, "super", json=body), 200))
    return rows


@pytest.mark.parametrize("scenario", _rows(), ids=lambda scenario: scenario.name)
def test_collections_are_refused_the_same(scenario: Scenario, pair: Pair) -> None:
    pair.check(scenario)
