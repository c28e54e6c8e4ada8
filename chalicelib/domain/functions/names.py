"""Names of what AWS holds for users' functions. `prefix` is the setting `resource_prefix`.

They are derived, never stored, so nothing can point to another deployment's resources, and the
app's own role is limited to them by pattern.
"""

import re

FUNCTION_NAME = re.compile(r"[a-z][a-z0-9-]{0,38}[a-z0-9]|[a-z]")
"""Lambda allows 64 characters, of which the prefix takes its share."""
MAX_AWS_CHARACTERS = 64
"""Of the name of a Lambda function, and of a role."""
QUEUE_NAME = FUNCTION_NAME
DEAD = "-dead"
"""What follows a queue's name in that of the queue for its dead letters."""


def lambda_function(prefix: str, name: str) -> str:
    """Return the name of the Lambda function, which its role bears too."""
    return f"{prefix}-fn-{name}"


def log_group(prefix: str, name: str) -> str:
    return log_group_of(lambda_function(prefix, name))


def log_group_of(lambda_name: str) -> str:
    """Return the log group of a Lambda function."""
    return f"/aws/lambda/{lambda_name}"


def secrets(prefix: str, name: str) -> str:
    """Return the name of the parameter (SSM) that holds a function's secrets, encrypted."""
    return f"/{prefix}/functions/{name}/secrets"


def schedule_group(prefix: str) -> str:
    """Return the group of all schedules; a name of 64 characters has no room for the prefix."""
    return prefix


def schedule(function: str, trigger_id: str) -> str:
    return f"{function}-{trigger_id}"


def wakes(prefix: str) -> str:
    """Return the name of the queue through which all background calls go."""
    return f"{prefix}-wakes.fifo"


def dead_wakes(prefix: str) -> str:
    return f"{prefix}-wakes-dead.fifo"


def queue(prefix: str, name: str) -> str:
    return f"{prefix}-q-{name}"


def dead_queue(prefix: str, name: str) -> str:
    return f"{prefix}-q-{name}{DEAD}"


def code(function_id: str, sha256: str) -> str:
    """Return the key of a version's zip in the bucket. No collection id begins with a dot."""
    return f".functions/{function_id}/code/{sha256}.zip"


def codes(function_id: str) -> str:
    """Return how the keys of all of a function's zips begin."""
    return f".functions/{function_id}/code/"


def code_upload(function_id: str, upload_id: str) -> str:
    """Return the key of a zip that is uploaded to the bucket, before it becomes a version's."""
    return f".functions/{function_id}/uploads/{upload_id}.zip"


def payload(function_id: str, invocation_id: str, what: str) -> str:
    """Return the key of an event or result that is too large for an item."""
    return f".functions/{function_id}/calls/{invocation_id}/{what}.json"
