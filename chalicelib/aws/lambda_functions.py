"""Users' functions as Lambda has them: made, changed, published, deleted. Errors: `control`.

Every change names the revision that it was planned for, so one that comes late changes nothing.

IAM: lambda:CreateFunction, lambda:GetFunction, lambda:GetFunctionConfiguration,
lambda:UpdateFunctionCode, lambda:UpdateFunctionConfiguration, lambda:PublishVersion,
lambda:CreateAlias, lambda:UpdateAlias, lambda:PutFunctionConcurrency,
lambda:DeleteFunctionConcurrency, lambda:DeleteFunction and iam:PassRole.
"""

import base64
from typing import Any

from chalicelib.aws.control import MissingError, client, translated
from chalicelib.config import settings
from chalicelib.domain.functions.plan import Actual, Target

LIVE = "live"
"""The alias that follows what the table says is live."""


def read(name: str) -> Actual | None:
    """Return a function as it is, None if there is none."""
    try:
        with translated():
            answer = client("lambda").get_function(FunctionName=name)
    except MissingError:
        return None
    concurrency = answer.get("Concurrency", {}).get("ReservedConcurrentExecutions")
    return _actual(answer["Configuration"], concurrency)


def read_version(name: str, number: int) -> Actual:
    """Return a published version as it is."""
    with translated():
        answer = client("lambda").get_function_configuration(
            FunctionName=name, Qualifier=str(number)
        )
    return _actual(answer, None)


def create(target: Target, role_arn: str) -> None:
    """Make a function, nothing published yet."""
    with translated():
        client("lambda").create_function(
            FunctionName=target.name,
            Role=role_arn,
            Code=_code(target),
            PackageType="Zip",
            Architectures=[target.architecture],
            Publish=False,
            **_configuration(target),
        )


def update_code(target: Target, revision: str) -> None:
    """Give a function other code."""
    with translated():
        client("lambda").update_function_code(
            FunctionName=target.name,
            RevisionId=revision,
            Architectures=[target.architecture],
            Publish=False,
            **_code(target),
        )


def update_configuration(target: Target, revision: str) -> None:
    """Give a function other settings."""
    with translated():
        client("lambda").update_function_configuration(
            FunctionName=target.name, RevisionId=revision, **_configuration(target)
        )


def publish(target: Target, revision: str) -> int:
    """Return the number of the version that holds the function as it is, made if need be."""
    with translated():
        answer = client("lambda").publish_version(
            FunctionName=target.name,
            RevisionId=revision,
            CodeSha256=base64.b64encode(bytes.fromhex(target.code.sha256)).decode(),
        )
    return int(answer["Version"])


def put_alias(name: str, number: int) -> None:
    """Let `live` point to a version."""
    try:
        with translated():
            client("lambda").update_alias(FunctionName=name, Name=LIVE, FunctionVersion=str(number))
    except MissingError:
        with translated():
            client("lambda").create_alias(FunctionName=name, Name=LIVE, FunctionVersion=str(number))


def put_concurrency(name: str, most: int | None) -> None:
    """Let at most so many calls run at once, and keep that many for it; None: no such limit."""
    with translated():
        if most is None:
            client("lambda").delete_function_concurrency(FunctionName=name)
        else:
            client("lambda").put_function_concurrency(
                FunctionName=name, ReservedConcurrentExecutions=most
            )


def delete(name: str) -> None:
    """Delete a function with its versions; an absent one is fine."""
    try:
        with translated():
            client("lambda").delete_function(FunctionName=name)
    except MissingError:
        return


def _code(target: Target) -> dict[str, str]:
    return {"S3Bucket": settings().bucket_name, "S3Key": target.code_key}


def _configuration(target: Target) -> dict[str, Any]:
    return {
        "Runtime": target.runtime,
        "Handler": target.handler,
        "MemorySize": target.memory_mb,
        "Timeout": target.timeout_seconds,
        "Environment": {"Variables": target.environment},
    }


def _actual(configuration: dict[str, Any], concurrency: int | None) -> Actual:
    return Actual(
        sha256=base64.b64decode(configuration["CodeSha256"]).hex(),
        runtime=configuration["Runtime"],
        handler=configuration["Handler"],
        memory_mb=configuration["MemorySize"],
        timeout_seconds=configuration["Timeout"],
        environment=configuration.get("Environment", {}).get("Variables", {}),
        concurrency=concurrency,
        revision=configuration["RevisionId"],
        state=configuration.get("State", "Active"),
        update=configuration.get("LastUpdateStatus", "Successful"),
        reason=configuration.get("LastUpdateStatusReason") or configuration.get("StateReason", ""),
    )
