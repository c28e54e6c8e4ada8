"""Routes of uploads: tus 1.0 at /api/uploads, direct ones at /api/uploads/s3/multipart.

Their answers are in modules of their own, imported when the first upload comes.
"""

from typing import Any

from chalicelib.domain.request import Call
from chalicelib.routes.api import ApiBlueprint, View

UPLOADS = "/api/uploads"
MULTIPART = UPLOADS + "/s3/multipart"

uploads_api = ApiBlueprint(__name__)


def _announcement() -> dict[str, str]:
    announced: dict[str, str] = _tus().announcement()
    return announced


def _announced(view: View) -> View:
    """Have `web.app` add tus's headers to the answer to OPTIONS."""
    view.announce = _announcement  # type: ignore[attr-defined]
    return view


@uploads_api.route(UPLOADS, methods=["POST"])
@_announced
def create_upload(call: Call) -> Any:
    return _tus().create(call)


@uploads_api.route(UPLOADS + "/{id}", methods=["GET"])
@_announced
def view_upload(call: Call, id: str) -> Any:  # noqa: A002 (the path's name)
    return _tus().view(call, id)


@uploads_api.route(UPLOADS + "/{id}", methods=["PATCH"])
@_announced
def append_to_upload(call: Call, id: str) -> Any:  # noqa: A002 (the path's name)
    return _tus().append(call, id)


@uploads_api.route(UPLOADS + "/{id}", methods=["DELETE"])
@_announced
def terminate_upload(call: Call, id: str) -> Any:  # noqa: A002 (the path's name)
    return _tus().terminate(call, id)


@uploads_api.route(UPLOADS + "/{id}", methods=["POST"])
@_announced
def overridden_upload(call: Call, id: str) -> Any:  # noqa: A002 (the path's name)
    return _tus().overridden(call, id)


@uploads_api.route(MULTIPART, methods=["POST"])
def create_multipart(call: Call) -> Any:
    return _direct().create(call)


@uploads_api.route(MULTIPART + "/{id}", methods=["GET"])
def list_parts(call: Call, id: str) -> Any:  # noqa: A002 (the path's name)
    return _direct().list_parts(call, id)


@uploads_api.route(MULTIPART + "/{id}/{key}", methods=["GET"])
def sign_part(call: Call, id: str, key: str) -> Any:  # noqa: A002 (the path's name)
    return _direct().sign(call, id, key)


@uploads_api.route(MULTIPART + "/{id}/complete", methods=["POST"])
def complete_multipart(call: Call, id: str) -> Any:  # noqa: A002 (the path's name)
    return _direct().complete(call, id)


@uploads_api.route(MULTIPART + "/{id}", methods=["DELETE"])
def abort_multipart(call: Call, id: str) -> Any:  # noqa: A002 (the path's name)
    return _direct().abort(call, id)


def _tus() -> Any:
    from chalicelib.routes import tus_answers  # noqa: PLC0415  (lazy: only uploads need it)

    return tus_answers


def _direct() -> Any:
    from chalicelib.routes import direct_answers  # noqa: PLC0415  (lazy: only uploads need it)

    return direct_answers
