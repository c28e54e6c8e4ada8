"""Functions' secrets: one encrypted parameter (SSM SecureString) per function.

SSM encrypts it with the account's own key for parameters (`alias/aws/ssm`), so the table and its
backups hold names of secrets only.

IAM: ssm:GetParameter, ssm:PutParameter and ssm:DeleteParameter.
"""

import json

from chalicelib.aws.control import MissingError, client, translated

MOST_BYTES = 4096
"""What a parameter of the free tier holds."""


def load(name: str) -> dict[str, str]:
    """Return the secrets that a parameter holds, {} if there is none."""
    try:
        with translated():
            answer = client("ssm").get_parameter(Name=name, WithDecryption=True)
    except MissingError:
        return {}
    values: dict[str, str] = json.loads(answer["Parameter"]["Value"])
    return values


def save(name: str, secrets: dict[str, str]) -> None:
    """Replace what a parameter holds."""
    with translated():
        client("ssm").put_parameter(
            Name=name, Value=text(secrets), Type="SecureString", Overwrite=True
        )


def text(secrets: dict[str, str]) -> str:
    """Return what a parameter with these secrets holds.

    SSM refuses {{, since it takes that for the name of another parameter; here it can only be
    inside a text. Source: "PutParameter" in SSM's API reference.
    """
    plain = json.dumps(secrets, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    return plain.replace("{{", "{\\u007b")


def delete(name: str) -> None:
    """Delete a parameter; an absent one is fine."""
    try:
        with translated():
            client("ssm").delete_parameter(Name=name)
    except MissingError:
        return
