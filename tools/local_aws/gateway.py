"""API Gateway as deployments need it: whole swagger imports, over HTTP too, and its limits.

ministack drops the binary types, the compression and the gateway responses of a swagger
document, has neither ImportRestApi nor PutRestApi (`chalice deploy` calls both), makes a new
API (and so a new URL) for each changed document, never compresses, and takes any size.
"""

import gzip
import json
from typing import Any

from ministack.services import apigateway_v1
from ministack.services.cloudformation import provisioners

REQUEST_LIMIT_BYTES = 10 * 1024 * 1024

_Document = dict[str, Any]

_import_plain = apigateway_v1._import_rest_api
_handle_plain = apigateway_v1.handle_request
_execute_plain = apigateway_v1._execute_in_scope
_update_plain = provisioners._apigw_rest_api_update


def install() -> None:
    apigateway_v1._import_rest_api = _import_rest_api
    apigateway_v1.handle_request = _handle_request
    apigateway_v1._execute_in_scope = _execute
    handlers = provisioners._RESOURCE_HANDLERS["AWS::ApiGateway::RestApi"]
    handlers["update"] = _update_rest_api


def _import_rest_api(spec: _Document, base: _Document | None = None) -> str:
    settings = {name: value for name, value in (base or {}).items() if value not in (None, [])}
    api_id: str = _import_plain(spec, {**_settings(spec), **settings})
    _put_gateway_responses(api_id, spec)
    return api_id


def _settings(spec: _Document) -> _Document:
    return {
        "binaryMediaTypes": spec.get("x-amazon-apigateway-binary-media-types", []),
        "minimumCompressionSize": spec.get("x-amazon-apigateway-minimum-compression-size"),
    }


def _put_gateway_responses(api_id: str, spec: _Document) -> None:
    wanted = spec.get("x-amazon-apigateway-gateway-responses") or {}
    apigateway_v1._gateway_responses[api_id] = {}
    for kind, response in wanted.items():
        answer = apigateway_v1._put_gateway_response(api_id, kind, response)
        if answer[0] >= 400:
            raise ValueError(f"gateway response {kind}: {answer[2]!r}")


def _overwrite(api_id: str, spec: _Document) -> None:
    """Give an API the routes and settings of another document, under its own id."""
    resources = apigateway_v1._resources[api_id]
    root = next(each for each in resources.values() if each["path"] == "/")
    root["resourceMethods"] = {}
    apigateway_v1._resources[api_id] = {root["id"]: root}
    apigateway_v1._authorizers_v1[api_id] = {}
    apigateway_v1._rest_apis[api_id].update(_settings(spec))
    schemes = apigateway_v1._import_security_schemes(api_id, spec)
    for path, item in (spec.get("paths") or {}).items():
        apigateway_v1._import_path_item(api_id, path, item, schemes, spec.get("security"))
    _put_gateway_responses(api_id, spec)


def _update_rest_api(
    physical_id: str, old: _Document, new: _Document, stack: str, logical_id: str | None = None
) -> Any:
    """Update in place, as CloudFormation does by PutRestApi: the URL stays."""
    body = new.get("Body")
    if isinstance(body, dict) and body != old.get("Body"):
        _overwrite(physical_id, body)
    same_body = {**old, "Body": body}
    return _update_plain(physical_id, same_body, new, stack, logical_id=logical_id)


async def _handle_request(
    method: str, path: str, headers: Any, body: bytes, query: _Document
) -> Any:
    parts = [part for part in path.strip("/").split("/") if part]
    if parts == ["restapis"] and method == "POST" and "mode" in query:
        api_id = _import_rest_api(json.loads(body))
        return _viewed(api_id, 201)
    if len(parts) == 2 and parts[0] == "restapis" and method == "PUT":
        if parts[1] not in apigateway_v1._rest_apis:
            reason = "Invalid API identifier specified"
            return apigateway_v1._v1_error("NotFoundException", reason, 404)
        _overwrite(parts[1], json.loads(body))
        return _viewed(parts[1], 200)
    return await _handle_plain(method, path, headers, body, query)


def _viewed(api_id: str, status: int) -> Any:
    view = apigateway_v1._rest_api_view(apigateway_v1._rest_apis[api_id])
    return apigateway_v1._v1_response(view, status)


async def _execute(request: _Document, api_id: str, *arguments: Any) -> Any:
    body = arguments[4]
    if body and len(body) > REQUEST_LIMIT_BYTES and _stage(api_id, arguments[0]):
        request["stage"] = _stage(api_id, arguments[0])
        return apigateway_v1._gw_error("REQUEST_TOO_LARGE", "Request Entity Too Large")
    answer = await _execute_plain(request, api_id, *arguments)
    api = apigateway_v1._rest_apis.get(api_id) or {}
    smallest = api.get("minimumCompressionSize")
    if smallest is None or not isinstance(answer, tuple):
        return answer
    return _compressed(answer, int(smallest), request["headers"])


def _stage(api_id: str, name: str) -> Any:
    return apigateway_v1._stages_v1.get(api_id, {}).get(name)


def _compressed(answer: Any, smallest: int, headers: _Document) -> Any:
    """Compress as API Gateway does: large enough, wanted, and not compressed already."""
    status, given, body = answer
    wanted = "gzip" in str(headers.get("accept-encoding", ""))
    names = {name.lower() for name in given}
    if not wanted or len(body) < smallest or names & {"content-encoding", "content-range"}:
        return answer
    return status, {**given, "Content-Encoding": "gzip"}, gzip.compress(body, 6, mtime=0)
