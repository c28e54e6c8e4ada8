"""Move a PocketBase's data in: collections, records with their password hashes, files.

    python -m tools.import_pocketbase pb_data --stage dev     a deployed stage
    python -m tools.import_pocketbase pb_data                 what the environment points to

Stop PocketBase first. Ids, dates and passwords stay as they are, so links hold and people sign in
as ever (once more: the secrets of tokens are new). A record that is there already is left alone,
so an import that was cut short can be repeated. Left out: view collections, one-time passwords
and half-done sign-ins.
"""

import argparse
import json
import sqlite3
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from chalicelib import services, store
from chalicelib.domain import record as records
from chalicelib.domain.collection import Collection, Field
from chalicelib.domain.request import Body, Call, Record, UploadedFile
from chalicelib.errors import ApiError
from chalicelib.store.changes import UniqueError

PASSING = ("_otps", "_mfas")
JSON_COLUMNS = ("indexes", "fields")
_AS_JSON = ("json", "geoPoint")
_LISTS = ("select", "relation", "file")
_NOBODY = Call("POST", "", {}, {}, lambda: Body({}, {}))

Row = dict[str, Any]


class Moved(NamedTuple):
    """What became of a collection's records."""

    name: str
    written: int
    known: int
    """Were there already."""
    refused: list[str]
    """Ids of those that another record leaves no room for."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.import_pocketbase", description=__doc__)
    parser.add_argument("folder", type=Path, help="PocketBase's pb_data")
    parser.add_argument("--stage", help="a deployed stage; default: the environment")
    options = parser.parse_args()
    if not (options.folder / "data.db").is_file():
        print(f"dormouse: {options.folder} has no data.db", file=sys.stderr)
        return 1
    if options.stage:
        _use_stage(options.stage)
    try:
        everything = list(move(options.folder))
    except ApiError as error:
        print(f"dormouse: {error} {error.data}", file=sys.stderr)
        return 1
    for moved in everything:
        print(f"{moved.name:24} {moved.written:7} written {moved.known:7} known", *moved.refused)
    return 1 if any(moved.refused for moved in everything) else 0


def move(folder: Path) -> Iterator[Moved]:
    """Move everything from a `pb_data`; yield what became of each collection's records.

    Raises `ApiError` if the collections cannot be had here, before anything is written.
    """
    database = sqlite3.connect(f"file:{folder / 'data.db'}?mode=ro", uri=True)
    database.row_factory = sqlite3.Row
    definitions = [_definition(dict(row)) for row in database.execute("SELECT * FROM _collections")]
    wanted = [each for each in definitions if each["type"] != "view"]
    services.collections.import_definitions({"collections": wanted, "deleteMissing": False})
    schema = store.schema.load()
    for definition in wanted:
        collection = schema.find(definition["id"])
        if collection is not None and collection.name not in PASSING:
            table = collection.name.replace('"', '""')
            rows = database.execute(f'SELECT * FROM "{table}" ORDER BY rowid')  # noqa: S608 - quoted
            yield _move_records(collection, (dict(row) for row in rows), folder / "storage")
    database.close()


def _definition(row: Row) -> Row:
    options = json.loads(row.pop("options") or "{}")
    parsed = {name: json.loads(row[name] or "[]") for name in JSON_COLUMNS}
    return {**row, **parsed, **options, "system": bool(row["system"])}


def _move_records(collection: Collection, rows: Iterator[Row], storage: Path) -> Moved:
    written, known, refused = 0, 0, []
    for row in rows:
        record = _record(collection, row)
        if store.records.find(collection, record["id"]) is not None:
            known += 1
            continue
        _move_files(collection, record, storage)
        if _write(collection, record):
            written += 1
        else:
            refused.append(record["id"])
    return Moved(collection.name, written, known, refused)


def _record(collection: Collection, row: Row) -> Record:
    values = {each.name: _value(each, row[each.name]) for each in collection.fields}
    return {**records.blank(collection), **values}


def _value(field: Field, stored: Any) -> Any:
    """Return a value of SQLite's as a record holds it."""
    if field.type == "bool":
        return bool(stored)
    if field.type == "number":
        return int(stored) if float(stored).is_integer() else stored
    is_json = field.type in _AS_JSON or (field.type in _LISTS and field.is_multiple)
    if is_json:
        return None if stored is None else json.loads(stored or "null")
    return stored


def _move_files(collection: Collection, record: Record, storage: Path) -> None:
    for key in store.files.of_record(collection, record):
        name = key.rpartition("/")[2]
        source = storage / collection.id / record["id"] / name
        if source.is_file():
            store.files.put(key, UploadedFile(name, "", source.read_bytes()))


def _write(collection: Collection, record: Record) -> bool:
    """Write a record as it is; return False if a unique value of it is taken."""

    def attempt() -> bool:
        session = services.session.open(_NOBODY)
        session.changes.put(collection, None, record)
        try:
            services.records.write(session)
        except UniqueError:
            return False
        return True

    retried: Callable[[Callable[[], bool]], bool] = services.records.retried
    return retried(attempt)


def _use_stage(stage: str) -> None:
    from tools.deploy import deploy, project  # noqa: PLC0415 - a local import needs no stage
    from tools.deploy.stack import Stack  # noqa: PLC0415 - likewise

    place = deploy.here()
    outputs = Stack(project.stack_name(project.check_stage(stage)), place.region).outputs()
    deploy.use(outputs, place)


if __name__ == "__main__":
    sys.exit(main())
