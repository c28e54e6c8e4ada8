"""Bringing AWS to where a function's item says it is to be, step by step.

    wanted  -> Lambda has its code and settings, a version is published   -> it is the function
    before  -> `live` points to the version, account and triggers follow  -> settled
    leaving -> everything of the function is deleted, the item last

The version that the table names is the truth: calls go to it by number, so it changes for all of
them at once. The alias in Lambda follows. Each step may be done again, and what is left is found
out from the item and from Lambda: so it makes no difference where a request dies. The next one
that changes or views the function goes on.
"""

import logging
import time
from datetime import UTC, datetime
from itertools import count

from chalicelib import aws, services, store
from chalicelib.aws.control import ControlError, MissingError, NotYetError, RefusedError, translated
from chalicelib.config import settings
from chalicelib.domain import dates
from chalicelib.domain.functions import names, plan, redaction
from chalicelib.domain.functions import version as versions
from chalicelib.domain.functions.function import Function
from chalicelib.domain.functions.plan import Target
from chalicelib.domain.functions.version import Code
from chalicelib.errors import BadRequestError
from chalicelib.services.function_holds import Hold, seconds_left
from chalicelib.store.functions import Wanted

log = logging.getLogger("dormouse")

_FIRST_PAUSE_SECONDS = 0.06
_LONGEST_PAUSE_SECONDS = 1.0
_SPARE_SECONDS = 3.0
"""Kept for the steps after Lambda's, and for the answer."""


class LateError(Exception):
    """Lambda is not done, and the request has to be answered: the next one goes on."""


def finish(hold: Hold) -> bool:
    """Do what is left for a function; return whether all is done.

    Raises `BadRequestError` if AWS refuses what is wanted, which is then given up.
    """
    if hold.stored.leaving:
        _remove(hold)
        return True
    try:
        if hold.stored.wanted is not None:
            _deploy(hold, hold.stored.wanted)
        if not hold.stored.settled:
            _settle(hold)
    except (LateError, NotYetError):
        return False
    return True


def has_version(function: Function, number: int) -> bool:
    """Whether Lambda still has a version: somebody may have deleted it there."""
    name = names.lambda_function(settings().resource_prefix, function.name)
    try:
        aws.lambda_functions.read_version(name, number)
    except MissingError:
        return False
    return True


def _deploy(hold: Hold, wanted: Wanted) -> None:
    live = hold.stored.function
    after = wanted.function
    code = wanted.code or _code_of(live)
    if code is not None:
        number = _brought(hold, wanted, code)
        if number:
            made = versions.of_function(after, number, code, dates.now_text(datetime.now(UTC)))
            store.functions.put_version(after.id, made)
            latest = max(live.latest_version, number)
            after = after._replace(live_version=number, latest_version=latest)
    before = live if hold.stored.settled else hold.stored.before
    hold.put(function=_with_rev(after, live), wanted=None, before=before, settled=False)


def _with_rev(function: Function, stored: Function) -> Function:
    return function._replace(rev=stored.rev)


def _code_of(function: Function) -> Code | None:
    found = store.functions.version(function.id, function.live_version)
    return found.code if found is not None else None


def _brought(hold: Hold, wanted: Wanted, code: Code) -> int:
    """Bring Lambda to what is wanted; return the version's number, 0 if none was to be made."""
    secrets = _secrets(wanted.function)
    prefix = settings().resource_prefix
    target = plan.target(prefix, wanted.function, code, secrets, wanted.publishes)
    try:
        return _reconciled(target)
    except RefusedError as error:
        words = redaction.without(_words(error), secrets.values())
        problem = f"AWS refuses the function: {words}"
        hold.put(wanted=None, problem=problem)
        raise BadRequestError(problem) from error


def _secrets(function: Function) -> dict[str, str]:
    if not function.secret_names:
        return {}
    secrets: dict[str, str] = aws.parameters.load(
        names.secrets(settings().resource_prefix, function.name)
    )
    return secrets


def _words(error: ControlError) -> str:
    """Return AWS's words without its code."""
    return str(error).partition(": ")[2] or str(error)


def _reconciled(target: Target) -> int:
    has_acted = False
    for turn in count():
        actual = aws.lambda_functions.read(target.name)
        if has_acted and actual is not None and actual.has_failed:
            raise RefusedError(f"Failed: {actual.reason}")
        actions = plan.plan(target, actual)
        if not actions:
            return 0
        try:
            number = _act(actions[0], target, actual)
        except NotYetError as error:
            log.info("%s: %s has to wait: %s", target.name, actions[0], error)
            _pause(turn)
            continue
        if number:
            _wait_for_version(target.name, number)
            return number
        if actions[0] == plan.WAIT:
            _pause(turn)
        else:
            has_acted = True
    raise AssertionError  # the turns never end


def _act(action: str, target: Target, actual: plan.Actual | None) -> int:
    """Do one action; return the version that it published, or 0."""
    revision = actual.revision if actual is not None else ""
    lambda_ = aws.lambda_functions
    match action:
        case plan.CREATE:
            lambda_.create(target, _role(target.name))
        case plan.UPDATE_CODE:
            lambda_.update_code(target, revision)
        case plan.UPDATE_CONFIGURATION:
            lambda_.update_configuration(target, revision)
        case plan.SET_CONCURRENCY:
            lambda_.put_concurrency(target.name, target.concurrency)
        case plan.PUBLISH:
            return int(lambda_.publish(target, revision))
    return 0


def _wait_for_version(name: str, number: int) -> None:
    for turn in count():
        if not aws.lambda_functions.read_version(name, number).is_waiting:
            return
        _pause(turn)


def _pause(turn: int) -> None:
    if seconds_left() < _SPARE_SECONDS:
        raise LateError
    time.sleep(min(_FIRST_PAUSE_SECONDS * 1.3**turn, _LONGEST_PAUSE_SECONDS))


def _role(lambda_name: str) -> str:
    arn: str = aws.roles.ensure(lambda_name, names.log_group_of(lambda_name))
    return arn


def _settle(hold: Hold) -> None:
    function, before = hold.stored.function, hold.stored.before
    name = names.lambda_function(settings().resource_prefix, function.name)
    if function.live_version:
        aws.lambda_functions.put_alias(name, function.live_version)
    else:
        _role(name)  # IAM needs some seconds to make a role known: they pass until code comes
    if before is None or before.retention_days != function.retention_days:
        aws.log_groups.ensure(names.log_group_of(name), function.retention_days)
    services.service_accounts.ensure(function)
    _apply_triggers(before, function)
    hold.put(before=None, settled=True)


def _remove(hold: Hold) -> None:
    function = hold.stored.function
    prefix = settings().resource_prefix
    name = names.lambda_function(prefix, function.name)
    services.service_accounts.remove(function)  # first: its tokens end whatever comes after
    if not hold.stored.settled:
        _apply_triggers(hold.stored.before, function)
    _apply_triggers(function, None)
    aws.lambda_functions.delete(name)
    aws.log_groups.delete(names.log_group_of(name))
    aws.roles.delete(name)
    aws.parameters.delete(names.secrets(prefix, function.name))
    store.function_code.delete_all(function.id)
    store.functions.delete_versions(function.id)
    hold.delete()


def _apply_triggers(before: Function | None, after: Function | None) -> None:
    with translated():
        services.function_triggers.apply(before, after)
