"""Client of the Salesforce APIs that Frontdesk uses, one method per call."""

import copy
import threading
import time
from collections.abc import Mapping, Sequence
from urllib.parse import quote

from orgs.salesforce import errors
from orgs.salesforce.auth_url import AuthUrl
from orgs.salesforce.deadline import Watch
from orgs.salesforce.hosts import HostPolicy, host_of
from orgs.salesforce.ids import id_18, is_id
from orgs.salesforce.reading import (
    MAX_USERNAME_LENGTH,
    read_organization,
    read_rest,
    read_revocation,
    read_token_response,
    records_of,
    text_of,
)
from orgs.salesforce.reading_on_demand import (
    read_one_time_link,
    read_sandbox_code,
    read_sandbox_state,
    read_scratch_org,
)
from orgs.salesforce.refusals import CODE, REFRESH
from orgs.salesforce.results import (
    Identity,
    Organization,
    SandboxCode,
    SandboxState,
    ScratchOrgRecord,
    Session,
    TokenResponse,
)
from orgs.salesforce.soql import field_name, newest_where
from orgs.salesforce.transport import Response, Transport

_ORGANIZATION = "SELECT InstanceName, IsSandbox, TrialExpirationDate, OrganizationType FROM Organization"
_DEV_HUB_PROBE = "SELECT Id FROM ScratchOrgInfo LIMIT 1"
_SANDBOX_FIELDS = ("Id", "Status", "SandboxName", "SandboxOrganization")
_SCRATCH_FIELDS = ("Id", "ScratchOrg", "SignupUsername", "Status", "ExpirationDate")
# The callback of the CLI's connected app. No browser is ever redirected to it.
_CALLBACK_URL = "http://localhost:1717/OauthRedirect"
_VERSION_KEPT_SECONDS = 24 * 3600.0


class SalesforceClient:
    """Calls Salesforce over a transport. Safe to share between threads."""

    def __init__(self, transport: Transport, hosts: HostPolicy, *, api_version: str = "") -> None:
        self._transport = transport
        self._hosts = hosts
        self._api_version = api_version
        self._versions: dict[str, tuple[float, str]] = {}
        self._versions_lock = threading.Lock()
        self._deadline: float | None = None

    def until(self, deadline: float) -> "SalesforceClient":
        """Return a copy of this client whose calls end by a deadline, in time.monotonic() seconds."""
        bounded = copy.copy(self)
        bounded._deadline = deadline
        return bounded

    def refresh(self, auth_url: AuthUrl, *, watch: Watch | None = None) -> TokenResponse:
        """Exchange a refresh token for a short-lived access token.

        `watch` bounds the exchange in place of the transport's time-out; see Watch.

        Returns a TokenResponse. Salesforce does not send the access token's expiry; expect one to two hours.
        Raises Refused, Temporary, Unreachable, LostResponse, Unreadable or Untrusted.
        Source: POST https://{host}/services/oauth2/token, refresh_token grant.
        """
        form = {
            "grant_type": REFRESH,
            "client_id": auth_url.client_id,
            "refresh_token": auth_url.refresh_token,
        }
        if auth_url.client_secret:
            form["client_secret"] = auth_url.client_secret
        response = self._send("POST", f"https://{auth_url.host}/services/oauth2/token", form=form, watch=watch)
        return read_token_response(response, self._hosts, grant=REFRESH, sent_token=auth_url.refresh_token)

    def revoke(self, host: str, token: str) -> None:
        """Revoke a refresh token with its access tokens. One that has already ended counts as revoked.

        Source: POST https://{host}/services/oauth2/revoke.
        """
        response = self._send("POST", f"https://{host}/services/oauth2/revoke", form={"token": token})
        read_revocation(response)

    def identity(self, session: Session) -> Identity:
        """Return the user and org of a session.

        The username is read from the User row, as the Salesforce CLI does. Raises Unreadable if the
        responses contradict the session.
        """
        info = read_rest(
            self._send("GET", f"{session.instance_url}/services/oauth2/userinfo", bearer=session.access_token)
        )
        if not isinstance(info, dict):
            raise errors.Unreadable
        user_id, org_id = text_of(info, "user_id"), text_of(info, "organization_id")
        if not is_id(user_id, "005") or id_18(org_id) != session.org_id:
            raise errors.Unreadable
        user = self._rest(session, f"sobjects/User/{user_id}")
        if not isinstance(user, dict):
            raise errors.Unreadable
        return Identity(id_18(user_id), session.org_id, text_of(user, "Username", limit=MAX_USERNAME_LENGTH))

    def organization(self, session: Session) -> Organization:
        """Return the instance, kind and edition of the session's org."""
        return read_organization(self.query(session, _ORGANIZATION))

    def is_dev_hub(self, session: Session) -> bool:
        """Return True if the org is a DevHub: only DevHubs have the ScratchOrgInfo object."""
        try:
            self.query(session, _DEV_HUB_PROBE)
        except errors.RequestRefused as refusal:
            if refusal.error_code == "INVALID_TYPE":
                return False
            raise
        return True

    def query(self, session: Session, soql: str) -> list[Mapping[str, object]]:
        """Return the records of a SOQL query (its first page)."""
        return records_of(self._rest(session, "query", {"q": soql}))

    # --- Sandboxes and scratch orgs, read from their production org or DevHub ----------------------------

    def sandbox_code(self, session: Session, *, sandbox_name: str, client_id: str) -> SandboxCode:
        """Return a code of a production org that logs its user in to a sandbox.

        `client_id` is that of the session's app. Raises RequestRefused when the
        sandbox is unknown or not ready, or was created by another user.
        Source: POST tooling/sandboxAuth, undocumented; sfdx-core, org.ts.
        """
        body = {"clientId": client_id, "sandboxName": sandbox_name, "callbackUrl": _CALLBACK_URL}
        content = self._rest(session, "tooling/sandboxAuth", method="POST", body=body)
        return read_sandbox_code(content, self._hosts, callback_url=_CALLBACK_URL)

    def exchange_code(self, code: SandboxCode, *, client_id: str, client_secret: str) -> TokenResponse:
        """Exchange a code for a refresh token and a first session. Each exchange adds a grant of the user.

        Source: POST {loginUrl}/services/oauth2/token, authorization_code grant, without PKCE.
        """
        form = {
            "grant_type": CODE,
            "client_id": client_id,
            "code": code.code,
            "redirect_uri": code.callback_url,
        }
        if client_secret:
            form["client_secret"] = client_secret
        response = self._send("POST", f"{code.login_url}/services/oauth2/token", form=form)
        return read_token_response(response, self._hosts, grant=CODE, sent_token="")

    def sandbox_state(self, session: Session, sandbox_name: str) -> SandboxState | None:
        """Return the newest creation or refresh of a sandbox, None if the production org has none."""
        soql = newest_where("SandboxProcess", _SANDBOX_FIELDS, field="SandboxName", value=sandbox_name)
        rows = records_of(self._rest(session, "tooling/query", {"q": soql}))
        return read_sandbox_state(rows[0]) if rows else None

    def scratch_org(self, session: Session, username: str, *, auth_url_field: str) -> ScratchOrgRecord | None:
        """Return the newest record of a scratch org, None if the DevHub has none."""
        fields = (*_SCRATCH_FIELDS, auth_url_field)
        soql = newest_where("ScratchOrgInfo", fields, field="SignupUsername", value=username)
        rows = self.query(session, soql)
        return read_scratch_org(rows[0], auth_url_field=auth_url_field) if rows else None

    def scratch_pool(
        self, session: Session, tag: str, *, tag_field: str, allocation_field: str
    ) -> Sequence[ScratchOrgRecord]:
        """Return the records of a pool's scratch orgs, newest first, at most 2,000."""
        fields = (*_SCRATCH_FIELDS, allocation_field)
        soql = newest_where("ScratchOrgInfo", fields, field=tag_field, value=tag, limit=2000)
        return [read_scratch_org(row, allocation_field=allocation_field) for row in self.query(session, soql)]

    def write_auth_url(self, session: Session, record: ScratchOrgRecord, auth_url: AuthUrl, *, field: str) -> None:
        """Store a rotated auth URL in a scratch org's record, where other tools read it."""
        path = f"sobjects/ScratchOrgInfo/{record.record_id}"
        self._rest(session, path, method="PATCH", body={field_name(field): auth_url.reveal()})

    def one_time_link(self, session: Session, page: str = "") -> str:
        """Return a link that logs a browser in to the org, once and within about a minute.

        `page` is a path in the org. Raises SessionExpired also for a user who may not open the UI, as
        Salesforce refuses both alike. Source: GET services/oauth2/singleaccess.
        """
        url = f"{session.instance_url}/services/oauth2/singleaccess"
        query = {"redirect_uri": page} if page else None
        content = read_rest(self._send("GET", url, bearer=session.access_token, query=query))
        return read_one_time_link(content, self._hosts, gateway=self._transport.gateway)

    # --- The REST API --------------------------------------------------------------------------------

    def newest_version(self, instance_url: str) -> str:
        """Return the newest API version that an instance lists, such as "67.0".

        Cached for 24 hours per instance, as the CLI does; SALESFORCE_API_VERSION overrides it.
        """
        if self._api_version:
            return self._api_version
        host = host_of(instance_url)
        with self._versions_lock:
            kept = self._versions.get(host)
        if kept and time.monotonic() - kept[0] < _VERSION_KEPT_SECONDS:
            return kept[1]
        listed = read_rest(self._send("GET", f"{instance_url}/services/data"))
        version = _newest(listed)
        with self._versions_lock:
            self._versions[host] = (time.monotonic(), version)
        return version

    def _rest(
        self,
        session: Session,
        path: str,
        query: dict[str, str] | None = None,
        *,
        method: str = "GET",
        body: dict[str, str] | None = None,
    ) -> object:
        version = self.newest_version(session.instance_url)
        url = f"{session.instance_url}/services/data/v{version}/{path}"
        return read_rest(self._send(method, url, bearer=session.access_token, query=query, body=body))

    def _send(
        self,
        method: str,
        url: str,
        *,
        bearer: str = "",
        form: dict[str, str] | None = None,
        query: dict[str, str] | None = None,
        body: dict[str, str] | None = None,
        watch: Watch | None = None,
    ) -> Response:
        within = None if self._deadline is None else self._deadline - time.monotonic()
        return self._transport.send(
            method, url, bearer=bearer, form=form, query=query, body=body, within_seconds=within, watch=watch
        )


def frontdoor_with_session(session: Session, page: str = "") -> str:
    """Return a legacy front-door link, which contains the access token. Only for operators who enable it."""
    back = f"&retURL={quote(page, safe='')}" if page else ""
    return f"{session.instance_url}/secur/frontdoor.jsp?sid={quote(session.access_token, safe='')}{back}"


def _newest(listed: object) -> str:
    """Return the highest of the listed versions. Raises Unreadable."""
    try:
        versions = [entry["version"] for entry in listed] if isinstance(listed, list) else []
        highest: str = max(versions, key=lambda version: [int(part) for part in version.split(".")])
    except (TypeError, KeyError, ValueError, AttributeError) as error:
        raise errors.Unreadable from error
    if not highest.isascii() or not highest.replace(".", "").isdigit() or len(highest) > 6:
        raise errors.Unreadable
    return highest
