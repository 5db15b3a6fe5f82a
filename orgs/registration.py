"""Registers an org by its auth URL: validates it with Salesforce, then stores everything or nothing."""

from dataclasses import dataclass, field

from django.conf import settings

from authn import audit
from authn.models import AuditEvent
from authn.principals import Principal
from orgs.auth_url_validation import parse_auth_url, validate_and_store
from orgs.credential_ownership import link_credential
from orgs.credentials.concurrency import host_policy
from orgs.credentials.models import Credential
from orgs.credentials.token_index import credential_for
from orgs.errors import (
    AlreadyVerified,
    AuthUrlInUse,
    DefaultNeedsDevHub,
    InvalidInstanceUrl,
    NotADevHub,
    SkipValidationOff,
    UsernameMismatch,
    UsernameNeeded,
)
from orgs.locks import lock_credential, org_write_transaction, require_locked_credential
from orgs.metadata import Metadata, write_metadata
from orgs.models import SalesforceOrg
from orgs.salesforce import AuthUrl, ForeignHost, Identity, Organization, SalesforceClient, Session
from orgs.update import audited_settings, lost_default_events, set_dev_hub_flags


@dataclass(frozen=True, slots=True)
class Registration:
    """The values sent to register an org. None keeps the stored value.

    `skip_validation` stores the org without a call to Salesforce; `username` is then required.
    """

    sfdx_auth_url: str = field(repr=False)
    username: str | None = None
    instance_url: str | None = None
    is_dev_hub: bool | None = None
    is_default: bool | None = None
    metadata: Metadata | None = None
    skip_validation: bool = False


@dataclass(frozen=True, slots=True)
class FormerOrg:
    """A row as it was before a registration, for the audit. A new row has no org id and the default settings."""

    is_stored: bool
    org_id: str
    settings: dict[str, object]

    @classmethod
    def of(cls, org: SalesforceOrg) -> "FormerOrg":
        """Return the present state of a row."""
        return cls(org.pk is not None, org.org_id, audited_settings(org))


@dataclass(frozen=True, slots=True)
class _Details:
    """What Salesforce returned. `is_dev_hub` is None when it was not requested."""

    identity: Identity
    organization: Organization
    is_dev_hub: bool | None


def register(registration: Registration, *, by: Principal) -> SalesforceOrg:
    """Validate an auth URL with Salesforce, and store its org and credential or update the stored ones.

    Returns the stored org. Raises RegistrationRefused for invalid input and for what Salesforce refuses
    permanently, SessionError for temporary failures. On an error nothing is stored or changed, but a
    refresh token that rotated is kept for the next attempt.
    """
    auth_url = parse_auth_url(registration.sfdx_auth_url)
    _check_options(registration)
    if registration.skip_validation:
        return _register_unverified(auth_url, registration, by)
    audit.require_writable()

    def read(salesforce: SalesforceClient, session: Session) -> _Details:
        return _Details(
            identity=salesforce.identity(session),
            organization=salesforce.organization(session),
            is_dev_hub=salesforce.is_dev_hub(session) if registration.is_dev_hub else None,
        )

    def store(credential: Credential, session: Session, details: _Details) -> SalesforceOrg:
        _check_details(registration, details)
        return _store(credential, session, details, registration, by)

    return validate_and_store(
        auth_url, by=by, target=audit.org_named(registration.username or ""), read=read, store=store
    )


def audit_registration(
    org: SalesforceOrg,
    by: Principal,
    *,
    former: FormerOrg,
    former_default: SalesforceOrg | None = None,
    **details: bool,
) -> None:
    """Record that an org was registered, that its org id changed if it did, and which org was the default before."""
    changes = audit.changes(former.settings, audited_settings(org))
    events = [_event(audit.Action.ORG_REGISTERED, org, by, changes, updated=former.is_stored, **details)]
    if former.org_id and former.org_id != org.org_id:
        changes = audit.changes({"orgId": former.org_id}, {"orgId": org.org_id})
        events.append(_event(audit.Action.ORG_ID_CHANGED, org, by, changes))
    audit.record_all([*events, *lost_default_events(former_default, by)])


def _event(
    action: audit.Action, org: SalesforceOrg, by: Principal, changes: audit.Changes, **details: bool
) -> AuditEvent:
    granted, target = audit.Outcome.GRANTED, org.audit_target
    return audit.event(
        action, granted, by=by, target=target, code="", token="", changes=changes, attempt_id=None, **details
    )


def _check_options(registration: Registration) -> None:
    """Refuse contradictory options, before any call to Salesforce."""
    if registration.instance_url is not None:
        try:
            host_policy().instance_url(registration.instance_url)
        except ForeignHost as error:
            raise InvalidInstanceUrl(str(error)) from error
    if registration.is_default and registration.is_dev_hub is False:
        raise DefaultNeedsDevHub


def _check_details(registration: Registration, details: _Details) -> None:
    """Refuse options that Salesforce contradicts."""
    username = details.identity.username
    if registration.username and registration.username.strip().lower() != username.lower():
        raise UsernameMismatch(username)
    if details.is_dev_hub is False:
        raise NotADevHub(username)


# --- Storing ---------------------------------------------------------------------------------------


def _store(
    credential: Credential, session: Session, details: _Details, registration: Registration, by: Principal
) -> SalesforceOrg:
    """Write org, credential, default and metadata in one transaction. Raises CredentialGone."""
    with org_write_transaction():
        credential = require_locked_credential(credential.pk)
        org = _row_for(credential, details.identity)
        lock_credential(org.credential_id)
        former = FormerOrg.of(org)
        org.username = details.identity.username
        org.set_details(session, details.organization)
        former_default = _save(org, registration)
        link_credential(org, credential)
        audit_registration(org, by, former=former, former_default=former_default)
    return org


def _row_for(credential: Credential, identity: Identity) -> SalesforceOrg:
    """Return the row to write: the one with this username, else the one with this credential, else a new one.

    A row with the same credential and org id, but another username, is of a user who was renamed at Salesforce.
    """
    org = SalesforceOrg.objects.with_username(identity.username).first()
    if org is None:
        org = SalesforceOrg.objects.filter(credential=credential, org_id=identity.org_id).first()
    return org or SalesforceOrg()


def _save(org: SalesforceOrg, registration: Registration) -> SalesforceOrg | None:
    """Set the values that were sent, keep the others, and save the row. Returns the org that was the default."""
    former_default = set_dev_hub_flags(org, is_dev_hub=registration.is_dev_hub, is_default=registration.is_default)
    org.is_jit_registration = False
    if registration.metadata is not None:
        org.metadata = registration.metadata
    org.save()
    if registration.metadata is not None:
        write_metadata(org, registration.metadata)
    return former_default


# --- Without a call to Salesforce --------------------------------------------------------------------


def _register_unverified(auth_url: AuthUrl, registration: Registration, by: Principal) -> SalesforceOrg:
    """Store an org without validation: for tests, and only where an operator allows it."""
    if not settings.ALLOW_SKIP_VALIDATION:
        raise SkipValidationOff
    if not registration.username:
        raise UsernameNeeded
    with org_write_transaction():
        credential = credential_for(auth_url)
        username = registration.username.strip()
        org = SalesforceOrg.objects.with_username(username).first() or SalesforceOrg(username=username)
        for credential_id in (credential.pk, org.credential_id):
            lock_credential(credential_id)
        _require_unverified(org, credential)
        former = FormerOrg.of(org)
        org.instance_url = registration.instance_url or auth_url.login_url
        former_default = _save(org, registration)
        link_credential(org, credential)
        audit_registration(org, by, former=former, former_default=former_default, validated=False)
    return org


def _require_unverified(org: SalesforceOrg, credential: Credential) -> None:
    """Raise InvalidChange if the org is verified, or the credential belongs to another row."""
    if org.org_id:
        raise AlreadyVerified(org.username)
    owner = Credential.objects.get(pk=credential.pk).owner
    if owner is not None and owner != org:
        raise AuthUrlInUse
