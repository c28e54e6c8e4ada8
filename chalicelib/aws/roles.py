"""The role of each user's function: it may write its own log, and nothing else. Errors: `control`.

What it does to the API it does with a token (services/service_accounts.py), not with this role.

IAM: iam:CreateRole, iam:GetRole, iam:PutRolePolicy, iam:DeleteRolePolicy and iam:DeleteRole.
"""

import json
from typing import Any

from chalicelib.aws import account
from chalicelib.aws.control import ExistsError, MissingError, client, translated
from chalicelib.config import settings

_POLICY = "own-log"
_TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "lambda.amazonaws.com"},
                "Action": "sts:AssumeRole",
            }
        ],
    }
)


def ensure(name: str, log_group: str) -> str:
    """Return the ARN of a function's role, made if it is not there."""
    with translated():
        arn = _made(name)
        client("iam").put_role_policy(
            RoleName=name, PolicyName=_POLICY, PolicyDocument=_policy(arn, log_group)
        )
    return arn


def delete(name: str) -> None:
    """Delete a function's role; an absent one is fine."""
    for call, arguments in (
        ("delete_role_policy", {"RoleName": name, "PolicyName": _POLICY}),
        ("delete_role", {"RoleName": name}),
    ):
        try:
            with translated():
                getattr(client("iam"), call)(**arguments)
        except MissingError:
            continue


def _made(name: str) -> str:
    options: dict[str, Any] = {}
    if settings().boundary:
        options["PermissionsBoundary"] = account.policy_arn(settings().boundary)
    try:
        with translated():
            role = client("iam").create_role(
                RoleName=name, AssumeRolePolicyDocument=_TRUST, **options
            )
    except ExistsError:
        role = client("iam").get_role(RoleName=name)
    return str(role["Role"]["Arn"])


def _policy(role_arn: str, log_group: str) -> str:
    _, partition, _, _, number, _ = role_arn.split(":", 5)
    group = f"arn:{partition}:logs:{settings().region}:{number}:log-group:{log_group}"
    statement = {
        "Effect": "Allow",
        "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
        "Resource": f"{group}:*",
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})
