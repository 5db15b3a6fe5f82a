"""Puts orgs into a pool, and takes them out of it."""

from dataclasses import dataclass, field
from typing import NamedTuple

from django.conf import settings
from django.db import IntegrityError, transaction

from authn import audit
from authn.principals import Principal
from orgs.credentials import (
    BY_CODE,
    Credential,
    CredentialGone,
    OrgError,
    SessionError,
    SessionRequest,
    call_with_session,
    credential_for,
    error_for,
    open_session,
    retry_when_gone,
    unlink_other_owners,
)
from orgs.deletion import locked_credential
from orgs.errors import InvalidRequest
from orgs.locks import lock_credential
from orgs.models import SalesforceOrg
from orgs.org_sessions import ParentSessions
from orgs.organization_kinds import Kind
from orgs.registration import bind, forget_if_unused, parse_auth_url
from orgs.salesforce import AuthUrl, Identity, Organization, ScratchOrgRecord, Session
from sandboxes.errors import NotFound
from sandboxes.models import PoolInstance
from sandboxes.on_demand.parents import credential_id_of, dev_hub, production_org

Type, Status = PoolInstance.Type, PoolInstance.Status
# What a DevHub's allocation field says, and what that is here. Whatever else it says, another tool holds it.
_ALLOCATIONS = {
    "": Status.AVAILABLE,
    "available": Status.AVAILABLE,
    "return": Status.AVAILABLE,
    "in progress": Status.PROVISIONING,
}


@dataclass(frozen=True, slots=True)
class NewInstance:
    """What an owner says of an instance to add."""

    repository: str
    pool_tag: str
    name: str
    type: str
    status: str = Status.AVAILABLE
    username: str = ""
    parent_username: str = ""
    sfdx_auth_url: str = field(default="", repr=False)


def add_instance(new: NewInstance, *, by: Principal) -> PoolInstance:
    """Add an instance. Without an auth URL it is reached through its parent, and Salesforce is not asked.

    Raises InvalidRequest (what was said is not enough, or is taken), OrgNotFound, NotFound, and with an
    auth URL what registering an org raises.
    """
    instance = PoolInstance(
        repository=new.repository, pool_tag=new.pool_tag, name=new.name, type=new.type, status=new.status
    )
    instance.username, instance.parent = new.username, _parent(new)
    if not new.sfdx_auth_url:
        _refuse_unreachable(instance)
        with transaction.atomic():
            _insert(instance, by)
        return instance
    return _add_with_auth_url(instance, parse_auth_url(new.sfdx_auth_url), by)


def remove_instance(*, repository: str, name: str, by: Principal) -> None:
    """Take an instance out of its pool, with its key. Waits for a refresh of the key that is under way.

    Raises NotFound; SessionError (REFRESH_IN_PROGRESS).
    """
    instance = PoolInstance.objects.filter(repository=repository, name__iexact=name).first()
    if instance is None:
        raise NotFound(
            "POOL_INSTANCE_NOT_FOUND",
            f"{repository} has no pool instance {name!r}.",
            "List them: GET /sfp/api/pools/instances?repository=...",
        )
    audit.require_writable()
    with locked_credential(instance) as held, transaction.atomic():
        # The credential before its owner, as whoever ends a refresh locks them.
        lock_credential(instance.credential_id)
        rows = PoolInstance.objects.select_for_update(of=("self",))
        if rows.filter(pk=instance.pk, credential=instance.credential).first() is None:
            raise error_for("REFRESH_IN_PROGRESS")  # A registration has just taken its key.
        _audit(audit.Action.POOL_REMOVED, instance, by)
        instance.delete()
        if held is not None:
            held.delete()


def make_available(instance: PoolInstance, *, by: Principal) -> bool:
    """Let an instance that was still being made, or has expired, be fetched. False if it is neither by now."""
    with transaction.atomic():
        waiting = PoolInstance.objects.select_for_update(of=("self",)).filter(
            pk=instance.pk, status__in=(Status.PROVISIONING, Status.EXPIRED)
        )
        row = waiting.first()
        if row is None:
            return False
        row.release(Status.AVAILABLE)
        row.save()
        _audit(audit.Action.POOL_MADE_AVAILABLE, row, by)
    return True


class Imported(NamedTuple):
    """What came of an import: numbers of instances."""

    added: int
    made_available: int  # were here already, still being made
    passed_over: int  # somebody holds them, or they are in a pool already


def import_scratch_pool(hub: SalesforceOrg, *, tag: str, repository: str, by: Principal) -> Imported:
    """Add the live scratch orgs of a pool that a DevHub keeps by tag, but for those that somebody holds.

    One that an earlier import found still being made is made available once the DevHub says so. Raises SessionError.
    """
    _, records = call_with_session(
        credential_id_of(hub),
        ParentSessions(hub, by),
        lambda salesforce, session: salesforce.scratch_pool(
            session, tag, tag_field=settings.POOL_FIELD_TAG, allocation_field=settings.POOL_FIELD_STATUS
        ),
    )
    live = [record for record in records if record.status == "Active" and record.org_id]
    known = {name.lower() for name in PoolInstance.objects.values_list("username", flat=True)}
    free = [record for record in reversed(live) if record.allocation.lower() in _ALLOCATIONS]
    new = [record for record in free if record.username.lower() not in known]
    ready = {record.org_id for record in free if _ALLOCATIONS[record.allocation.lower()] == Status.AVAILABLE}
    with transaction.atomic():
        waited = PoolInstance.objects.filter(parent=hub, status=Status.PROVISIONING, org_id__in=ready)
        made_available = sum(make_available(instance, by=by) for instance in waited.order_by("pk"))
        for record in new:
            _insert(_of_record(record, hub, tag, repository), by)
    return Imported(len(new), made_available, len(live) - len(new) - made_available)


# --- Adding ----------------------------------------------------------------------------------------


def _parent(new: NewInstance) -> SalesforceOrg | None:
    if not new.parent_username:
        return None
    return production_org(new.parent_username) if new.type == Type.SANDBOX else dev_hub(new.parent_username)


def _refuse_unreachable(instance: PoolInstance) -> None:
    """Refuse an instance that could never be opened, or is no sandbox or scratch org."""
    org = SalesforceOrg.objects.with_username(instance.username).first() if instance.username else None
    if org is not None:
        _refuse_wrong_kind(instance, org.kind)
        instance.org_id, instance.instance_url, instance.username = org.org_id, org.instance_url, org.username
    elif instance.parent is None:
        raise InvalidRequest(
            "POOL_INSTANCE_WITHOUT_KEY",
            "Nothing says how this instance is reached.",
            "Send parentUsername or sfdxAuthUrl, or the username of a registered org.",
        )
    elif instance.type == Type.SCRATCH_ORG and not instance.username:
        raise InvalidRequest(
            "USERNAME_NEEDED", "A scratch org is found in its DevHub by its username.", "Send username as well."
        )


def _refuse_wrong_kind(instance: PoolInstance, kind: str) -> None:
    wanted = Kind.SANDBOX if instance.type == Type.SANDBOX else Kind.SCRATCH
    if kind != wanted:
        raise InvalidRequest(
            "WRONG_KIND_OF_ORG", f"The org is a {kind} org, not a {wanted} org.", "Add sandboxes and scratch orgs only."
        )


def _insert(instance: PoolInstance, by: Principal) -> None:
    try:
        with transaction.atomic():
            instance.save(force_insert=True)
    except IntegrityError as error:
        raise InvalidRequest(
            "POOL_INSTANCE_EXISTS",
            f"{instance.name} is in a pool already, by its name or its org.",
            "Remove it there first: DELETE /sfp/api/pools/instances?repository=...&name=...",
        ) from error
    _audit(audit.Action.POOL_ADDED, instance, by)


def _add_with_auth_url(instance: PoolInstance, url: AuthUrl, by: Principal) -> PoolInstance:
    audit.require_writable()

    def work() -> PoolInstance:
        credential = credential_for(url)
        try:
            session, (identity, organization) = _validate(credential, url, instance.name, by)
            _refuse_wrong_kind(instance, organization.kind)
            return _store(instance, credential, session, identity, by)
        except OrgError:
            forget_if_unused(credential)
            raise

    return retry_when_gone(work)


def _validate(
    credential: Credential, url: AuthUrl, name: str, by: Principal
) -> tuple[Session, tuple[Identity, Organization]]:
    asking = SessionRequest(by=by, org=name, force=True, submitted_auth_url=url)
    try:
        return call_with_session(
            credential.pk,
            lambda: open_session(credential, asking).session,
            lambda salesforce, session: (salesforce.identity(session), salesforce.organization(session)),
        )
    except SessionError as error:
        if not BY_CODE[error.code].is_client_error:
            raise
        raise InvalidRequest(error.code, str(error), error.action) from error


def _store(
    instance: PoolInstance, credential: Credential, session: Session, identity: Identity, by: Principal
) -> PoolInstance:
    with transaction.atomic():
        held = Credential.objects.select_for_update(of=("self",)).filter(pk=credential.pk).first()
        if held is None:
            raise CredentialGone
        instance.username, instance.org_id, instance.instance_url = (
            identity.username,
            identity.org_id,
            session.instance_url,
        )
        if isinstance(held.owner, SalesforceOrg):
            _insert(instance, by)  # It uses the key of the registered org.
            return instance
        if isinstance(held.owner, PoolInstance):
            raise InvalidRequest(
                "AUTH_URL_IN_USE", "This auth URL belongs to another pool instance.", "Remove that one first."
            )
        unlink_other_owners(held, instance)
        instance.credential = held
        _insert(instance, by)
        bind(held, instance)
    return instance


def _of_record(record: ScratchOrgRecord, hub: SalesforceOrg, tag: str, repository: str) -> PoolInstance:
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


def _audit(action: audit.Action, instance: PoolInstance, by: Principal) -> None:
    facts = {"repository": instance.repository, "pool": instance.pool_tag}
    audit.record(action, audit.Outcome.GRANTED, by=by, org=instance.name, **facts)
