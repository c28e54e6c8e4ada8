"""File fields: names of files kept with the record.

A name is made by the server, never by the client (`file_names.stored_name`): a body may only
name files that the record already has. New files come as uploads of a multipart body.
"""

import re
from typing import Any

from chalicelib.domain.collection import Field
from chalicelib.domain.fields import common, listed
from chalicelib.domain.fields.common import Context, NewFile
from chalicelib.errors import ErrorData, field_error

DEFAULT_OPTIONS: dict[str, Any] = {
    **common.COMMON,
    "maxSelect": 0,
    "maxSize": 0,
    "mimeTypes": [],
    "protected": False,
    "thumbs": [],
}
DEFAULT_MAX_BYTES = 5 * 1024 * 1024
MAX_SHOWN_NAME = 250

_THUMB = re.compile(r"\d+x\d+[tbf]?\Z", re.ASCII)
_NO_THUMBS = ("0x0", "0x0t", "0x0b", "0x0f")

cast = listed.cast
modify = listed.modify


def check(field: Field, value: listed.Value, context: Context) -> ErrorData | None:
    names = listed.items(value)
    if not names:
        return common.required() if field.required else None
    new = context.new_files.get(field.name, [])
    old = listed.items(context.original[field.name]) if context.original else []
    known = {*old, *(file.name for file in new)}
    invented = [name for name in names if name not in known]
    if invented:
        return _invented_error(invented)
    most = max(field.options.get("maxSelect") or 0, 1)
    if len(names) > most:
        message = f"The maximum allowed files is {most}."
        return field_error("validation_too_many_files", message, {"maxSelect": most})
    return _content_error(field, [file for file in new if file.name in names])


def _invented_error(names: list[str]) -> ErrorData:
    shown = [name[:MAX_SHOWN_NAME] for name in names]
    message = f"Invalid new files: [{' '.join(shown)}]."
    return field_error("validation_invalid_file", message, {"invalidFiles": shown})


def _content_error(field: Field, files: list[NewFile]) -> ErrorData | None:
    most = field.options.get("maxSize") or DEFAULT_MAX_BYTES
    allowed = field.options.get("mimeTypes") or []
    for file in files:
        if file.upload.size_bytes > most:
            return _size_error(file.upload.name, most)
        if allowed and (error := _type_error(file, allowed)):
            return error
    return None


def _size_error(name: str, most: int) -> ErrorData:
    message = f"Failed to upload {name} - the maximum allowed file size is {most} bytes."
    return field_error("validation_file_size_limit", message, {"file": name, "maxSize": most})


def _type_error(file: NewFile, allowed: list[str]) -> ErrorData | None:
    """Check what the bytes are; the name and the type that a client gives prove nothing."""
    from chalicelib.domain import file_types  # noqa: PLC0415  lazy: only uploads have content

    if file_types.is_one_of(file_types.of_content(file.upload.content).mime, allowed):
        return None
    message = f'"{file.name}" mime type must be one of: {", ".join(allowed)}.'
    return field_error("validation_invalid_mime_type", message)


def option_errors(entry: dict[str, Any]) -> dict[str, ErrorData]:
    errors = common.present(
        {
            "maxSelect": common.range_error(entry["maxSelect"]),
            "maxSize": common.range_error(entry["maxSize"]),
        }
    )
    thumbs = common.present({str(at): _thumb_error(t) for at, t in enumerate(entry["thumbs"])})
    return errors | ({"thumbs": thumbs} if thumbs else {})


def _thumb_error(thumb: str) -> ErrorData | None:
    if thumb in _NO_THUMBS:
        return field_error("validation_not_in_invalid", "Must not be in list.")
    return common.invalid_option() if thumb and not _THUMB.match(thumb) else None
