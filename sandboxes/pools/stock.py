"""Adds orgs to a pool and removes them from it."""

from dataclasses import dataclass, field
from typing import NamedTuple

from django.conf import settings
from django.db import IntegrityError, transaction

from authn import audit
from authn.database.shown_values import Values, require_shown
from authn.errors import DomainError
from authn.principals import Principal
from orgs.auth_url_validation import parse_auth_url, validate_and_store
from orgs.credential_ownership import link_credential
from orgs.credentials import Credential, call_with_session, error_for
from orgs.deletion import locked_credential
from orgs.locks import lock_credential, require_locked_credential
from orgs.models import Kind, SalesforceOrg
from orgs.org_sessions import ParentSessions
from orgs.salesforce import AuthUrl, Identity, Organization, SalesforceClient, ScratchOrgRecord, Session
from sandboxes.models import PoolInstance
from sandboxes.on_demand.parents import dev_hub, parent_credential_id, production_org, sandbox_in
from sandboxes.pools.access import registered_org
from sandboxes.pools.errors import (
    AuthUrlOfInstance,
    InstanceExists,
    InstanceNotFound,
    InstanceWithoutAccess,
    ScratchUsernameNeeded,
    WrongKindOfOrg,
)
from sandboxes.pools.events import record_event, settings_of

Type, Status = PoolInstance.Type, PoolInstance.Status
# The values of a DevHub's allocation field, and the status for each. With another value, another tool uses the org.
_ALLOCATIONS = {
    "": Status.AVAILABLE,
    "available": Status.AVAILABLE,
    "return": Status.AVAILABLE,
    "in progress": Status.PROVISIONING,
}


@dataclass(frozen=True, slots=True)
class NewInstance:
    """The values that an owner enters to add an instance."""

    repository: str
    pool_tag: str
    name: str
    type: str
    status: str = Status.AVAILABLE
    username: str = ""
    parent_username: str = ""
    sfdx_auth_url: str = field(default="", repr=False)


class Imported(NamedTuple):
    """The result of an import, as numbers of instances."""

    added: int
    made_available: int  # known from an earlier import, and provisioned since
    skipped: int  # in use, or already in a pool


def add_instance(new: NewInstance, *, by: Principal) -> PoolInstance:
    """Add an instance. Without an auth URL its org is reached through its parent, which is queried afterwards.

    `is_missing` of the result says whether the parent lists no such sandbox: the instance is added all the same.
    Raises InvalidRequest, OrgNotFound, NotFound; with an auth URL also RegistrationRefused, SessionError.
    """
    instance = PoolInstance(
        repository=_spelling(new.repository),
        pool_tag=new.pool_tag,
        name=new.name,
        type=new.type,
        status=new.status,
        username=new.username,
        parent=_parent(new),
    )
    if new.sfdx_auth_url:
        return _add_with_auth_url(instance, parse_auth_url(new.sfdx_auth_url), by)
    _refuse_unreachable(instance)
    with transaction.atomic():
        _insert(instance, by)
    instance.is_missing = _is_missing(instance, by)
    return instance


def missing_sandbox_warning(instance: PoolInstance) -> str:
    """Return what an owner who added an instance has to know if `is_missing`, else ""."""
    if not instance.is_missing:
        return ""
    return f"{instance.parent} lists no sandbox named {instance.name}. Jobs that fetch it will fail until it exists."


def remove_instance(*, repository: str, name: str, by: Principal, shown: Values | None = None) -> None:
    """Delete an instance and its credential, after a running refresh. Raises InstanceNotFound, SessionError.

    `shown` has the columns that a page showed: ChangedMeanwhile is raised if one has another value now.
    """
    instance = PoolInstance.objects.of_repository(repository).filter(name__iexact=name).first()
    if instance is None:
        raise InstanceNotFound(repository, name)
    audit.require_writable()
    with locked_credential(instance) as credential, transaction.atomic():
        # The credential before its owner, in the same order as at the end of a refresh.
        lock_credential(instance.credential_id)
        rows = PoolInstance.objects.select_for_update(of=("self",))
        row = rows.filter(pk=instance.pk, credential=instance.credential).first()
        if row is None:
            raise error_for("REFRESH_IN_PROGRESS")  # A registration has just taken the credential.
        require_shown(row, shown or {})
        record_event(audit.Action.POOL_REMOVED, instance, by, before=settings_of(row), after={})
        instance.delete()
        if credential is not None:
            credential.delete()


def make_available(instance: PoolInstance, *, by: Principal) -> bool:
    """Make a provisioning or expired instance available. Returns False if it has another status now."""
    with transaction.atomic():
        rows = PoolInstance.objects.select_for_update(of=("self",)).filter(
            pk=instance.pk, status__in=(Status.PROVISIONING, Status.EXPIRED)
        )
        row = rows.first()
        if row is None:
            return False
        before = settings_of(row)
        row.release(Status.AVAILABLE)
        row.save()
        record_event(audit.Action.POOL_MADE_AVAILABLE, row, by, before=before)
    return True


def import_scratch_pool(hub: SalesforceOrg, *, tag: str, repository: str, by: Principal) -> Imported:
    """Add the active scratch orgs that a DevHub lists under a pool tag, except those in use.

    Makes available what an earlier import added while it was provisioned. Raises SessionError.
    """
    _, records = call_with_session(
        parent_credential_id(hub),
        ParentSessions(hub, by),
        lambda salesforce, session: salesforce.scratch_pool(
            session, tag, tag_field=settings.POOL_FIELD_TAG, allocation_field=settings.POOL_FIELD_STATUS
        ),
    )
    active = [record for record in records if record.status == "Active" and record.org_id]
    known = {name.lower() for name in PoolInstance.objects.values_list("username", flat=True)}
    free = [record for record in reversed(active) if record.allocation.lower() in _ALLOCATIONS]
    new = [record for record in free if record.username.lower() not in known]
    ready = {record.org_id for record in free if _ALLOCATIONS[record.allocation.lower()] == Status.AVAILABLE}
    repository = _spelling(repository)
    with transaction.atomic():
        provisioned = PoolInstance.objects.filter(parent=hub, status=Status.PROVISIONING, org_id__in=ready)
        made_available = sum(make_available(instance, by=by) for instance in provisioned.order_by("pk"))
        for record in new:
            _insert(_from_record(record, hub, tag, repository), by)
    return Imported(len(new), made_available, len(active) - len(new) - made_available)


# --- Adding ----------------------------------------------------------------------------------------


def _spelling(repository: str) -> str:
    """Return a repository as the instances that it has spell it, so that lists and the console show one."""
    known = PoolInstance.objects.of_repository(repository).order_by("created_at", "pk")
    return known.values_list("repository", flat=True).first() or repository


def _parent(new: NewInstance) -> SalesforceOrg | None:
    if not new.parent_username:
        return None
    return production_org(new.parent_username) if new.type == Type.SANDBOX else dev_hub(new.parent_username)


def _refuse_unreachable(instance: PoolInstance) -> None:
    """Refuse an instance without access to its org, and a registered org that is not of the instance's type."""
    org = SalesforceOrg.objects.with_username(instance.username).first() if instance.username else None
    if org is not None:
        _refuse_wrong_kind(instance, org.kind)
        instance.org_id, instance.instance_url, instance.username = org.org_id, org.instance_url, org.username
    elif instance.parent is None:
        raise InstanceWithoutAccess
    elif instance.type == Type.SCRATCH_ORG and not instance.username:
        raise ScratchUsernameNeeded


def _refuse_wrong_kind(instance: PoolInstance, kind: str) -> None:
    expected = Kind.SANDBOX if instance.type == Type.SANDBOX else Kind.SCRATCH
    if kind != expected:
        raise WrongKindOfOrg(kind, expected)


def _is_missing(instance: PoolInstance, by: Principal) -> bool:
    """Return True if jobs can fetch a sandbox through its parent now, and the parent lists none of its name.

    False if Salesforce cannot be asked: the instance is stored, so the request has succeeded.
    """
    is_sandbox = instance.type == Type.SANDBOX and instance.status == Status.AVAILABLE
    if instance.parent is None or not is_sandbox or registered_org(instance) is not None:
        return False
    try:
        return sandbox_in(instance.parent, instance.name, by=by) is None
    except DomainError:
        return False


def _insert(instance: PoolInstance, by: Principal) -> None:
    try:
        with transaction.atomic():
            instance.save(force_insert=True)
    except IntegrityError as error:
        raise InstanceExists(instance.name) from error
    record_event(audit.Action.POOL_ADDED, instance, by, before={})


def _add_with_auth_url(instance: PoolInstance, url: AuthUrl, by: Principal) -> PoolInstance:
    audit.require_writable()

    def read(salesforce: SalesforceClient, session: Session) -> tuple[Identity, Organization]:
        return salesforce.identity(session), salesforce.organization(session)

    def store(credential: Credential, session: Session, details: tuple[Identity, Organization]) -> PoolInstance:
        identity, organization = details
        _refuse_wrong_kind(instance, organization.kind)
        instance.username, instance.org_id = identity.username, identity.org_id
        instance.instance_url = session.instance_url
        return _store(instance, credential, by)

    return validate_and_store(url, by=by, target=instance.audit_target, read=read, store=store)


def _store(instance: PoolInstance, credential: Credential, by: Principal) -> PoolInstance:
    with transaction.atomic():
        credential = require_locked_credential(credential.pk)
        if isinstance(credential.owner, PoolInstance):
            raise AuthUrlOfInstance
        _insert(instance, by)
        # The credential of a registered org stays the org's: the instance uses it from there.
        if not isinstance(credential.owner, SalesforceOrg):
            link_credential(instance, credential)
    return instance


def _from_record(record: ScratchOrgRecord, hub: SalesforceOrg, tag: str, repository: str) -> PoolInstance:
    return PoolInstance(
        repository=repository,
        pool_tag=tag,
        name=record.username,
        type=Type.SCRATCH_ORG,
        status=_ALLOCATIONS[record.allocation.lower()],
        username=record.username,
        org_id=record.org_id,
        parent=hub,
    )
