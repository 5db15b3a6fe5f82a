"""Gets links that log a browser in to an org, once."""

import uuid
from collections.abc import Callable

from django.conf import settings

from orgs.credentials.calls import call_with_session, session_then_refresh
from orgs.credentials.errors import SessionError
from orgs.credentials.failures import error_for
from orgs.salesforce import Session, frontdoor_with_session

# Salesforce tells a user who may have no link as it tells a session that is dead.
_REFUSALS = ("SESSION_REFUSED", "UPSTREAM_REFUSED")


def create_frontdoor_link(
    credential_id: uuid.UUID, session: Session, reopen: Callable[[], Session], page: str = ""
) -> str:
    """Return a link that opens an org at a page, once and soon. `reopen` gives a fresh session if need be.

    Raises SessionError; FRONTDOOR_REFUSED when the org gives this user none, unless the operator
    allows the old kind of link, which holds the access token.
    """
    try:
        _, link = call_with_session(
            credential_id,
            session_then_refresh(session, reopen),
            lambda salesforce, good: salesforce.one_time_link(good, page),
        )
    except SessionError as error:
        if error.code not in _REFUSALS:
            raise
        if settings.ALLOW_LEGACY_FRONTDOOR:
            return frontdoor_with_session(session, page)
        raise error_for("FRONTDOOR_REFUSED") from error
    return link
