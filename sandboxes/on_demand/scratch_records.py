"""Reads the records that DevHubs keep of scratch orgs, and writes rotated auth URLs back to them."""

from dataclasses import dataclass
from datetime import UTC, datetime

from django.conf import settings

from authn import audit
from authn.principals import Principal
from orgs.credentials import OrgError, call, error_for, error_of, failure_of, host_policy
from orgs.models import SalesforceOrg
from orgs.org_sessions import ParentSessions
from orgs.salesforce import (
    AuthUrl,
    ForeignAuthUrl,
    InvalidAuthUrl,
    SalesforceClient,
    SalesforceError,
    ScratchOrgRecord,
    Session,
)
from orgs.salesforce.errors import RequestRefused
from sandboxes.errors import AuthUrlMissing, ScratchOrgExpired, SearchIncomplete, UnknownScratchOrg
from sandboxes.on_demand.fan_out import OrgResult, failures_in, query_all
from sandboxes.on_demand.parents import parent_credential_id


@dataclass(frozen=True, slots=True)
class ScratchOrg:
    """A scratch org and the DevHub that has its record."""

    hub: SalesforceOrg
    record: ScratchOrgRecord

    @property
    def username(self) -> str:
        """Return the username, as the DevHub spells it."""
        return self.record.username

    @property
    def audit_target(self) -> audit.Target:
        """Return the org as the target of an audited action."""
        return audit.Target(audit.TargetKind.ORG, "", self.username)


def find_scratch_org(username: str, hubs: list[SalesforceOrg], *, by: Principal) -> ScratchOrg:
    """Return the active scratch org with this username, from the first of the DevHubs that has its record.

    Raises NotFound, ScratchOrgExpired, AuthUrlMissing, SearchIncomplete. With one DevHub,
    also the OrgError of its query.
    """
    if len(hubs) == 1:
        results = [OrgResult(hubs[0], _record(hubs[0], username, by))]
    else:
        results = query_all(hubs, lambda hub: _record(hub, username, by))
    for result in results:
        if result.found:
            _require_active(result.found)
            return ScratchOrg(result.org, result.found)
    # Searching a DevHub without the field again would not change its result.
    if failures := failures_in(result for result in results if result.error_code != AuthUrlMissing.code):
        raise SearchIncomplete(f"The scratch org {username}", failures)
    raise UnknownScratchOrg(username, map(_described, results))


def auth_url_of(scratch: ScratchOrg) -> AuthUrl:
    """Parse the auth URL in a record. It is not trusted: every user who may edit the record can change it.

    Raises AuthUrlMissing; SessionError (UPSTREAM_UNTRUSTED_URL).
    """
    text = scratch.record.auth_url
    if not text.strip():
        raise AuthUrlMissing(scratch.username, f"{settings.SCRATCH_AUTH_URL_FIELD} is empty")
    try:
        return AuthUrl.find(text, host_policy())
    except ForeignAuthUrl as error:
        raise error_for("UPSTREAM_UNTRUSTED_URL") from error
    except InvalidAuthUrl as error:
        reason = f"{settings.SCRATCH_AUTH_URL_FIELD} is not an auth URL. {error}".removesuffix(".")
        raise AuthUrlMissing(scratch.username, reason) from error


def write_auth_url(scratch: ScratchOrg, url: AuthUrl, *, by: Principal) -> None:
    """Store an auth URL in a record, if the DevHub allows that. The result is in the audit; no error is raised."""

    def write(salesforce: SalesforceClient, session: Session) -> None:
        salesforce.write_auth_url(session, scratch.record, url, field=settings.SCRATCH_AUTH_URL_FIELD)

    code = ""
    try:
        call(parent_credential_id(scratch.hub), ParentSessions(scratch.hub, by), write)
    except SalesforceError as error:
        code = failure_of(error).code
    except OrgError as error:
        code = error.code
    outcome = audit.Outcome.FAILED if code else audit.Outcome.GRANTED
    audit.record(
        audit.Action.AUTH_URL_WRITTEN, outcome, by=by, target=scratch.audit_target, code=code, token=url.refresh_token
    )


def _record(hub: SalesforceOrg, username: str, by: Principal) -> ScratchOrgRecord | None:
    """Query a DevHub for its record of a scratch org."""

    def query(salesforce: SalesforceClient, session: Session) -> ScratchOrgRecord | None:
        return salesforce.scratch_org(session, username, auth_url_field=settings.SCRATCH_AUTH_URL_FIELD)

    try:
        _, record = call(parent_credential_id(hub), ParentSessions(hub, by), query)
    except RequestRefused as refusal:
        if refusal.error_code == "INVALID_FIELD":
            raise AuthUrlMissing(
                username, f"{hub.username} has no field {settings.SCRATCH_AUTH_URL_FIELD}"
            ) from refusal
        raise error_of(refusal) from refusal
    except SalesforceError as error:
        raise error_of(error) from error
    return record


def _described(result: OrgResult[ScratchOrgRecord]) -> str:
    lacking = f" (which has no field {settings.SCRATCH_AUTH_URL_FIELD})" if result.error_code else ""
    return result.org.username + lacking


def _require_active(record: ScratchOrgRecord) -> None:
    if record.status in ("New", "Creating"):
        raise error_for("ORG_NOT_READY")
    if record.status != "Active":
        raise ScratchOrgExpired(record.username, record.status)
    if record.expires and record.expires < datetime.now(UTC).date():
        raise ScratchOrgExpired(record.username, f"it expired on {record.expires}")
