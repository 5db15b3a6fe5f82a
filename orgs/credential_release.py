"""Hands out keys of registered orgs: access tokens and, where that is allowed, auth URLs."""

import uuid
from collections.abc import Sequence

from django.conf import settings
from django.db import transaction
from django.db.models.functions import Now

from authn import audit
from authn.principals import Principal
from orgs.credentials.envelopes import decrypt_grant
from orgs.credentials.errors import CredentialTampered, OrgError
from orgs.credentials.failures import BY_CODE, error_for
from orgs.credentials.models import Credential
from orgs.credentials.session_request import SessionRequest
from orgs.credentials.sessions import IssuedSession
from orgs.credentials.token_index import mark_released
from orgs.errors import AuthUrlReleaseOff, CredentialRotates, CredentialsForbidden, NoAuthUrl, OrgUnverified
from orgs.models import SalesforceOrg
from orgs.org_sessions import session_for


def access_token(org: SalesforceOrg, *, by: Principal) -> IssuedSession:
    """Return a session that was minted after this call began. Raises what session_for raises."""
    if not by.may_hold_credentials:
        raise CredentialsForbidden
    return session_for(org, SessionRequest(by=by, org=org.username, audit_action=audit.Action.ACCESS_TOKEN))


def record_issue(credential_id: uuid.UUID, action: audit.Action, *, org: str, by: Principal, token: str) -> None:
    """Record a key that is about to be handed out, where the engine could not: it was checked, or made, after it."""
    with transaction.atomic():
        audit.record(action, audit.Outcome.GRANTED, by=by, org=org, token=token)
        Credential.objects.filter(pk=credential_id).update(last_used_at=Now())


def auth_url(org: SalesforceOrg, *, by: Principal) -> str:
    """Return the auth URL of an org: its long-lived secret, which then lives at two places.

    Raises CredentialsForbidden, AuthUrlReleaseOff, NoAuthUrl, OrgUnverified, CredentialRotates,
    CredentialTampered, and SessionError when Salesforce is known to refuse it.
    """
    check_release(by)
    try:
        credential = _releasable(org)
        with transaction.atomic():
            url = decrypt_grant(credential).auth_url
            mark_released([url])
            audit.record(audit.Action.AUTH_URL, audit.Outcome.GRANTED, by=by, org=org.username, token=url.refresh_token)
    except OrgError as error:
        audit.record(audit.Action.AUTH_URL, audit.Outcome.FAILED, by=by, org=org.username, code=error.code)
        raise
    return url.reveal()


def auth_urls(orgs: Sequence[SalesforceOrg], *, by: Principal) -> dict[int, str]:
    """Return the auth URLs of those orgs that have one to give, by the primary key of the org.

    One audit row for each, in one transaction, before any is handed out. Raises
    CredentialsForbidden, AuthUrlReleaseOff.
    """
    check_release(by)
    with transaction.atomic():
        found = {}
        credentials = Credential.objects.with_secrets().filter(org__in=[org for org in orgs if is_releasable(org)])
        for credential in credentials:
            try:
                found[credential.owner] = decrypt_grant(credential).auth_url
            except CredentialTampered:
                continue  # This org shows it when it is asked for by name; the others go on.
        mark_released(list(found.values()))
        audit.record_all(
            audit.event(audit.Action.AUTH_URL, audit.Outcome.GRANTED, by=by, org=org.username, token=url.refresh_token)
            for org, url in found.items()
        )
    return {org.pk: url.reveal() for org, url in found.items()}


def check_release(by: Principal) -> None:
    """Raise CredentialsForbidden or AuthUrlReleaseOff unless this actor may be given auth URLs."""
    if not by.may_hold_credentials:
        raise CredentialsForbidden
    if not settings.ALLOW_AUTH_URL_RELEASE:
        raise AuthUrlReleaseOff


def _releasable(org: SalesforceOrg) -> Credential:
    if org.is_jit_registration:
        raise NoAuthUrl(org.username)
    if not org.org_id:
        raise OrgUnverified(org.username)
    credential = Credential.objects.with_secrets().filter(org=org).first()
    if credential is None:
        raise error_for("CREDENTIAL_EXPIRED")
    if credential.rotates is not False:  # Unknown counts as yes: a second holder may end it for both.
        raise CredentialRotates(org.username)
    if (ending := BY_CODE.get(credential.outcome)) and ending.permanent:
        raise ending.error()
    return credential


def is_releasable(org: SalesforceOrg) -> bool:
    """Tell, without decrypting anything, whether `_releasable` would admit an org."""
    credential = org.credential
    if org.is_jit_registration or not org.org_id or credential is None or credential.rotates is not False:
        return False
    ending = BY_CODE.get(credential.outcome)
    return not (ending and ending.permanent)
