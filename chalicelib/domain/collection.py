"""What a collection is, as the record road reads it: fields, rules, indexes, auth options.

A collection is stored as its definition: PocketBase's JSON with its secrets, plus what only
Dormouse knows:

    storage        a short random text: the partition of its records. It changes when a
                   collection is deleted and made again, so old records cannot come back.
    fields[].key   where a field's value sits in a stored document. It stays when the field is
                   renamed, and is never used again when the field is deleted, so neither
                   rewrites a record.
    droppedKeys    the keys of deleted fields.
    indexStates    index name -> {"slot": 1-8 or null, "state": "ready" | "building"} and the
                   parsed parts of its SQL, so that no request for a record parses SQL.
    formerUniques  names of unique indexes that are gone: their guards go with the storage.

`domain.definition` makes and checks definitions; this module only reads them.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

Definition = dict[str, Any]

RULES = ("listRule", "viewRule", "createRule", "updateRule", "deleteRule")
SUPERUSERS = "_superusers"
SUPERUSERS_ID = "pbc_3142635823"
FUNCTIONS = "_functions"
"""The accounts of functions; the collection is there once there is a function."""


class Field(NamedTuple):
    """One field. `options` holds what its type adds (`domain.fields.<type>` reads it)."""

    name: str
    type: str
    id: str
    key: str
    required: bool
    hidden: bool
    system: bool
    options: dict[str, Any]

    @property
    def is_multiple(self) -> bool:
        """Whether the value is a list: a select, relation or file with maxSelect over 1."""
        return self.type in ("select", "relation", "file") and (
            (self.options.get("maxSelect") or 0) > 1
        )


class IndexColumn(NamedTuple):
    name: str
    collate: str
    """Upper case: NOCASE, BINARY, RTRIM or empty."""
    descending: bool


class Index(NamedTuple):
    """One declared index. `slot` is the number of its GSI, None for a unique one."""

    name: str
    unique: bool
    columns: tuple[IndexColumn, ...]
    where: str
    """The text after WHERE, or empty."""
    sql: str
    slot: int | None
    is_ready: bool


class Collection:
    """A collection read from its definition. Treat it as frozen: instances are shared."""

    __slots__ = (
        "auth",
        "created",
        "definition",
        "field",
        "fields",
        "id",
        "indexes",
        "name",
        "rules",
        "storage",
        "system",
        "type",
        "updated",
    )

    def __init__(self, definition: Definition, indexes: tuple[Index, ...] = ()) -> None:
        self.definition = definition
        self.id: str = definition["id"]
        self.name: str = definition["name"]
        self.type: str = definition["type"]
        self.system: bool = definition.get("system", False)
        self.storage: str = definition["storage"]
        self.created: str = definition.get("created", "")
        self.updated: str = definition.get("updated", "")
        self.fields = tuple(read_field(entry) for entry in definition["fields"])
        self.field = {field.name: field for field in self.fields}
        self.indexes = indexes
        self.rules: dict[str, str | None] = {name: definition.get(name) for name in RULES}
        self.auth: dict[str, Any] = definition if self.type == "auth" else {}
        """The auth options with their secrets (authRule, authToken, ...); {} if not auth."""

    @property
    def is_auth(self) -> bool:
        return self.type == "auth"

    @property
    def is_superusers(self) -> bool:
        return self.id == SUPERUSERS_ID

    @property
    def is_functions(self) -> bool:
        return self.system and self.name == FUNCTIONS

    def unique_index_on(self, name: str) -> Index | None:
        """Return the single-column unique index on a field, if there is one."""
        for index in self.indexes:
            if index.unique and len(index.columns) == 1 and index.columns[0].name == name:
                return index
        return None


_COMMON = frozenset(("name", "type", "id", "key", "required", "hidden", "system"))


def read_field(entry: dict[str, Any]) -> Field:
    """Return a field from its JSON in a definition."""
    return Field(
        name=entry["name"],
        type=entry["type"],
        id=entry["id"],
        key=entry.get("key", entry["name"]),
        required=entry.get("required", False),
        hidden=entry.get("hidden", False),
        system=entry.get("system", False),
        options={name: value for name, value in entry.items() if name not in _COMMON},
    )


Loader = Callable[[], Collection]


class Schema:
    """Every collection at one version. A collection is read when it is first asked for."""

    __slots__ = ("_by_id", "_by_name", "_load", "version")

    def __init__(self, version: int, loaders: dict[tuple[str, str], Loader]) -> None:
        """`loaders` maps (id, name) to what gives the `Collection`."""
        self.version = version
        self._load: dict[str, Loader | Collection] = {}
        self._by_name: dict[str, str] = {}
        for (collection_id, name), loader in loaders.items():
            self._load[collection_id] = loader
            self._by_name[name.lower()] = collection_id

    def by_id(self, collection_id: str) -> Collection | None:
        """Return the collection with exactly this id."""
        found = self._load.get(collection_id)
        if found is None or isinstance(found, Collection):
            return found
        collection = self._load[collection_id] = found()
        return collection

    def find(self, name_or_id: str) -> Collection | None:
        """Return a collection by id (exact) or by name (any case), as PocketBase's paths do."""
        return self.by_id(name_or_id) or self.by_id(self._by_name.get(name_or_id.lower(), ""))

    def target(self, field: Field) -> Collection | None:
        """Return the collection that a relation field points to; None for other fields."""
        if field.type != "relation":
            return None
        return self.by_id(field.options.get("collectionId", ""))

    def relations_to(self, collection: Collection) -> list[tuple[Collection, Field]]:
        """Return every relation field that points to a collection, collections by name."""
        return [
            (other, field)
            for other in self.all()
            for field in other.fields
            if field.type == "relation" and field.options.get("collectionId") == collection.id
        ]

    def all(self) -> list[Collection]:
        """Return every collection, in order of name."""
        found = (self.by_id(collection_id) for _, collection_id in sorted(self._by_name.items()))
        return [collection for collection in found if collection is not None]
