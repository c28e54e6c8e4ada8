"""Files of records: objects of the bucket, beside nothing in the table but the record's names.

    <collection id>/<record id>/<name>                        the file
    <collection id>/<record id>/thumbs_<name>/<size>_<name>   a picture made of it

A name holds ten random characters and is made by the server, so no key is ever used twice:
not by another record of the same id, not by a collection made again under the old id. That is
why files are removed by their whole keys and never by the prefix of a record or a collection.
"""

from collections.abc import Sequence

from chalicelib import aws
from chalicelib.aws import s3_files
from chalicelib.aws.s3_files import Info
from chalicelib.domain import file_types
from chalicelib.domain.collection import Collection
from chalicelib.domain.request import Record, UploadedFile


def object_key(collection_id: str, record_id: str, name: str) -> str:
    return f"{collection_id}/{record_id}/{name}"


def thumb_key(original: str, thumb_name: str) -> str:
    """Return where a picture made of a file lies; `thumb_name` is `<size>_<name>`."""
    folder, _, name = original.rpartition("/")
    return f"{_thumbs(folder, name)}{thumb_name}"


def _thumbs(folder: str, name: str) -> str:
    return f"{folder}/thumbs_{name}/"


def of_record(collection: Collection, record: Record) -> list[str]:
    """Return the keys of the files that a record names."""
    found = []
    for field in collection.fields:
        if field.type == "file":
            value = record.get(field.name) or ()
            names = (value,) if isinstance(value, str) else value
            found += [object_key(collection.id, record["id"], name) for name in names]
    return found


def put(key: str, upload: UploadedFile) -> None:
    """Store an upload under its type as its bytes tell it."""
    mime = file_types.of_content(upload.content).mime
    if upload.stored:
        aws.s3_multipart.copy_large(upload.stored.key, upload.stored.size_bytes, key, mime)
    else:
        aws.s3.put(key, upload.content, mime)


def put_thumb(original: str, key: str, content: bytes, content_type: str) -> None:
    """Store a picture made of a file, unless the file is removed meanwhile."""
    aws.s3.put(key, content, content_type)
    try:
        s3_files.info(original)
    except aws.s3.MissingObjectError:
        # `remove` deletes a file before it looks for what was made of it.
        aws.s3.delete(key)
        raise


def head(key: str) -> Info:
    """Return what is known of a file. Raises `aws.s3.MissingObjectError`."""
    return s3_files.info(key)


def first_bytes(key: str, most_bytes: int) -> tuple[bytes, Info]:
    """Return a file if it is that small, else its beginning. Raises as `head`."""
    return s3_files.first_bytes(key, most_bytes)


def get(key: str) -> bytes:
    """Return a file's bytes. Raises as `head`."""
    return aws.s3.get(key)


def link(key: str, content_type: str, disposition: str, seconds: int) -> str:
    """Return a URL that serves a file for a while to whoever has it."""
    return s3_files.link(key, content_type, disposition, seconds)


def remove(keys: Sequence[str]) -> None:
    """Delete files, then the pictures made of them. May be repeated; absent ones are fine."""
    s3_files.delete(keys)
    names: dict[str, list[str]] = {}
    for key in keys:
        folder, _, name = key.rpartition("/")
        names.setdefault(folder, []).append(name)
    for folder, gone in names.items():
        prefixes = tuple(_thumbs(folder, name) for name in gone)
        found = s3_files.keys(f"{folder}/thumbs_")
        s3_files.delete([thumb for thumb in found if thumb.startswith(prefixes)])
