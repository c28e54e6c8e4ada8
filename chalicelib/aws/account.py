"""The account this runs in, and ARNs of what is named without one.

`chalice deploy` writes names into the configuration, since it knows no account; a template writes
ARNs. Settings may hold either.

IAM: none. Everybody may ask STS who they are.
"""

from functools import cache

from chalicelib.aws.control import client, translated


def role_arn(name_or_arn: str) -> str:
    """Return the ARN of a role of this account."""
    return _iam_arn("role", name_or_arn)


def policy_arn(name_or_arn: str) -> str:
    """Return the ARN of a managed policy of this account."""
    return _iam_arn("policy", name_or_arn)


@cache
def identity() -> tuple[str, str]:
    """Return the partition (`aws`) and the account's number. Raises `ControlError`."""
    with translated():
        arn = client("sts").get_caller_identity()["Arn"]
    _, partition, _, _, account, _ = arn.split(":", 5)
    return partition, account


def _iam_arn(kind: str, name_or_arn: str) -> str:
    if name_or_arn.startswith("arn:"):
        return name_or_arn
    partition, account = identity()
    return f"arn:{partition}:iam::{account}:{kind}/{name_or_arn}"
