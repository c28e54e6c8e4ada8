"""The environment of a function, all of it: Lambda's variables, its own, and the way to us.

Nothing of the local AWS's environment is inherited, and the credentials are a session of the
function's role. Source: "Defined runtime environment variables", Lambda's developer guide.
"""

import hashlib
import os
import shutil
from pathlib import Path

from ministack.services import sts

from tools.local_aws.lambda_versions import Version

RESERVED = frozenset(
    (
        "_HANDLER",
        "_X_AMZN_TRACE_ID",
        "AWS_DEFAULT_REGION",
        "AWS_REGION",
        "AWS_EXECUTION_ENV",
        "AWS_LAMBDA_FUNCTION_NAME",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
        "AWS_LAMBDA_FUNCTION_VERSION",
        "AWS_LAMBDA_INITIALIZATION_TYPE",
        "AWS_LAMBDA_LOG_GROUP_NAME",
        "AWS_LAMBDA_LOG_STREAM_NAME",
        "AWS_ACCESS_KEY",
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "AWS_LAMBDA_RUNTIME_API",
        "LAMBDA_TASK_ROOT",
        "LAMBDA_RUNTIME_DIR",
    )
)
"""Names that a function cannot set."""


def variables(
    version: Version, stream: str, task_root: Path, runtime: Path, temporary: Path
) -> dict[str, str]:
    """Return the environment of a worker; the function's own values win where it may set them."""
    settable = {
        "LANG": "en_US.UTF-8",
        "TZ": ":UTC",
        "PATH": os.pathsep.join(_program_directories()),
        "TMPDIR": str(temporary),
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{os.environ['GATEWAY_PORT']}",
    }
    key = version.key
    fixed = {
        "_HANDLER": str(version.config.get("Handler", "")),
        "AWS_REGION": key.region,
        "AWS_DEFAULT_REGION": key.region,
        "AWS_EXECUTION_ENV": f"AWS_Lambda_{version.config['Runtime']}",
        "AWS_LAMBDA_FUNCTION_NAME": key.name,
        "AWS_LAMBDA_FUNCTION_VERSION": key.version,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(version.memory_mb),
        "AWS_LAMBDA_INITIALIZATION_TYPE": "snap-start" if version.is_snap_start else "on-demand",
        "AWS_LAMBDA_LOG_GROUP_NAME": version.log_group,
        "AWS_LAMBDA_LOG_STREAM_NAME": stream,
        "LAMBDA_TASK_ROOT": str(task_root),
        "LAMBDA_RUNTIME_DIR": str(runtime),
    }
    own = {name: value for name, value in version.variables.items() if name not in RESERVED}
    return settable | own | fixed | credentials(version)


def _program_directories() -> list[str]:
    """Return AWS's PATH, and where this machine has Node."""
    standard = ["/usr/local/bin", "/usr/bin", "/bin", "/opt/bin"]
    node = os.path.dirname(shutil.which("node") or standard[0])
    return standard if node in standard else [node, *standard]


def credentials(version: Version) -> dict[str, str]:
    """Return a session of the function's role; ministack knows it, and enforces it if asked to.

    It is the same each time for a function and role, so that a restored worker's stays good.
    """
    role = str(version.config.get("Role", ""))
    role_name = role.rsplit("/", 1)[-1]
    digest = hashlib.sha256(f"{version.key[:3]}:{role}".encode()).hexdigest()
    session_name = version.key.name[:64]
    access_key = f"ASIA{digest[:16].upper()}"
    session = {
        "Arn": f"arn:aws:sts::{version.key.account}:assumed-role/{role_name}/{session_name}",
        "UserId": f"{role_name}:{session_name}",
        "SecretAccessKey": hashlib.sha256(f"secret:{digest}".encode()).hexdigest(),
        "SessionToken": hashlib.sha256(f"token:{digest}".encode()).hexdigest(),
    }
    sts.register_session(access_key, session)
    return {
        "AWS_ACCESS_KEY_ID": access_key,
        "AWS_SECRET_ACCESS_KEY": session["SecretAccessKey"],
        "AWS_SESSION_TOKEN": session["SessionToken"],
    }
