"""What functions wrote: lines of a log group in CloudWatch Logs, oldest first.

IAM: logs:FilterLogEvents on the users' functions' log groups.
"""

from collections.abc import Iterator

from chalicelib.aws.control import MissingError, client, translated
from chalicelib.domain.functions.log_cursor import Line

LINES_AT_ONCE = 10_000


def lines(group: str, since_ms: int) -> Iterator[Line]:
    """Yield the lines of a group since a time, as far as they are visible; none if it has none.

    Each 10,000 lines are a call. Raises `control.ControlError`.
    """
    more: dict[str, str] = {}
    while True:
        try:
            with translated():
                answer = client("logs").filter_log_events(
                    logGroupName=group, startTime=since_ms, limit=LINES_AT_ONCE, **more
                )
        except MissingError:
            return
        for event in answer["events"]:
            yield Line(event["timestamp"], event["logStreamName"], event["message"])
        if not answer.get("nextToken"):
            return
        more = {"nextToken": answer["nextToken"]}
