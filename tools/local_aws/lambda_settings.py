"""Refuse functions whose settings Lambda would refuse, by the API as in templates."""

from typing import Any

from ministack.core.responses import error_response_json
from ministack.services import lambda_svc
from ministack.services.cloudformation import provisioners

from tools.local_aws import lambda_limits

_Document = dict[str, Any]

_create_plain = lambda_svc._create_function
_update_plain = lambda_svc._update_config


def install() -> None:
    lambda_svc._create_function = _create
    lambda_svc._update_config = _update
    handlers = provisioners._RESOURCE_HANDLERS["AWS::Lambda::Function"]
    handlers["create"] = _refusing(handlers["create"], 1)
    handlers["update"] = _refusing(handlers["update"], 2)


def _create(data: _Document) -> Any:
    refused = lambda_limits.refusal(data)
    return error_response_json(*refused, 400) if refused else _create_plain(data)


def _update(name: str, data: _Document) -> Any:
    refused = lambda_limits.refusal(data)
    return error_response_json(*refused, 400) if refused else _update_plain(name, data)


def _refusing(handler: Any, position: int) -> Any:
    """Return a resource handler of CloudFormation that checks the properties at `position`."""

    def checked(*arguments: Any, **options: Any) -> Any:
        properties = arguments[position]
        refused = lambda_limits.refusal(properties)
        if refused:
            raise ValueError(refused[1])
        return handler(*arguments, **options)

    return checked
