"""Releases the auth URLs of registered orgs to clients, where that is enabled. Access tokens: org_sessions."""

import uuid
from collections.abc import Sequence

from django.conf import settings
from django.db import transaction
from django.db.models.functions import Now

from authn import audit
from authn.models import AuditEvent
from authn.principals import Principal
from orgs.credentials.envelopes import decrypt_grant
from orgs.credentials.errors import CredentialTampered, OrgError
from orgs.credentials.failures import error_for, recorded_failure
from orgs.credentials.models import Credential
from orgs.credentials.token_index import mark_released
from orgs.errors import AuthUrlReleaseOff, CredentialRotates, CredentialsForbidden, NoAuthUrl, OrgUnverified
from orgs.models import SalesforceOrg
from orgs.salesforce import AuthUrl


def record_issue(
    credential_id: uuid.UUID, action: audit.Action, *, target: audit.Target | None, by: Principal, token: str
) -> None:
    """Record a link or token before it is issued. The engine records tokens of requests with an `audit_action`."""
    with transaction.atomic():
        audit.record(action, audit.Outcome.GRANTED, by=by, target=target, token=token)
        Credential.objects.filter(pk=credential_id).update(last_used_at=Now())


def auth_url(org: SalesforceOrg, *, by: Principal) -> str:
    """Return the auth URL of an org. Its refresh token then has a second holder, and is marked so.

    Raises CredentialsForbidden, AuthUrlReleaseOff, NoAuthUrl, OrgUnverified, CredentialRotates,
    CredentialTampered, and SessionError if a permanent failure is on record.
    """
    require_release_allowed(by)
    try:
        credential = Credential.objects.with_secrets().filter(org=org).first()
        if (error := _refusal(org, credential)) or credential is None:
            raise error or error_for("CREDENTIAL_EXPIRED")
        with transaction.atomic():
            url = decrypt_grant(credential).auth_url
            mark_released([url])
            audit.record_all([_event(org, by, url)])
    except OrgError as error:
        audit.record(audit.Action.AUTH_URL, audit.Outcome.FAILED, by=by, target=org.audit_target, code=error.code)
        raise
    return url.reveal()


def auth_urls(orgs: Sequence[SalesforceOrg], *, by: Principal) -> dict[int, str]:
    """Return the auth URLs of the orgs that have one to release, by the org's primary key.

    Each is in the audit before this returns. Raises CredentialsForbidden, AuthUrlReleaseOff.
    """
    require_release_allowed(by)
    releasable = {org.credential.pk: org for org in orgs if org.credential and not _refusal(org, org.credential)}
    with transaction.atomic():
        released = []
        for credential in Credential.objects.with_secrets().filter(pk__in=releasable):
            org = releasable[credential.pk]
            if credential.owner != org:
                continue  # A registration has linked it to another org since `orgs` were read.
            try:
                released.append((org, decrypt_grant(credential).auth_url))
            except CredentialTampered:
                continue  # A request for this org alone returns the error.
        mark_released(url for _, url in released)
        audit.record_all(_event(org, by, url) for org, url in released)
    return {org.pk: url.reveal() for org, url in released}


def require_release_allowed(by: Principal) -> None:
    """Raise CredentialsForbidden or AuthUrlReleaseOff unless the principal may get auth URLs."""
    if not by.may_hold_credentials:
        raise CredentialsForbidden
    if not settings.ALLOW_AUTH_URL_RELEASE:
        raise AuthUrlReleaseOff


def is_shareable(credential: Credential) -> bool:
    """Return True if the refresh token may have a second holder: if it is known not to rotate."""
    return credential.rotates is False


def _event(org: SalesforceOrg, by: Principal, url: AuthUrl) -> AuditEvent:
    granted = audit.Outcome.GRANTED
    return audit.event(audit.Action.AUTH_URL, granted, by=by, target=org.audit_target, token=url.refresh_token)


def _refusal(org: SalesforceOrg, credential: Credential | None) -> OrgError | None:
    """Return why an org has no auth URL to release, None if it has one. Decrypts nothing."""
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
