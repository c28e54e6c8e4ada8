"""Multi-factor sign-in: after one method succeeded, ask for a second, different one.

The first success leaves a record in `_mfas` and answers 401 with its id; the second passes
that id. Only the password is served as a method yet, so a challenge can be set and a wrong
answer to it told, but it takes another method to meet it (reference 1.4).
"""

from datetime import timedelta

from chalicelib import services
from chalicelib.domain import dates
from chalicelib.domain import record as records
from chalicelib.domain.collection import Collection
from chalicelib.domain.request import Body, Record
from chalicelib.errors import BadRequestError, UnauthorizedError
from chalicelib.services import rules
from chalicelib.services.session import Session

_COLLECTION = "_mfas"


class MfaRequiredError(UnauthorizedError):
    """The first method succeeded; `mfa_id` is to be passed with a second one."""

    def __init__(self, mfa_id: str) -> None:
        super().__init__()
        self.mfa_id = mfa_id


def require(session: Session, collection: Collection, record: Record, method: str) -> None:
    """Return if the caller needs no further method; the challenge it met is used up.

    Raises `MfaRequiredError`, or `BadRequestError` for a challenge that is not to be met so.
    """
    options = collection.auth["mfa"]
    if not options["enabled"]:
        return
    info = session.info(method, session.call.body.data)
    if options["rule"] and not rules.holds(session, collection, options["rule"], record, info):
        return
    body, query = session.call.body.data, session.call.query
    mfa_id = query.get("mfaId") or body.get("mfaId") or ""
    if mfa_id and isinstance(mfa_id, str):
        _meet(session, collection, record, method, mfa_id)
    else:
        raise MfaRequiredError(_challenge(session, collection, record, method))


def _challenge(session: Session, collection: Collection, record: Record, method: str) -> str:
    challenges = session.collection(_COLLECTION)
    values = {"collectionRef": collection.id, "recordRef": record["id"], "method": method}
    body = Body(values, {})
    applied = records.apply(challenges, None, body, session.now, is_superuser=True)
    challenge = records.autogenerate(challenges, applied.record)
    session.changes.put(challenges, None, challenge)
    services.records.commit(session, "Failed to create MFA record.")
    mfa_id: str = challenge["id"]
    return mfa_id


def _meet(
    session: Session, collection: Collection, record: Record, method: str, mfa_id: str
) -> None:
    challenges = session.collection(_COLLECTION)
    stored = session.related.find(challenges, mfa_id)
    created = dates.to_datetime(stored.record["created"]) if stored is not None else None
    lifetime = timedelta(seconds=collection.auth["mfa"]["duration"])
    if stored is None or created is None or created + lifetime < session.now:
        raise BadRequestError("Invalid or expired MFA session.")
    refers_to = (stored.record["collectionRef"], stored.record["recordRef"])
    if refers_to != (collection.id, record["id"]):
        raise BadRequestError("Invalid MFA session.")
    if stored.record["method"] == method:
        raise BadRequestError("A different authentication method is required.")
    session.changes.delete(challenges, stored)
    services.records.commit(session, "Failed to delete MFA record.")
