"""The collections, records and people that a module's scenarios share, made on each server.

Made through the API itself, so that a module whose set-up fails says which call was answered
differently. Ids are chosen by the test wherever the API lets it, so both servers hold the same.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.conformance.client import Answer, Client
from tests.conformance.scenario import Step, fill, request_of

PASSWORD = "password-123"
CHEAP_PASSWORD = {
    "name": "password", "type": "password", "system": True, "hidden": True, "required": True,
    "min": 8, "cost": 4,
}  # fmt: skip
RULES = ("listRule", "viewRule", "createRule", "updateRule", "deleteRule")


@dataclass(frozen=True)
class Person:
    """An auth record that scenarios act as."""

    collection: str
    id: str
    email: str
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class World:
    """`records` are (collection, body) pairs, made in order after the people."""

    collections: tuple[Mapping[str, Any], ...] = ()
    people: Mapping[str, Person] = field(default_factory=dict)
    records: tuple[tuple[str, Mapping[str, Any]], ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)


class Side:
    """One server in a module's run: its connection and what its placeholders mean."""

    def __init__(self, name: str, client: Client, super_token: str) -> None:
        self.name = name
        self.client = client
        self.names: dict[str, Any] = {"token": {"super": super_token}, "collection": {}}
        self.known: set[str] = set()

    def send(self, step: Step) -> Answer:
        return self.client.request(*request_of(step, self.names))

    def build(self, world: World) -> None:
        """Make everything of `world`. Raises `AssertionError` with the refused call."""
        if world.settings:
            self._must(Step("PATCH", "/api/settings", who="super", json=world.settings))
        for body in world.collections:
            made = self._must(Step("POST", "/api/collections", who="super", json=body))
            self.names["collection"][body["name"]] = made["id"]
        for who, person in world.people.items():
            self._enrol(who, person)
        for collection, body in world.records:
            self.add(collection, body)

    def add(self, collection: str, body: Mapping[str, Any]) -> Any:
        """Create one record as superuser and return it."""
        path = f"/api/collections/{collection}/records"
        made = self._must(Step("POST", path, who="super", json=body))
        self.known.add(made["id"])
        return made

    def _enrol(self, who: str, person: Person) -> None:
        secret = {"password": PASSWORD, "passwordConfirm": PASSWORD}
        body = {"id": person.id, "email": person.email, **secret, **person.extra}
        self.names[who] = self.add(person.collection, body)
        path = f"/api/collections/{person.collection}/auth-with-password"
        login = {"identity": person.email, "password": PASSWORD}
        self.names["token"][who] = self._must(Step("POST", path, json=login))["token"]

    def _must(self, step: Step) -> Any:
        answer = self.send(step)
        told = fill(step.json, self.names)
        assert answer.status == 200, (self.name, step.path, told, answer.status, answer.json)
        return answer.json


def base(
    name: str, *fields: Mapping[str, Any], rule: str | None = "", **more: Any
) -> dict[str, Any]:
    """Return a base collection whose five rules are `rule` unless `more` says otherwise."""
    return {
        "name": name, "type": "base", "fields": list(fields), **dict.fromkeys(RULES, rule), **more,
    }  # fmt: skip


def auth(
    name: str, *fields: Mapping[str, Any], rule: str | None = "", **more: Any
) -> dict[str, Any]:
    """Return an auth collection, as `base` does, with passwords that cost little to hash.

    A test run makes hundreds of them, and bcrypt's usual cost is 60 ms each.
    """
    given = {field["name"] for field in fields}
    password = [] if "password" in given else [CHEAP_PASSWORD]
    return {**base(name, *password, *fields, rule=rule), "type": "auth", **more}


def text(name: str, **options: Any) -> dict[str, Any]:
    return {"name": name, "type": "text", **options}


def number(name: str, **options: Any) -> dict[str, Any]:
    return {"name": name, "type": "number", **options}


def boolean(name: str, **options: Any) -> dict[str, Any]:
    return {"name": name, "type": "bool", **options}


def date(name: str, **options: Any) -> dict[str, Any]:
    return {"name": name, "type": "date", **options}


def json_field(name: str, **options: Any) -> dict[str, Any]:
    return {"name": name, "type": "json", **options}


def select(name: str, values: str, max_select: int = 1, **options: Any) -> dict[str, Any]:
    """Return a select whose values are the words of `values`."""
    return {
        "name": name, "type": "select", "values": values.split(), "maxSelect": max_select,
        **options,
    }  # fmt: skip


def relation(name: str, to: str, max_select: int = 1, **options: Any) -> dict[str, Any]:
    """Return a relation to an earlier collection of the same world, by its name."""
    target = f"{{collection.{to}}}"
    return {
        "name": name,
        "type": "relation",
        "collectionId": target,
        "maxSelect": max_select,
        **options,
    }


def field_of(kind: str, name: str, **options: Any) -> dict[str, Any]:
    """Return a field of any other type."""
    return {"name": name, "type": kind, **options}
