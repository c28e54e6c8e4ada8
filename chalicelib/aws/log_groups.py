"""The log group of each user's function: made before its first call, kept for a while.

IAM: logs:CreateLogGroup, logs:PutRetentionPolicy and logs:DeleteLogGroup.
"""

from chalicelib.aws.control import ExistsError, MissingError, client, translated

RETENTIONS = (1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192)
"""How many days CloudWatch can keep a log. Source: PutRetentionPolicy in its API reference."""


def ensure(name: str, days: int) -> None:
    """Make a group if it is not there, and keep its lines for at least `days`."""
    try:
        with translated():
            client("logs").create_log_group(logGroupName=name)
    except ExistsError:
        pass
    with translated():
        client("logs").put_retention_policy(
            logGroupName=name,
            retentionInDays=next((each for each in RETENTIONS if each >= days), RETENTIONS[-1]),
        )


def delete(name: str) -> None:
    """Delete a group with its lines; an absent one is fine."""
    try:
        with translated():
            client("logs").delete_log_group(logGroupName=name)
    except MissingError:
        return
