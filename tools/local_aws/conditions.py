"""What policies of ours name and ministack does not tell: without it a statement never applies.

iam:PermissionsBoundary  of CreateRole the boundary asked for, of PutRolePolicy that of the role
lambda:FunctionArn       the function of an event source mapping
resources                a function about to be made; a schedule in the group that it is in
actions                  UpdateAlias, which ministack takes for ListAliases; SQS's batches, which
                         are allowed as what they are made of

Source: AWS's service authorization reference, the actions of IAM, Lambda,
Scheduler and SQS.
"""

import json
from typing import Any

from ministack.core import iam_actions
from ministack.services import iam, lambda_svc

_tags_plain = iam_actions.request_tag_context
_resource_plain = iam_actions.extract_resource_arn
_action_plain = iam_actions.extract_iam_action

_Context = dict[str, Any]


def install() -> None:
    iam_actions.request_tag_context = _context
    iam_actions.extract_resource_arn = _resource
    iam_actions.extract_iam_action = _action


def _context(service: str, action: str, body: bytes, params: _Context) -> _Context:
    """Return the context of a request as ministack asks for it: what its tags say, and ours."""
    found: _Context = _tags_plain(service, action, body, params)
    boundary = _boundary(action, params)
    if boundary:
        found["iam:PermissionsBoundary"] = boundary
    function = _function_of_mapping(action, body, params)
    if function:
        found["lambda:FunctionArn"] = function
    return found


def _boundary(action: str, params: _Context) -> str:
    if action == "iam:CreateRole":
        return iam_actions._query_param(params, "PermissionsBoundary") or ""
    if action == "iam:PutRolePolicy":
        role = iam._roles.get(iam_actions._query_param(params, "RoleName")) or {}
        return str(role.get("PermissionsBoundary") or "")
    return ""


def _function_of_mapping(action: str, body: bytes, params: _Context) -> str:
    if not action.startswith("lambda:") or not action.endswith("EventSourceMapping"):
        return ""
    named = json.loads(body or b"{}").get("FunctionName") if body[:1] == b"{" else None
    if named:
        return str(named) if named.startswith("arn:") else str(lambda_svc._func_arn(named))
    # An update or a delete names the mapping in its path, which is not told here: every mapping
    # that there is belongs to one function, the event edge's.
    functions = {each["FunctionArn"] for each in lambda_svc._esms.values()}
    return str(functions.pop()) if len(functions) == 1 else ""


def _action(service: str, method: str, path: str, *rest: Any) -> Any:
    if service == "lambda" and method == "PUT" and "/aliases/" in path:
        return "lambda:UpdateAlias"
    found = _action_plain(service, method, path, *rest)
    return found.removesuffix("Batch") if service == "sqs" and found else found


def _resource(
    service: str,
    method: str,
    path: str,
    headers: _Context,
    body: bytes,
    params: _Context,
    region: str,
    account: str,
) -> str:
    found = str(_resource_plain(service, method, path, headers, body, params, region, account))
    if service == "lambda" and method == "POST" and path.rstrip("/").endswith("/functions"):
        name = json.loads(body).get("FunctionName", "")
        return f"arn:aws:lambda:{region}:{account}:function:{name}"
    if service == "scheduler" and "/schedules/" in path:
        sent = json.loads(body) if body[:1] == b"{" else {}
        group = sent.get("GroupName") or iam_actions._query_param(params, "groupName")
        return found.replace(":schedule/default/", f":schedule/{group or 'default'}/")
    return found
