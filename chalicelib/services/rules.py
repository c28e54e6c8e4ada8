"""Access rules: the one place that decides whether a caller may have a record.

null      superusers only: 403 for everyone else
""        everyone
text      an expression of the filter language; what it hides looks absent

Superusers pass every rule. Statuses: measured on PocketBase 0.40.6.
"""

from typing import TYPE_CHECKING

from chalicelib.domain.collection import Collection
from chalicelib.domain.request import Record, RequestInfo
from chalicelib.errors import ApiError, ForbiddenError
from chalicelib.services.session import Session

if TYPE_CHECKING:
    from chalicelib.domain.filters import Scope


def require_open(session: Session, collection: Collection, rule: str) -> str:
    """Return the text of a rule (`listRule`, ...) that applies to this caller; "" is everyone.

    Raises `ForbiddenError` if the rule is null and the caller no superuser.
    """
    if session.is_superuser:
        return ""
    text = collection.rules[rule]
    if text is None:
        raise ForbiddenError("Only superusers can perform this action.")
    return text


def holds(
    session: Session,
    collection: Collection,
    text: str | None,
    record: Record,
    info: RequestInfo,
    is_new: bool = False,
) -> bool:
    """Return whether a rule's text lets this caller have `record`; null lets superusers only.

    `is_new`: the record is not stored yet, and is judged as a createRule judges.
    """
    if session.is_superuser or text == "":
        return True
    if text is None:
        return False
    return expression_holds(session, collection, text, record, info, is_new)


def expression_holds(
    session: Session,
    collection: Collection,
    text: str,
    record: Record,
    info: RequestInfo,
    is_new: bool = False,
) -> bool:
    """Return whether an expression is true of a record, whoever asks.

    One that cannot be evaluated (what it names is gone, a value is no list) holds for nobody.
    """
    from chalicelib.domain import filters  # noqa: PLC0415 (lazy: an open rule needs no language)

    parts = ((text, False),)
    try:
        predicate = filters.compile_filter(parts, collection, session.schema, is_new=is_new)
        return predicate.matches(record, _scope(session, info))
    except filters.FilterError:
        return False


def require_call(session: Session, text: str | None) -> None:
    """Raises `ForbiddenError` unless a function's invoke rule lets this caller wake it.

    The rule is about the request alone; there is no record.
    """
    if not call_holds(session, text):
        message = "Only superusers can perform this action." if text is None else ""
        raise ForbiddenError(message)


def call_holds(session: Session, text: str | None) -> bool:
    """Return whether a rule about the request alone holds; null lets superusers only.

    If it names the body, it holds for none that cannot be read: the function is given that body
    too, and may well read what we cannot.
    """
    if session.is_superuser or text == "":
        return True
    if text is None:
        return False
    from chalicelib.domain.functions import invoke_rule  # noqa: PLC0415 (lazy: functions only)

    try:
        info = session.info()
    except ApiError:
        if "@request.body" in text:
            return False
        info = session.info(body={})
    return expression_holds(session, invoke_rule.NO_COLLECTION, text, {}, info)


def _scope(session: Session, info: RequestInfo) -> "Scope":
    """Return the scope of a request's info; the records of one expand share what it keeps."""
    from chalicelib.domain import filters  # noqa: PLC0415 (lazy, as above)

    if session.scope is None or session.scope.request is not info:
        session.scope = filters.Scope(info, session.related, session.now)
    return session.scope


def is_manager(
    session: Session,
    collection: Collection,
    record: Record,
    info: RequestInfo,
    is_new: bool = False,
) -> bool:
    """Return whether the caller may manage this auth record: superusers, or the manageRule."""
    if session.is_superuser:
        return True
    text = collection.auth.get("manageRule") if collection.is_auth else None
    return bool(text) and expression_holds(session, collection, str(text), record, info, is_new)
