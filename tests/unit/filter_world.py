"""The collections and records that the filter tables are about, as they were on PocketBase.

The expected ids in tests/unit/test_filter_*.py were measured on PocketBase 0.40.6 with exactly
these records. Names are short because a table row has to fit on a line:

    posts "fp": n text, v number, b bool, d date, e email, u url, ed editor, s1 / ms select
                (one / many), js json, g geoPoint, one / many -> fa, lone -> fl, owner /
                owners -> fu, self / selfs -> fp, hid and hone (-> fa) hidden
    items "fa", "fl" (no listRule), users "fu", and "fb", which refers back to posts: p / ps,
                uq under a unique index, hp hidden, a -> fa
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from chalicelib.domain import filters
from chalicelib.domain.collection import Collection, Field, Index, IndexColumn, Schema
from chalicelib.domain.request import Record, RequestInfo

NOW = datetime(2026, 11, 23, 4, 5, 6, 789_000, tzinfo=UTC)
ALL = "p1 p2 p3 p4 p5 p6 p7 p8 p9 pa pb pc"
NONE = ""

_MANY = 9
_FIELDS: dict[str, str] = {
    "fa": "n:text v:number b:bool hid:text!",
    "fl": "n:text v:number",
    "fu": "name:text v:number tag:select* one:relation>fa many:relation*>fa js:json hid:text!"
    " password:password! tokenKey:text! email:email emailVisibility:bool verified:bool",
    "fp": "n:text v:number b:bool d:date e:email u:url ed:editor s1:select ms:select* js:json"
    " g:geoPoint one:relation>fa many:relation*>fa lone:relation>fl owner:relation>fu"
    " owners:relation*>fu hid:text! hone:relation!>fa pw:password f1:file fm:file*"
    " self:relation>fp selfs:relation*>fp",
    "fb": "n:text v:number p:relation>fp ps:relation*>fp uq:relation>fp a:relation>fa"
    " hp:relation!>fp",
}
"""Per field `name:type`, then * for many values, ! for hidden, > the collection it points to."""

_RECORDS: dict[str, list[dict[str, Any]]] = {
    "fa": [
        {"id": "a1", "n": "Alpha", "v": 1, "b": True, "hid": "h1"},
        {"id": "a2", "n": "beta", "v": 2},
        {"id": "a3", "hid": "h3"},
        {"id": "a4", "n": "Ünï 100%_x", "v": -1.5, "b": True},
        {"id": "a5", "n": "5", "v": 5},
    ],
    "fl": [{"id": "l1", "n": "x", "v": 1}, {"id": "l2", "n": "y", "v": 2}],
    "fu": [
        {"id": "u1", "email": "u1@x.io", "emailVisibility": True, "hid": "q", "js": {"k": 1},
         "many": ["a1", "a2"], "name": "Ann", "one": "a1", "tag": ["x", "y"], "v": 1,
         "verified": True},
        {"id": "u2", "email": "u2@x.io", "many": ["a3"], "name": "bob", "one": "a2",
         "tag": ["z"], "v": 2},
        {"id": "u3", "email": "U3@y.io", "emailVisibility": True},
    ],
    "fp": [
        {"id": "p1", "n": "p1", "v": 1, "b": True, "d": "2024-01-02 03:04:05.678Z",
         "e": "a@b.co", "u": "https://x.io/a", "ed": "<p>Hi</p>", "s1": "x", "ms": ["x", "y"],
         "js": {"a": [1, "2", {"z": None}], "b": True, "e": "", "f": 1.5, "k": 1, "n": None,
                "s": "t"},
         "g": {"lon": 23.3, "lat": 42.7}, "one": "a1", "many": ["a1", "a2"], "lone": "l1",
         "owner": "u1", "owners": ["u1", "u2"], "hid": "H1", "hone": "a1"},
        {"id": "p2", "n": "Alpha", "v": 2, "d": "2024-02-29 00:00:00.000Z", "s1": "y",
         "ms": ["x"], "js": [1, 2, 3], "g": {"lon": -0.12, "lat": 51.5}, "one": "a2",
         "many": ["a1"], "lone": "l2", "owner": "u2", "owners": ["u2"], "hid": "H2",
         "hone": "a2", "self": "p1", "selfs": ["p1"]},
        {"id": "p3"},
        {"id": "p4", "n": "beta_100%", "v": -1, "b": True, "d": "2099-12-31 23:59:59.999Z",
         "s1": "z", "ms": ["z", "<&>"], "js": "text", "one": "a3", "many": ["a3"],
         "owner": "u3", "self": "p3", "selfs": ["p1", "p2", "p3"]},
        {"id": "p5", "n": "Ünï", "v": 1.5, "d": "2024-01-02 23:00:00.000Z", "js": 5,
         "g": {"lon": 180, "lat": 90}, "one": "a4", "many": ["a4", "a2", "a3"], "owner": "u1",
         "owners": ["u1"], "self": "p5", "selfs": ["p5", "p1"]},
        {"id": "p6", "n": "1", "v": 100, "b": True, "s1": "x", "ms": ["y", "z"], "js": True,
         "one": "a5", "many": ["a5", "a1"], "owner": "u2", "owners": ["u3", "u1"]},
        {"id": "p7", "n": "it's \"q\"", "v": 1e21, "e": "Z@z.io", "ed": "back\\slash 50% _",
         "js": ""},
        {"id": "p8", "n": "1.0", "v": 0.1, "ms": ["x", "y", "z"],
         "js": {"a": [], "k": "1", "s": None}, "one": "a1", "many": ["a2", "a5"]},
        {"id": "p9", "n": "beta", "v": 1234567.891, "d": "2023-12-31 12:00:00.000Z", "js": [],
         "self": "p8"},
        {"id": "pa", "n": "BETA", "v": -100, "js": {"0": "zero", "k": None, "lon": 3},
         "owner": "u1", "selfs": ["p8", "p9"]},
        {"id": "pb", "n": "2024-01-02", "v": 3, "d": "2024-01-02 00:00:00.000Z", "js": "12abc",
         "many": ["a1", "a2", "a3", "a4", "a5"]},
        {"id": "pc", "n": "  1 ", "v": 5, "b": True, "ms": ["<&>"], "js": -1.25, "one": "a5"},
    ],
    "fb": [
        {"id": "b1", "n": "x", "v": 1, "p": "p1", "ps": ["p1", "p2"], "uq": "p1", "a": "a1",
         "hp": "p1"},
        {"id": "b2", "n": "y", "v": 2, "p": "p1", "ps": ["p2"], "uq": "p2", "a": "a2"},
        {"id": "b3", "v": 3, "p": "p2", "uq": "p5"},
        {"id": "b4", "n": "x", "v": 4, "p": "p4", "ps": ["p4", "p5", "p1"], "uq": "p6",
         "a": "a1"},
        {"id": "b5", "n": "z", "ps": ["p6"]},
        {"id": "b6", "n": "p1", "v": 5, "p": "p6", "ps": ["p6"]},
    ],
}  # fmt: skip

_ZERO: dict[str, Any] = {"number": 0, "bool": False, "json": None, "geoPoint": {"lon": 0, "lat": 0}}


def _field(spec: str) -> dict[str, Any]:
    spec, _, target = spec.partition(">")
    name, _, kind = spec.partition(":")
    return {
        "name": name, "type": kind.strip("*!"), "id": name, "hidden": "!" in kind,
        "maxSelect": _MANY if "*" in kind else 1, "collectionId": target,
    }  # fmt: skip


class World:
    """The collections under some list rules; it is its filters' `Related` as well."""

    def __init__(self, **list_rules: str | None) -> None:
        rules: dict[str, str | None] = {"fl": None, **list_rules}
        self.collections = {name: _collection(name, rules.get(name, "")) for name in _FIELDS}
        self.schema = Schema(
            1,
            {
                (name, name): lambda found=found: found  # type: ignore[misc]
                for name, found in self.collections.items()
            },
        )
        self.records = {
            name: {record["id"]: self._whole(name, record) for record in records}
            for name, records in _RECORDS.items()
        }
        self.prefetched: list[tuple[str, list[str]]] = []

    def _whole(self, name: str, record: dict[str, Any]) -> Record:
        zeros = {
            field.name: [] if field.is_multiple else _ZERO.get(field.type, "")
            for field in self.collections[name].fields
        }
        return zeros | record

    def get(self, collection: Collection, ids: Sequence[str]) -> list[Record]:
        found = self.records[collection.name]
        return [found[record_id] for record_id in ids if record_id in found]

    def referring(self, collection: Collection, field: Field, record_id: str) -> list[Record]:
        def refers(record: Record) -> bool:
            value = record[field.name]
            return record_id in value if isinstance(value, list) else value == record_id

        return [record for record in self.all(collection) if refers(record)]

    def all(self, collection: Collection) -> list[Record]:
        return list(self.records[collection.name].values())

    def prefetch(self, collection: Collection, ids: Iterable[str]) -> None:
        self.prefetched.append((collection.name, list(ids)))

    def request(self, user: str = "", **parts: Any) -> RequestInfo:
        """Return the request of a user, or of a guest."""
        if not user:
            return RequestInfo(**parts)
        return RequestInfo(
            auth=self.records["fu"][user], auth_collection=self.collections["fu"], **parts
        )

    def scope(self, user: str = "", **parts: Any) -> filters.Scope:
        return filters.Scope(self.request(user, **parts), self, NOW)

    def ids(
        self, text: str, user: str = "", *, client: bool = False, sort: str = "", **parts: Any
    ) -> str:
        """Return the ids of the posts that match, in order of id."""
        posts, scope = self.collections["fp"], self.scope(user, **parts)
        rule = posts.rules["listRule"]
        texts = [(rule, False)] if rule else []
        texts += [(text, client)] if text else []
        predicate = filters.compile_filter(texts, posts, self.schema, sort)
        return " ".join(r["id"] for r in self.all(posts) if predicate.matches(r, scope))


def _collection(name: str, list_rule: str | None) -> Collection:
    entries = [_field("id:text"), *(_field(spec) for spec in _FIELDS[name].split())]
    unique = Index("uq", True, (IndexColumn("uq", "", False),), "", "", None, True)
    return Collection(
        {
            "id": name, "name": name, "type": "auth" if name == "fu" else "base",
            "storage": name, "fields": entries, "listRule": list_rule,
        },
        (unique,) if name == "fb" else (),
    )  # fmt: skip
