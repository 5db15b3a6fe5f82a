"""What Frontdesk asks of Salesforce, one method for each question."""

import threading
import time
from typing import Any

from orgs.salesforce import errors
from orgs.salesforce.auth_url import AuthUrl
from orgs.salesforce.hosts import HostPolicy, host_of
from orgs.salesforce.ids import id_18, is_id
from orgs.salesforce.reading import (
    read_organization,
    read_rest,
    read_revocation,
    read_token_answer,
    records_of,
    text_of,
)
from orgs.salesforce.results import Identity, Organization, Session, TokenAnswer
from orgs.salesforce.transport import Transport

_ORGANIZATION = (
    "SELECT Name, InstanceName, IsSandbox, TrialExpirationDate, NamespacePrefix, OrganizationType FROM Organization"
)
_DEV_HUB_PROBE = "SELECT Id FROM ScratchOrgInfo LIMIT 1"
_VERSION_KEPT_SECONDS = 24 * 3600.0


class SalesforceClient:
    """Speaks to Salesforce over a transport. Safe to share between threads."""

    def __init__(self, transport: Transport, hosts: HostPolicy, *, api_version: str = "") -> None:
        self._transport = transport
        self._hosts = hosts
        self._api_version = api_version
        self._versions: dict[str, tuple[float, str]] = {}
        self._versions_lock = threading.Lock()

    def refresh(self, auth_url: AuthUrl) -> TokenAnswer:
        """Trade a refresh token for a short-lived access token.

        Returns a TokenAnswer; Salesforce tells no expiry, expect one to two hours. Raises Refused,
        Temporary, Unreachable, LostAnswer, Unreadable or Untrusted.
        Source: POST https://{host}/services/oauth2/token, refresh_token grant.
        """
        form = {
            "grant_type": "refresh_token",
            "client_id": auth_url.client_id,
            "refresh_token": auth_url.refresh_token,
        }
        if auth_url.client_secret:
            form["client_secret"] = auth_url.client_secret
        answer = self._transport.send("POST", f"https://{auth_url.host}/services/oauth2/token", form=form)
        return read_token_answer(answer, self._hosts, sent_token=auth_url.refresh_token)

    def revoke(self, host: str, token: str) -> None:
        """End a refresh token with its access tokens. One that is dead already counts as done.

        Source: POST https://{host}/services/oauth2/revoke.
        """
        answer = self._transport.send("POST", f"https://{host}/services/oauth2/revoke", form={"token": token})
        read_revocation(answer)

    def identity(self, session: Session) -> Identity:
        """Return whose session this is.

        The username is that of the User row, as the Salesforce CLI takes it. Raises Unreadable
        when the answers do not fit the session.
        """
        info = read_rest(
            self._transport.send("GET", f"{session.instance_url}/services/oauth2/userinfo", bearer=session.access_token)
        )
        if not isinstance(info, dict):
            raise errors.Unreadable
        user_id, org_id = text_of(info, "user_id"), text_of(info, "organization_id")
        if not is_id(user_id, "005") or id_18(org_id) != session.org_id:
            raise errors.Unreadable
        user = self._rest(session, f"sobjects/User/{user_id}")
        if not isinstance(user, dict):
            raise errors.Unreadable
        return Identity(id_18(user_id), session.org_id, text_of(user, "Username", limit=80))

    def organization(self, session: Session) -> Organization:
        """Return the facts of the org: its name, instance, kind and edition."""
        return read_organization(self.query(session, _ORGANIZATION))

    def is_dev_hub(self, session: Session) -> bool:
        """Tell whether this org is a DevHub: only a DevHub knows ScratchOrgInfo."""
        try:
            self.query(session, _DEV_HUB_PROBE)
        except errors.RequestRefused as refusal:
            if refusal.error_code == "INVALID_TYPE":
                return False
            raise
        return True

    def query(self, session: Session, soql: str) -> list[Any]:
        """Return the records of one SOQL query (its first page)."""
        return list(records_of(self._rest(session, "query", {"q": soql})))

    def newest_version(self, instance_url: str) -> str:
        """Return the newest API version that an instance lists, such as "67.0".

        Kept for 24 hours per instance, as the CLI does; SALESFORCE_API_VERSION replaces it.
        """
        if self._api_version:
            return self._api_version
        host = host_of(instance_url)
        with self._versions_lock:
            kept = self._versions.get(host)
        if kept and time.monotonic() - kept[0] < _VERSION_KEPT_SECONDS:
            return kept[1]
        listed = read_rest(self._transport.send("GET", f"{instance_url}/services/data"))
        version = _newest(listed)
        with self._versions_lock:
            self._versions[host] = (time.monotonic(), version)
        return version

    def _rest(self, session: Session, path: str, query: dict[str, str] | None = None) -> Any:
        version = self.newest_version(session.instance_url)
        url = f"{session.instance_url}/services/data/v{version}/{path}"
        return read_rest(self._transport.send("GET", url, bearer=session.access_token, query=query))


def _newest(listed: Any) -> str:
    """Return the highest of the listed versions. Raises Unreadable."""
    try:
        versions = [entry["version"] for entry in listed]
        highest: str = max(versions, key=lambda version: [int(part) for part in version.split(".")])
    except (TypeError, KeyError, ValueError, AttributeError) as error:
        raise errors.Unreadable from error
    if not highest.isascii() or not highest.replace(".", "").isdigit() or len(highest) > 6:
        raise errors.Unreadable
    return highest
