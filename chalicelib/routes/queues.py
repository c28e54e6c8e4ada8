"""Routes of queues and of dead letters: /api/queues, /api/functions/{name}/dead-letters"""

from typing import Any

from chalicelib import services
from chalicelib.domain.request import Call
from chalicelib.routes.api import ApiBlueprint

queues_api = ApiBlueprint(__name__)

_QUEUES = "/api/queues"
_QUEUE = "/api/queues/{name}"
_LETTERS = "/api/functions/{name}/dead-letters"


@queues_api.route(_QUEUES)
def list_queues(call: Call) -> Any:
    return services.queues.list_all(call)


@queues_api.route(_QUEUE)
def view_queue(call: Call, name: str) -> Any:
    return services.queues.view(call, name)


@queues_api.route(_QUEUE, methods=["DELETE"])
def delete_queue(call: Call, name: str) -> Any:
    return services.queues.delete(call, name)


@queues_api.route(_QUEUE + "/messages", methods=["POST"])
def post_messages(call: Call, name: str) -> Any:
    return services.queue_posts.post(call, name)


@queues_api.route(_QUEUE + "/dead-letters")
def list_dead_messages(call: Call, name: str) -> Any:
    return services.queues.dead_letters(call, name)


@queues_api.route(_QUEUE + "/dead-letters/redrive", methods=["POST"])
def redrive_dead_messages(call: Call, name: str) -> Any:
    return services.queues.redrive_all(call, name)


@queues_api.route(_QUEUE + "/dead-letters/{id}", methods=["DELETE"])
def delete_dead_message(call: Call, name: str, id: str) -> Any:  # noqa: A002 (as in the path)
    return services.queues.delete_dead_letter(call, name, id)


@queues_api.route(_QUEUE + "/dead-letters/{id}/redrive", methods=["POST"])
def redrive_dead_message(call: Call, name: str, id: str) -> Any:  # noqa: A002 (as in the path)
    return services.queues.redrive(call, name, id)


@queues_api.route(_LETTERS)
def list_dead_letters(call: Call, name: str) -> Any:
    return services.dead_letters.page(call, name)


@queues_api.route(_LETTERS + "/redrive", methods=["POST"])
def redrive_dead_letters(call: Call, name: str) -> Any:
    return services.dead_letters.redrive_all(call, name)


@queues_api.route(_LETTERS + "/{id}", methods=["DELETE"])
def delete_dead_letter(call: Call, name: str, id: str) -> Any:  # noqa: A002 (as in the path)
    return services.dead_letters.delete(call, name, id)


@queues_api.route(_LETTERS + "/{id}/redrive", methods=["POST"])
def redrive_dead_letter(call: Call, name: str, id: str) -> Any:  # noqa: A002 (as in the path)
    return services.dead_letters.redrive(call, name, id)
