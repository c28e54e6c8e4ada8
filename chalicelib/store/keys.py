"""Keys of the single table: every kind of item and every access pattern, on one page.

Item              PK                          SK                                  beside the key
----------------  --------------------------  ----------------------------------  -----------------
collection        COLLECTIONS                 COLLECTION#<collection id>          name, doc, rev
schema version    COLLECTIONS                 VERSION                             n
settings          SETTINGS                    SETTINGS                            doc, rev
record            RECORDS#<storage>           <record id>                         doc | spill, rev,
                                                                                  seq, ip, ix1..ix8
unique guard      UNIQUE#<storage>#<index>    <encoded value, or its SHA-256>     id
reference         REFS#<storage>#<record id>  <storage>#<field key>#<record id>   (of the referring
                                                                                  record)
dropped storage   DROPPED                     <storage>                           since
upload            UPLOADS#<upload id>         UPLOAD                              uploads.py, ttl
files to remove   SWEEP                       <due, seconds>#<random>             doc, claimed
function          FUNCTIONS                   FUNCTION#<name>                     functions.py, rev
version of one    VERSIONS#<function id>      <number, 8 digits>                  doc
invocation        INVOCATIONS#<function id>   <invocation id>                     doc, status, ttl
idempotency key   IDEMPOTENCY#<function id>   <SHA-256 of caller and key>         invocation, ttl
dead letter       DEADLETTERS#<function id>   <invocation id>                     doc, ttl
money cap         CAPS#<function id>          <2026-11-23 or 2026-11>             spent, ttl
usage             USAGE#<2026-11>             <2026-11-23>#<function>#<0..7>      usage.py
queue             QUEUES                      QUEUE#<name>                        doc, rev
job in slices     SLICES#<job>                SLICES                              doc, rev, ttl
                                                                                  (docs/slices.md)

`<storage>` is the collection's `storage` text (domain/collection.py). `doc` is one JSON
document; `rev` a random text that each write changes and is conditional on; `seq` the
insertion order (`@rowid`); `ip` the index partition `<storage>#0`, the hash key of the eight
global secondary indexes ix1..ix8, whose range keys are the attributes of the same name
(domain/index_values.py encodes them). `spill` names the object of a document that is too large
for an item, whose `size` stands beside it; `leaving` is until when a record is being deleted
(leaving.py); `dp` is the depth of the chain of functions that wrote it, absent for a person's
write (leaving.py). Attribute names are short because every record pays
for them by the byte. `ttl` is the table's TTL attribute.

Access pattern                             Request
-----------------------------------------  --------------------------------------------------
1  all collections and the version         Query     PK = COLLECTIONS
2  the version, a record, an auth record   BatchGet  their keys (one round trip per request)
3  a collection's records, by id           Query     PK = RECORDS#<storage>
4  records in an index's order             Query ixN ip = <storage>#0, ixN between ...
5  the record that has a unique value      GetItem   UNIQUE#<storage>#<index>, <value>
6  who refers to a record                  Query     PK = REFS#<storage>#<record id>
7  storages to be emptied                  Query     PK = DROPPED
8  the settings                            GetItem   SETTINGS, SETTINGS
9  files to remove that are due            Query     PK = SWEEP, SK < <now>
10 an upload                               GetItem   UPLOADS#<upload id>, UPLOAD
11 all functions; one by name              Query     PK = FUNCTIONS; GetItem
12 a function's versions                   Query     PK = VERSIONS#<function id>
13 a function's calls, newest first        Query     PK = INVOCATIONS#<function id>, backward
14 the first call under a key              GetItem   IDEMPOTENCY#<function id>, <hash>
15 a function's dead letters               Query     PK = DEADLETTERS#<function id>
16 a month's usage                         Query     PK = USAGE#<month>
17 all queues; one by name                 Query     PK = QUEUES; GetItem
"""

from typing import Any

Key = dict[str, dict[str, Any]]

SLOTS = 8
MAX_ID_CHARACTERS = 255
"""A longer id names no record: DynamoDB would refuse it as a key."""
MAX_ID_BYTES = 750
"""So that a reference, which holds a field's key beside the id, stays below 1,024 bytes."""

COLLECTIONS = "COLLECTIONS"
COLLECTION_PREFIX = "COLLECTION#"
SWEEPS = "SWEEP"
FUNCTIONS = "FUNCTIONS"
QUEUES = "QUEUES"


def key(partition: str, sort: str) -> Key:
    """Return a primary key as DynamoDB's API spells it."""
    return {"PK": {"S": partition}, "SK": {"S": sort}}


def collection(collection_id: str) -> Key:
    return key(COLLECTIONS, COLLECTION_PREFIX + collection_id)


def schema_version() -> Key:
    return key(COLLECTIONS, "VERSION")


def settings() -> Key:
    return key("SETTINGS", "SETTINGS")


def records_partition(storage: str) -> str:
    return f"RECORDS#{storage}"


def may_be_id(text: str) -> bool:
    """Whether a record can have this id at all."""
    if text.isascii():
        return 0 < len(text) <= MAX_ID_CHARACTERS
    try:
        return len(text) <= MAX_ID_CHARACTERS and len(text.encode()) <= MAX_ID_BYTES
    except UnicodeEncodeError:  # half a character, from a token's JSON
        return False


def record(storage: str, record_id: str) -> Key:
    return key(records_partition(storage), record_id)


def index_partition(storage: str) -> str:
    return f"{storage}#0"


def unique_partition(storage: str, index: str) -> str:
    return f"UNIQUE#{storage}#{index}"


def unique_guard(storage: str, index: str, value: str) -> Key:
    return key(unique_partition(storage, index), value)


def references_partition(storage: str, record_id: str) -> str:
    return f"REFS#{storage}#{record_id}"


def reference(
    target_storage: str, target_id: str, storage: str, field_key: str, record_id: str
) -> Key:
    """Return the key of "this record's field refers to that record"."""
    return key(
        references_partition(target_storage, target_id), f"{storage}#{field_key}#{record_id}"
    )


def dropped(storage: str) -> Key:
    return key("DROPPED", storage)


def sweep(sort: str) -> Key:
    return key(SWEEPS, sort)


def upload(upload_id: str) -> Key:
    return key(f"UPLOADS#{upload_id}", "UPLOAD")


def function(name: str) -> Key:
    return key(FUNCTIONS, f"FUNCTION#{name}")


def versions_partition(function_id: str) -> str:
    return f"VERSIONS#{function_id}"


def version(function_id: str, number: int) -> Key:
    return key(versions_partition(function_id), f"{number:08d}")


def invocations_partition(function_id: str) -> str:
    return f"INVOCATIONS#{function_id}"


def invocation(function_id: str, invocation_id: str) -> Key:
    return key(invocations_partition(function_id), invocation_id)


def idempotency(function_id: str, digest: str) -> Key:
    return key(f"IDEMPOTENCY#{function_id}", digest)


def dead_letters_partition(function_id: str) -> str:
    return f"DEADLETTERS#{function_id}"


def dead_letter(function_id: str, invocation_id: str) -> Key:
    return key(dead_letters_partition(function_id), invocation_id)


def cap(function_id: str, period: str) -> Key:
    return key(f"CAPS#{function_id}", period)


def usage_partition(month: str) -> str:
    return f"USAGE#{month}"


def usage(day: str, function: str) -> Key:
    return key(usage_partition(day[:7]), f"{day}#{function}")


def queue(name: str) -> Key:
    return key(QUEUES, f"QUEUE#{name}")
