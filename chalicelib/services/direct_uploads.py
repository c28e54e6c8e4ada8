"""Direct uploads: the client puts parts into S3 by presigned URLs; no byte passes through us.

The upload is the same item as any other, of kind `direct`. Nobody sees the file's size before
it is complete, so the limit is met there; a URL names its one part and lasts an hour.
"""

from collections.abc import Sequence

from chalicelib import services, store
from chalicelib.aws import s3, s3_multipart
from chalicelib.aws.s3_multipart import MAX_PART_NUMBER, Part
from chalicelib.domain.request import Call
from chalicelib.domain.upload import DONE, OPEN, Upload
from chalicelib.errors import BadRequestError
from chalicelib.services.session import open as open_session
from chalicelib.store.uploads import MovedError

URL_SECONDS = 3600


def create(call: Call, metadata: str) -> str:
    """Begin a direct upload of the caller and return its token."""
    session = open_session(call)
    services.upload_sweep.sometimes()
    upload, token = services.uploads.begin(session, kind="direct", metadata=metadata)
    multipart = s3_multipart.create(upload.parts_key)
    store.uploads.change(upload, multipart=multipart)
    return token


def parts(call: Call, token: str) -> list[Part]:
    """Return the parts that have arrived."""
    upload = _open(call, token)
    return s3_multipart.list_parts(upload.parts_key, upload.multipart)


def sign(call: Call, token: str, number: int) -> str:
    """Return a URL that takes one part by PUT. Raises `BadRequestError`."""
    upload = _open(call, token)
    if not 1 <= number <= MAX_PART_NUMBER:
        raise BadRequestError(f"A part number is from 1 to {MAX_PART_NUMBER}.")
    return s3_multipart.presigned_part(upload.parts_key, upload.multipart, number, URL_SECONDS)


def complete(call: Call, token: str, named: Sequence[tuple[int, str]]) -> Upload:
    """Make the file of the parts that the client names, (number, ETag); done already is fine.

    Raises `BadRequestError` if they are not what S3 has, `TusError` 413 over the limit: then
    the upload is removed.
    """
    upload = _found(call, token)
    if upload.state == DONE:
        return upload
    try:
        size_bytes = _size_of(upload, named)
        s3_multipart.complete(upload.parts_key, upload.multipart, named)
    except s3_multipart.RefusedPartsError as error:
        raise BadRequestError(f"S3 refuses these parts: {error}") from error
    except s3_multipart.NoSuchUploadError:
        # A completion whose answer was lost.
        size_bytes = s3.head(upload.parts_key).size_bytes
    return _done(upload, size_bytes)


def abort(call: Call, token: str) -> None:
    """Remove a direct upload and its parts."""
    services.uploads.terminate(call, token)


def _size_of(upload: Upload, named: Sequence[tuple[int, str]]) -> int:
    held = {
        (part.number, part.etag): part.size_bytes
        for part in s3_multipart.list_parts(upload.parts_key, upload.multipart)
    }
    missing = [number for number, etag in named if (number, etag) not in held]
    numbers = [number for number, _ in named]
    if not numbers or missing or numbers != sorted(set(numbers)):
        said = f"S3 does not hold part {missing[0]} as named" if missing else "none, or no order"
        raise BadRequestError(f"The parts cannot be put together: {said}.")
    size_bytes = sum(held[part] for part in named)
    try:
        services.uploads.require_size(size_bytes)
    except BaseException:
        services.upload_bytes.remove(upload.id)
        raise
    return size_bytes


def _done(upload: Upload, size_bytes: int) -> Upload:
    try:
        return store.uploads.change(
            upload, state=DONE, offset=size_bytes, length=size_bytes, object=upload.parts_key
        )
    except MovedError as moved:
        if moved.upload is not None and moved.upload.state == DONE:
            return moved.upload
        raise BadRequestError("The upload was removed meanwhile.") from moved


def _found(call: Call, token: str) -> Upload:
    upload = services.uploads.find(call, token)
    if upload.kind != "direct":
        raise BadRequestError("This upload does not go to S3 directly.")
    return upload


def _open(call: Call, token: str) -> Upload:
    upload = _found(call, token)
    if upload.state != OPEN:
        raise BadRequestError("This upload is complete.")
    return upload
