"""Creates a grant for a sandbox through its production org: sandboxAuth returns a code, which is exchanged.

Each exchange adds a grant of the same user and app, and Salesforce keeps five: the sixth ends the first. So a
created grant is stored and refreshed, and another is created only after Salesforce refused it permanently.
"""

import uuid
from collections.abc import Callable
from dataclasses import dataclass

from orgs.credentials import replay
from orgs.credentials.calls import call
from orgs.credentials.concurrency import salesforce_slot
from orgs.credentials.envelopes import decrypt_grant
from orgs.credentials.errors import CredentialTampered, OrgError, SessionError
from orgs.credentials.failures import BY_CODE, error_for
from orgs.credentials.models import Credential
from orgs.credentials.session_request import CreatedGrant, ParentUnavailable
from orgs.errors import OrgNotFound
from orgs.models import SalesforceOrg
from orgs.salesforce import AuthUrl, SandboxCode, Session, host_of
from orgs.salesforce import errors as wire


@dataclass(frozen=True, slots=True)
class SandboxGrantCreator:
    """Creates grants for one sandbox. `credential_id` is the credential that they are stored in.

    `parent_sessions` returns, for each call, the function that gets the parent's sessions for it. The grant must
    be of `username`, if that is set; `check_org_id` raises OrgError for an org id that is not accepted.
    """

    parent: SalesforceOrg
    parent_sessions: Callable[[], Callable[[], Session]]
    sandbox_name: str
    credential_id: uuid.UUID
    username: str = ""
    check_org_id: Callable[[str], None] = lambda _org_id: None

    def __call__(self, deadline: float) -> CreatedGrant:
        """Create a grant: sandboxAuth at the parent, then the exchange at the host that it returns."""
        app = self._app()
        code = self._code(app.client_id, deadline)
        return self._exchange(code, app, deadline)

    def explain(self, error: OrgError) -> OrgError:
        """Return the error to raise: one that names the sandbox and the production org, where both matter."""
        messages = {
            "SANDBOX_AUTH_REFUSED": f"{self.parent.username} cannot log in to the sandbox {self.sandbox_name!r}: "
            "only the user who created or last refreshed it can.",
            "SANDBOX_NOT_FOUND": f"{self.parent.username} has no sandbox {self.sandbox_name!r}.",
        }
        return BY_CODE[error.code].error(message=messages[error.code]) if error.code in messages else error

    def _app(self) -> AuthUrl:
        """Return the app of the parent's own grant, which the code is issued to."""
        row = Credential.objects.with_secrets().filter(org=self.parent).first()
        if row is None:
            raise ParentUnavailable(OrgNotFound(self.parent.username))
        try:
            return decrypt_grant(row).auth_url
        except CredentialTampered as error:
            raise ParentUnavailable(error) from error

    def _code(self, client_id: str, deadline: float) -> SandboxCode:
        try:
            _, code = call(
                self._parent_id,
                self._sessions(),
                lambda salesforce, session: salesforce.until(deadline).sandbox_code(
                    session, sandbox_name=self.sandbox_name, client_id=client_id
                ),
            )
        except wire.RequestRefused as refusal:
            raise self._reason(refusal, deadline) from refusal
        return code

    def _reason(self, refusal: wire.RequestRefused, deadline: float) -> SessionError:
        """Return why the production org issued no code. Its error messages for that are not documented."""
        if refusal.error_code == "INVALID_STATUS":
            return error_for("SANDBOX_BUSY")
        _, state = call(
            self._parent_id,
            self._sessions(),
            lambda salesforce, session: salesforce.until(deadline).sandbox_state(session, self.sandbox_name),
        )
        if state is None or state.is_deleted:
            return error_for("SANDBOX_NOT_FOUND")
        return error_for("SANDBOX_AUTH_REFUSED" if state.is_ready else "SANDBOX_BUSY")

    def _exchange(self, code: SandboxCode, app: AuthUrl, deadline: float) -> CreatedGrant:
        with salesforce_slot(self.credential_id) as salesforce:
            result = salesforce.until(deadline).exchange_code(
                code, client_id=app.client_id, client_secret=app.client_secret
            )
        if result.session is None or result.refresh_token is None:
            raise result.fault or wire.Unreadable()
        host = host_of(result.session.instance_url)
        url = AuthUrl(app.client_id, app.client_secret, result.refresh_token, host)
        try:
            self._check(code, result.session)
        except (SessionError, ParentUnavailable):
            # The grant would not be stored, but would count against the five that Salesforce keeps.
            replay.revoke_orphan(self.credential_id, url)
            raise
        return CreatedGrant(url, result.session, self.username or code.username)

    def _check(self, code: SandboxCode, session: Session) -> None:
        if self.username and code.username.lower() != self.username.lower():
            raise error_for("SANDBOX_USER_CHANGED")
        try:
            self.check_org_id(session.org_id)
        except OrgError as error:
            raise ParentUnavailable(error) from error

    @property
    def _parent_id(self) -> uuid.UUID:
        return self.parent.credential_id or self.credential_id

    def _sessions(self) -> Callable[[], Session]:
        """Return the function that gets the parent's sessions for one call. It raises ParentUnavailable."""
        next_session = self.parent_sessions()

        def session_of_parent() -> Session:
            try:
                return next_session()
            except OrgError as error:
                raise ParentUnavailable(error) from error

        return session_of_parent
