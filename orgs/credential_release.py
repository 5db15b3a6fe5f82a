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
from orgs.credentials.failures import error_for, recorded_failure
from orgs.credentials.models import Credential
from orgs.credentials.session_request import SessionRequest
from orgs.credentials.session_results import IssuedSession
from orgs.credentials.token_index import mark_released
from orgs.errors import AuthUrlReleaseOff, CredentialRotates, CredentialsForbidden, NoAuthUrl, OrgUnverified
from orgs.models import SalesforceOrg
from orgs.org_sessions import session_for


def access_token(org: SalesforceOrg, *, by: Principal) -> IssuedSession:
    """Return a session that was minted after this call began. Raises what session_for raises."""
    if not by.may_hold_credentials:
        raise CredentialsForbidden
    return session_for(
        org, SessionRequest(by=by, org=org.username, audit_action=audit.Action.ACCESS_TOKEN), is_current=True
    )


def record_issue(credential_id: uuid.UUID, action: audit.Action, *, org: str, by: Principal, token: str) -> None:
    """Record a link or token that a client is about to get, where the engine has not recorded it."""
    with transaction.atomic():
        audit.record(action, audit.Outcome.GRANTED, by=by, org=org, token=token)
        Credential.objects.filter(pk=credential_id).update(last_used_at=Now())


def auth_url(org: SalesforceOrg, *, by: Principal) -> str:
    """Return the auth URL of an org: its long-lived secret, which then lives at two places.

    Raises CredentialsForbidden, AuthUrlReleaseOff, NoAuthUrl, OrgUnverified, CredentialRotates,
    CredentialTampered, and SessionError when Salesforce is known to refuse it.
    """
    require_release_allowed(by)
    try:
        credential = Credential.objects.with_secrets().filter(org=org).first()
        if (obstacle := _obstacle(org, credential)) or credential is None:
            raise obstacle or error_for("CREDENTIAL_EXPIRED")
        with transaction.atomic():
            url = decrypt_grant(credential).auth_url
            mark_released([url])
            audit.record(audit.Action.AUTH_URL, audit.Outcome.GRANTED, by=by, org=org.username, token=url.refresh_token)
    except OrgError as error:
        audit.record(audit.Action.AUTH_URL, audit.Outcome.FAILED, by=by, org=org.username, code=error.code)
        raise
    return url.reveal()


def auth_urls(orgs: Sequence[SalesforceOrg], *, by: Principal) -> dict[int, str]:
    """Return the auth URLs of those orgs that have one to release, by the primary key of the org.

    One audit row for each, in one transaction, before any is returned. Raises CredentialsForbidden,
    AuthUrlReleaseOff.
    """
    require_release_allowed(by)
    releasable = {org.credential.pk: org for org in orgs if org.credential and _obstacle(org, org.credential) is None}
    with transaction.atomic():
        found = []
        for credential in Credential.objects.with_secrets().filter(pk__in=releasable):
            try:
                found.append((releasable[credential.pk], decrypt_grant(credential).auth_url))
            except CredentialTampered:
                continue  # A request for this org by name returns the error; the others go on.
        mark_released(url for _, url in found)
        audit.record_all(
            audit.event(audit.Action.AUTH_URL, audit.Outcome.GRANTED, by=by, org=org.username, token=url.refresh_token)
            for org, url in found
        )
    return {org.pk: url.reveal() for org, url in found}


def require_release_allowed(by: Principal) -> None:
    """Raise CredentialsForbidden or AuthUrlReleaseOff unless this principal may get auth URLs."""
    if not by.may_hold_credentials:
        raise CredentialsForbidden
    if not settings.ALLOW_AUTH_URL_RELEASE:
        raise AuthUrlReleaseOff


def is_shareable(credential: Credential) -> bool:
    """Return True if a second holder of the refresh token would not end it: only one that is known not to rotate."""
    return credential.rotates is False


def _obstacle(org: SalesforceOrg, credential: Credential | None) -> OrgError | None:
    """Return why an org has no auth URL to release, None if it has. Decrypts nothing."""
    if org.is_jit_registration:
        return NoAuthUrl(org.username)
    if not org.org_id:
        return OrgUnverified(org.username)
    if credential is None:
        return error_for("CREDENTIAL_EXPIRED")
    if not is_shareable(credential):
        return CredentialRotates(org.username)
    failure = recorded_failure(credential)
    return failure.error() if failure else None
