"""Uploads: how much of a file has arrived, and where its bytes lie.

Bytes come in chunks of any size; S3's parts need 5 MiB. So what has arrived is a row of parts
of one multipart upload, and behind them at most one *tail*: an object of less than 5 MiB that
the next chunk is added to.

The item says which parts and which tail count. Whoever brings a chunk first writes its bytes
where nobody else writes (a part number reserved for this attempt, a tail under a fresh key),
then moves `offset` under the condition that nobody else has: of two racing chunks one wins,
and the loser's bytes count for nothing. A crash at any point leaves an item that is true.
"""

import hashlib
import hmac
import os
import time
from typing import Any

from chalicelib.aws import dynamodb
from chalicelib.domain.upload import DONE, USED, Upload
from chalicelib.store import keys

Item = dict[str, dict[str, Any]]

KEPT_SECONDS = 24 * 3600
"""How long an expired upload is still known, so that it can be answered with 410."""

_ID_CHARACTERS = 20
_SECRET_CHARACTERS = 32
_DIGITS = "0123456789abcdefghijklmnopqrstuv"


class MovedError(Exception):
    """The upload changed meanwhile; `upload` is what it is now, None if it is gone."""

    def __init__(self, upload: Upload | None) -> None:
        self.upload = upload


def create(owner: str, expires: int, **values: Any) -> tuple[Upload, str]:
    """Write a new upload; return it and its token, which is in its URL and nowhere else.

    Ids of later seconds sort behind earlier ones.
    """
    secret = _random(_SECRET_CHARACTERS)
    upload = Upload(_new_id(), _hash(secret), owner, expires, rev=_new_rev(), **values)
    dynamodb.put(_item(upload), "attribute_not_exists(PK)")
    return upload, upload.id + secret


def load(token: str) -> Upload | None:
    """Return the upload that a token opens, strongly consistent (see `keys`)."""
    upload_id, secret = token[:_ID_CHARACTERS], token[_ID_CHARACTERS:]
    item = dynamodb.get(keys.upload(upload_id)) if _is_id(upload_id) else None
    if item is None or not hmac.compare_digest(item["secret_hash"]["S"], _hash(secret)):
        return None
    return _read(item)


def change(upload: Upload, unchanged: tuple[str, ...] = ("offset", "state"), **to: Any) -> Upload:
    """Set attributes if those of `unchanged` still are as in `upload`; return it as it is then.

    Raises `MovedError`.
    """
    to["rev"] = _new_rev()
    names = {f"#{name}": name for name in (*to, *unchanged)}
    values = {f":{name}": _tagged(value) for name, value in to.items()}
    values |= {f":was_{name}": _tagged(getattr(upload, name)) for name in unchanged}
    expression = "SET " + ", ".join(f"#{name} = :{name}" for name in to)
    condition = " AND ".join(f"#{name} = :was_{name}" for name in unchanged)
    try:
        item = dynamodb.update(
            keys.upload(upload.id), expression, values, names, condition, own_attribute="rev"
        )
    except dynamodb.ConditionFailedError as error:
        raise MovedError(_read(error.item) if error.item else None) from error
    return _read(item)


def fresh_key(upload: Upload) -> str:
    """Return an object key that nobody else writes to."""
    return upload.prefix + os.urandom(8).hex()


def use(upload_id: str) -> dict[str, Any]:
    """Return the action that marks a finished upload as used, for a record's transaction."""
    return {
        "Update": {
            "Key": keys.upload(upload_id),
            "UpdateExpression": "SET #state = :used",
            "ConditionExpression": "#state = :done",
            "ExpressionAttributeNames": {"#state": "state"},
            "ExpressionAttributeValues": {":used": {"S": USED}, ":done": {"S": DONE}},
        }
    }


def delete(upload: Upload) -> None:
    """Forget an upload."""
    dynamodb.delete(keys.upload(upload.id))


def born(upload_id: str) -> int:
    """Return when an id was made, in seconds since 1970; 0 for text that is no id."""
    return int(upload_id[:7], 32) if _is_id(upload_id) else 0


def _new_id() -> str:
    seconds = int(time.time())
    stamp = "".join(_DIGITS[seconds >> shift & 31] for shift in range(30, -1, -5))
    return stamp + _random(_ID_CHARACTERS - len(stamp))


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()


def _random(characters: int) -> str:
    return "".join(_DIGITS[byte & 31] for byte in os.urandom(characters))


def _new_rev() -> str:
    return os.urandom(8).hex()


def _is_id(text: str) -> bool:
    return len(text) == _ID_CHARACTERS and set(text) <= set(_DIGITS)


def _tagged(value: Any) -> dict[str, str]:
    return {"N": str(value)} if isinstance(value, int) else {"S": value}


def _item(upload: Upload) -> Item:
    item: Item = {name: _tagged(value) for name, value in upload._asdict().items() if name != "id"}
    ttl = _tagged(upload.expires + KEPT_SECONDS)
    return {**keys.upload(upload.id), **item, "ttl": ttl}


def _read(item: Item) -> Upload:
    values: dict[str, Any] = {
        name: int(item[name]["N"]) if "N" in item[name] else item[name]["S"]
        for name in Upload._fields
        if name in item
    }
    return Upload(id=item["PK"]["S"].partition("#")[2], **values)
