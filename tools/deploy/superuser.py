"""`make superuser STAGE=dev EMAIL=you@example.com`: make a superuser of a deployed stage.

The password comes from DORMOUSE_SUPERUSER_PASSWORD; without it one is made up and shown once.
"""

import argparse
import os
import secrets
import sys

from chalicelib.errors import ApiError
from tools.deploy import deploy, project
from tools.deploy.stack import Stack


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.deploy.superuser", description=__doc__)
    parser.add_argument("--stage", required=True)
    parser.add_argument("--email", required=True)
    options = parser.parse_args()
    try:
        password = create(project.check_stage(options.stage), options.email)
    except ApiError as error:
        print(f"dormouse: {error} {error.data}", file=sys.stderr)
        return 1
    except deploy.ERRORS as error:
        print(f"dormouse: {error}", file=sys.stderr)
        return 1
    print(f"Superuser {options.email}" + (f", password {password}" if password else ""))
    return 0


def create(stage: str, email: str) -> str:
    """Create the superuser; return the password if it was made up. Raises `ApiError`."""
    place = deploy.here()
    outputs = Stack(project.stack_name(stage), place.region).outputs()
    if not outputs:
        raise project.StageError(f"stage {stage} is not deployed: make deploy STAGE={stage}")
    deploy.use(outputs, place)
    from chalicelib import services  # noqa: PLC0415 - reads the environment set just now

    given = os.environ.get("DORMOUSE_SUPERUSER_PASSWORD", "")
    password = given or secrets.token_urlsafe(12)
    services.auth.create_superuser(email, password)
    return "" if given else password


if __name__ == "__main__":
    sys.exit(main())
