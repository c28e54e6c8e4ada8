"""Routes of records: /api/collections/{collection}/records and below."""

from typing import Any

from chalicelib import services
from chalicelib.domain.request import Call
from chalicelib.routes.api import ApiBlueprint

RECORDS = "/api/collections/{collection}/records"

records_api = ApiBlueprint(__name__)


@records_api.route(RECORDS, methods=["GET"])
def list_records(call: Call, collection: str) -> Any:
    return services.records.search(call, collection)


@records_api.route(RECORDS, methods=["POST"])
def create_record(call: Call, collection: str) -> Any:
    return services.records.create(call, collection)


@records_api.route(RECORDS + "/{id}", methods=["GET"])
def view_record(call: Call, collection: str, id: str) -> Any:  # noqa: A002 (the path's name)
    return services.records.view(call, collection, id)


@records_api.route(RECORDS + "/{id}", methods=["PATCH"])
def update_record(call: Call, collection: str, id: str) -> Any:  # noqa: A002 (the path's name)
    return services.records.update(call, collection, id)


@records_api.route(RECORDS + "/{id}", methods=["DELETE"])
def delete_record(call: Call, collection: str, id: str) -> None:  # noqa: A002 (the path's name)
    services.records.delete(call, collection, id)
