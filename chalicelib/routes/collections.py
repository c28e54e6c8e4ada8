"""Routes of collections: /api/collections, and what lies directly below it."""

from typing import Any

from chalicelib import services
from chalicelib.domain.request import Call
from chalicelib.routes.api import ApiBlueprint

COLLECTIONS = "/api/collections"
COLLECTION = COLLECTIONS + "/{collection}"

collections_api = ApiBlueprint(__name__)


@collections_api.route(COLLECTIONS, methods=["GET"])
def list_collections(call: Call) -> Any:
    return services.collections.search(call)


@collections_api.route(COLLECTIONS, methods=["POST"])
def create_collection(call: Call) -> Any:
    return services.collections.create(call)


@collections_api.route(COLLECTION, methods=["GET"])
def view_collection(call: Call, collection: str) -> Any:
    return services.collections.view(call, collection)


@collections_api.route(COLLECTION, methods=["PATCH"])
def update_collection(call: Call, collection: str) -> Any:
    return services.collections.update(call, collection)


@collections_api.route(COLLECTION, methods=["DELETE"])
def delete_collection(call: Call, collection: str) -> None:
    services.collections.delete(call, collection)


@collections_api.route(COLLECTION + "/truncate", methods=["DELETE"])
def truncate_collection(call: Call, collection: str) -> None:
    services.truncation.truncate(call, collection)


@collections_api.route(COLLECTIONS + "/import", methods=["PUT"])
def import_collections(call: Call) -> None:
    services.collections.import_(call)


@collections_api.route(COLLECTIONS + "/meta/scaffolds", methods=["GET"])
def list_scaffolds(call: Call) -> Any:
    return services.collections.scaffolds(call)


@collections_api.route(COLLECTIONS + "/meta/oauth2-providers", methods=["GET"])
def list_oauth2_providers(call: Call) -> Any:
    return services.collections.providers(call)


@collections_api.route(COLLECTIONS + "/meta/dry-run-view", methods=["POST"])
def dry_run_view(call: Call) -> Any:
    return services.collections.dry_run_view(call)


@collections_api.route(COLLECTION + "/indexes", methods=["GET"])
def view_index_progress(call: Call, collection: str) -> Any:
    return services.index_building.progress(call, collection)


@collections_api.route(COLLECTION + "/indexes", methods=["POST"])
def resume_index_building(call: Call, collection: str) -> Any:
    return services.index_building.resume(call, collection)
