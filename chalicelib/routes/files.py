"""Routes of files: tokens, and downloads below /api/files."""

from typing import Any

from chalicelib import services
from chalicelib.domain.request import Call
from chalicelib.routes.api import ApiBlueprint
from chalicelib.web.reply import Reply

files_api = ApiBlueprint(__name__)


@files_api.route("/api/files/token", methods=["POST"])
def new_file_token(call: Call) -> Any:
    return services.files.new_token(call)


@files_api.route("/api/files/{collection}/{id}/{filename}", methods=["GET"])
def download_file(call: Call, collection: str, id: str, filename: str) -> Reply:  # noqa: A002 (the path's name)
    from chalicelib.routes import file_replies  # noqa: PLC0415 (lazy: only downloads need it)

    found = services.files.download(call, collection, id, filename)
    return file_replies.of_download(call, found)
