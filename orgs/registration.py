"""Registers an org from its auth URL: parse, ask Salesforce, then store all of it or nothing."""

from dataclasses import dataclass, field
from functools import partial
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now

from authn import audit
from authn.principals import Principal
from orgs.credentials.calls import call_with_session
from orgs.credentials.concurrency import host_policy
from orgs.credentials.envelopes import Binding, Grant, decrypt_grant, decrypt_session, encrypt_grant, encrypt_session
from orgs.credentials.errors import OrgError, SessionError
from orgs.credentials.failures import BY_CODE
from orgs.credentials.models import Credential, Health
from orgs.credentials.ownership import unlink_other_owners
from orgs.credentials.session_request import SessionRequest
from orgs.credentials.session_results import CredentialGone
from orgs.credentials.sessions import open_session, retry_when_gone
from orgs.credentials.token_index import credential_for
from orgs.errors import InvalidChange, RegistrationRefused
from orgs.locks import lock_credential, one_org_writer
from orgs.metadata import write_metadata
from orgs.models import SalesforceOrg
from orgs.salesforce import (
    AuthUrl,
    ForeignHost,
    Identity,
    InvalidAuthUrl,
    Organization,
    SalesforceClient,
    Session,
)
from orgs.update import default_needs_dev_hub, mark_dev_hub


@dataclass(frozen=True, slots=True)
class Registration:
    """What the caller sends to register an org. None keeps what is stored already.

    `skip_validation` stores the org without calling Salesforce; then `username` is required.
    """

    sfdx_auth_url: str = field(repr=False)
    username: str | None = None
    instance_url: str | None = None
    is_dev_hub: bool | None = None
    is_default: bool | None = None
    metadata: dict[str, Any] | None = None
    skip_validation: bool = False


@dataclass(frozen=True, slots=True)
class _Facts:
    """What Salesforce said. `is_dev_hub` is None when nobody asked."""

    identity: Identity
    organization: Organization
    is_dev_hub: bool | None


def register(registration: Registration, *, by: Principal) -> SalesforceOrg:
    """Store an org and its credential, or renew what is stored of it, after calling Salesforce.

    Returns the stored org. Raises RegistrationRefused for input that is not valid or that Salesforce
    refuses permanently; SessionError for temporary failures. On any failure nothing is stored or
    changed, but a refresh token that rotated is kept for the next try.
    """
    auth_url = parse_auth_url(registration.sfdx_auth_url)
    _check(registration)
    if registration.skip_validation:
        return _register_unverified(auth_url, registration, by)
    audit.require_writable()

    def work() -> SalesforceOrg:
        credential = credential_for(auth_url)
        try:
            return _register_validated(credential, auth_url, registration, by)
        except OrgError:
            forget_if_unused(credential)
            raise

    return retry_when_gone(work)


def _register_validated(
    credential: Credential, auth_url: AuthUrl, registration: Registration, by: Principal
) -> SalesforceOrg:
    asking = SessionRequest(by=by, org=registration.username or "", force=True, submitted_auth_url=auth_url)
    try:
        session, facts = call_with_session(
            credential.pk,
            lambda: open_session(credential, asking).session,
            partial(_read_facts, registration=registration),
        )
    except SessionError as error:
        if not BY_CODE[error.code].is_client_error:
            raise
        # On this route a definite no is the caller's input being no good (design section 8).
        raise RegistrationRefused(error.code, str(error), error.action) from error
    _compare(registration, facts)
    return _store(credential, session, facts, registration, by)


def parse_auth_url(text: str) -> AuthUrl:
    """Read an auth URL from outside. Raises RegistrationRefused."""
    try:
        return AuthUrl.parse(text, host_policy())
    except InvalidAuthUrl as error:
        raise RegistrationRefused(error.code, str(error), error.action) from error


def _check(registration: Registration) -> None:
    """Refuse options that cannot be granted, before anybody is asked."""
    if registration.instance_url is not None:
        try:
            host_policy().instance_url(registration.instance_url)
        except ForeignHost as error:
            action = "Leave instanceUrl out: it is taken from Salesforce's answer."
            raise RegistrationRefused(error.code, str(error), action) from error
    if registration.is_default and registration.is_dev_hub is False:
        raise default_needs_dev_hub()


def _read_facts(salesforce: SalesforceClient, session: Session, *, registration: Registration) -> _Facts:
    return _Facts(
        identity=salesforce.identity(session),
        organization=salesforce.organization(session),
        is_dev_hub=salesforce.is_dev_hub(session) if registration.is_dev_hub else None,
    )


def _compare(registration: Registration, facts: _Facts) -> None:
    """Refuse options that what Salesforce said contradicts."""
    username = facts.identity.username
    if registration.username and registration.username.strip().lower() != username.lower():
        raise RegistrationRefused(
            "USERNAME_MISMATCH", f"The auth URL belongs to {username}.", "Send that username, or leave it out."
        )
    if facts.is_dev_hub is False:
        raise RegistrationRefused(
            "NOT_A_DEVHUB", f"{username} is not in a DevHub.", "Enable Dev Hub in Setup, or leave isDevHub out."
        )


# --- Storing ---------------------------------------------------------------------------------------


def _store(
    credential: Credential, session: Session, facts: _Facts, registration: Registration, by: Principal
) -> SalesforceOrg:
    """Write org, credential, default and metadata in one transaction."""
    with one_org_writer():
        held = lock_credential(credential.pk)
        if held is None:
            raise CredentialGone
        org, former_id = _row_for(held, facts)
        lock_credential(org.credential_id)
        was = org.pk is not None
        org.username = facts.identity.username
        org.take_facts(session, facts.organization)
        _apply(org, registration)
        _link(org, held)
        bind(held, org)
        action = audit.Action.ORG_REGISTERED
        audit.record(action, audit.Outcome.GRANTED, by=by, org=org.username, updated=was, org_id=org.org_id)
        if former_id and former_id != org.org_id:
            audit.record(
                audit.Action.ORG_ID_CHANGED,
                audit.Outcome.GRANTED,
                by=by,
                org=org.username,
                old=former_id,
                new=org.org_id,
            )
    return org


def _row_for(credential: Credential, facts: _Facts) -> tuple[SalesforceOrg, str]:
    """Return the row to write, with the org id it had.

    It is the row of this username; else the row that this credential holds for the same org, whose
    user was renamed at Salesforce; else a new one.
    """
    org = SalesforceOrg.objects.with_username(facts.identity.username).first()
    if org is None:
        org = SalesforceOrg.objects.filter(credential=credential, org_id=facts.identity.org_id).first()
    return (org, org.org_id) if org else (SalesforceOrg(), "")


def _apply(org: SalesforceOrg, registration: Registration) -> None:
    """Set what the caller wished, and keep the rest. Saves the row."""
    mark_dev_hub(org, is_dev_hub=registration.is_dev_hub, is_default=registration.is_default)
    if registration.metadata is not None:
        org.metadata = registration.metadata
    org.save()
    if registration.metadata is not None:
        write_metadata(org, registration.metadata)


def _link(org: SalesforceOrg, credential: Credential) -> None:
    """Make a credential the org's own, and delete the one that it replaces."""
    replaced = org.credential_id if org.credential_id != credential.pk else None
    unlink_other_owners(credential, org)
    org.credential = credential
    org.is_jit_registration = False
    org.save(update_fields=["credential", "is_jit_registration"])
    if replaced:
        # Deleted, not revoked: the same grant may still be in use elsewhere.
        Credential.objects.filter(pk=replaced).delete()


def bind(credential: Credential, org: Any) -> None:
    """Seal a credential anew, under the org id and username of its owner: a registered org, or an app's above."""
    # Locked: a refresh that ends at this moment writes the next refresh token to the same column.
    unbound = Credential.objects.select_for_update(of=("self",)).get(pk=credential.pk)
    binding = Binding(org.org_id or None, org.username if org.org_id else None)
    # Opened as the row stands now, before it has this owner's name on it.
    grant = decrypt_grant(unbound, check_owner=False)
    session = decrypt_session(unbound, check_owner=False)
    columns: dict[str, Any] = {"sealed_grant": encrypt_grant(unbound, Grant(grant.auth_url, binding))}
    if session is not None:
        columns["sealed_session"] = encrypt_session(unbound, session, binding)
    Credential.objects.filter(pk=credential.pk).update(**columns)


def forget_if_unused(credential: Credential) -> None:
    """Delete the credential of a registration that failed, unless it must be kept.

    It is kept when an org has it, when somebody is using it, and when its token rotated: then the
    same auth URL goes on from it. So it is when an answer is missing, which another node may have.
    """
    with transaction.atomic():
        unused = Credential.objects.orphaned().select_for_update(of=("self",))
        unused = unused.filter(pk=credential.pk, ever_rotated=False, sent_at=None)
        # Of a lost answer nobody knows whether the token rotated; the row tells that story.
        row = unused.exclude(health=Health.UNCERTAIN).filter(Q(locked_until=None) | Q(locked_until__lte=Now())).first()
        if row is not None:
            row.delete()


# --- Without asking Salesforce -----------------------------------------------------------------------


def _register_unverified(auth_url: AuthUrl, registration: Registration, by: Principal) -> SalesforceOrg:
    """Store an org that nobody has verified: for tests, and only where an operator allows it."""
    if not settings.ALLOW_SKIP_VALIDATION:
        raise RegistrationRefused(
            "SKIP_VALIDATION_OFF",
            "This desk does not register orgs without validation.",
            "Leave skipValidation out; an operator can set ALLOW_SKIP_VALIDATION.",
        )
    if not registration.username:
        raise RegistrationRefused("USERNAME_NEEDED", "Without validation the username is not known.", "Send username.")
    with one_org_writer():
        credential = credential_for(auth_url)
        username = registration.username.strip()
        org = SalesforceOrg.objects.with_username(username).first() or SalesforceOrg(username=username)
        for identifier in (credential.pk, org.credential_id):
            lock_credential(identifier)
        if org.org_id:
            raise InvalidChange(
                "ALREADY_VERIFIED", f"{org.username} is registered and verified.", "Leave skipValidation out."
            )
        owner = Credential.objects.get(pk=credential.pk).owner
        if owner is not None and owner != org:
            raise InvalidChange(
                "AUTH_URL_IN_USE", "This auth URL belongs to another org of this desk.", "Leave skipValidation out."
            )
        org.instance_url = registration.instance_url or auth_url.login_url
        _apply(org, registration)
        _link(org, credential)
        audit.record(audit.Action.ORG_REGISTERED, audit.Outcome.GRANTED, by=by, org=org.username, validated=False)
    return org
