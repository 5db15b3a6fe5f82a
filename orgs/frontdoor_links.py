"""Creates one-time links that log a browser in to an org."""

import uuid
from collections.abc import Callable

from django.conf import settings

from orgs.credentials.calls import call_with_session, session_then_refresh
from orgs.credentials.errors import SessionError
from orgs.credentials.failures import error_for
from orgs.salesforce import Session, frontdoor_with_session

# Salesforce refuses a user who may not have a link with the same errors as an invalid session.
_REFUSALS = ("SESSION_REFUSED", "UPSTREAM_REFUSED")


def create_frontdoor_link(
    credential_id: uuid.UUID, session: Session, refresh: Callable[[], Session], page: str = ""
) -> str:
    """Return a link to a page of an org. It works once, within about a minute.

    `refresh` returns a new session if Salesforce does not accept `session`. Raises SessionError; its code is
    FRONTDOOR_REFUSED if the org refuses the user a link, unless ALLOW_LEGACY_FRONTDOOR permits the older kind,
    which contains the access token.
    """
    try:
        _, link = call_with_session(
            credential_id,
            session_then_refresh(session, refresh),
            lambda salesforce, accepted: salesforce.one_time_link(accepted, page),
        )
    except SessionError as error:
        if error.code not in _REFUSALS:
            raise
        if settings.ALLOW_LEGACY_FRONTDOOR:
            return frontdoor_with_session(session, page)
        raise error_for("FRONTDOOR_REFUSED") from error
    return link
