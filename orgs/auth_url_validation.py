"""Validates an auth URL with Salesforce before anything is stored for it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from authn import audit
from authn.principals import Principal
from orgs.credential_ownership import delete_if_unused
from orgs.credentials.calls import call_with_session
from orgs.credentials.concurrency import host_policy
from orgs.credentials.errors import OrgError, SessionError
from orgs.credentials.failures import BY_CODE
from orgs.credentials.models import Credential
from orgs.credentials.session_request import SessionRequest
from orgs.credentials.sessions import open_session, retry_when_gone
from orgs.credentials.token_index import credential_for
from orgs.errors import InvalidSfdxAuthUrl, RedactedSfdxAuthUrl, RegistrationRefused
from orgs.salesforce import AuthUrl, InvalidAuthUrl, RedactedAuthUrl, SalesforceClient, Session

Details = TypeVar("Details")
Stored = TypeVar("Stored")


def parse_auth_url(text: str) -> AuthUrl:
    """Return the one auth URL in a text that a caller sent. Raises InvalidSfdxAuthUrl."""
    try:
        return AuthUrl.find(text, host_policy())
    except RedactedAuthUrl as error:
        raise RedactedSfdxAuthUrl(str(error)) from error
    except InvalidAuthUrl as error:
        raise InvalidSfdxAuthUrl(str(error), action=error.action, page_action=error.action) from error


def login_host_advice(error: OrgError, auth_url: AuthUrl) -> str:
    """Return what to say of a refused token whose auth URL names the log-in host of production orgs, else "".

    Salesforce refuses a sandbox's token there as if it had expired.
    """
    if error.code != "CREDENTIAL_EXPIRED" or not auth_url.sandbox_login_host:
        return ""
    return (
        f" The auth URL names {auth_url.host}: "
        f"a sandbox or scratch org logs in at {auth_url.sandbox_login_host} or at its My Domain."
    )


def validate_and_store(
    auth_url: AuthUrl,
    *,
    by: Principal,
    target: audit.Target | None,
    read: Callable[[SalesforceClient, Session], Details],
    store: Callable[[Credential, Session, Details], Stored],
) -> Stored:
    """Refresh the credential of an auth URL, call Salesforce with `read`, and return what `store` returns.

    `store` writes in one transaction and may raise CredentialGone: then all is done again with the current
    credential. On an error a new credential is deleted, unless its token rotated. `target` is the org
    in the audit. Raises RegistrationRefused for permanent failures, SessionError for temporary ones.
    """

    def work() -> Stored:
        credential = credential_for(auth_url)
        request = SessionRequest(by=by, target=target, force=True, submitted_auth_url=auth_url)
        try:
            with permanent_failures_refused(submitted=auth_url):
                session, details = call_with_session(
                    credential.pk, lambda: open_session(credential, request).session, read
                )
            return store(credential, session, details)
        except OrgError:
            delete_if_unused(credential)
            raise

    return retry_when_gone(work)


@contextmanager
def permanent_failures_refused(*codes: str, submitted: AuthUrl | None = None) -> Iterator[None]:
    """Raise RegistrationRefused (400) for a SessionError that is a client error or has one of `codes`.

    Registration sends the credential to be validated, so a permanent failure is invalid input there. The message
    says so if the host of the `submitted` auth URL may be the reason.
    """
    try:
        yield
    except SessionError as error:
        if not (BY_CODE[error.code].is_client_error or error.code in codes):
            raise
        raise RegistrationRefused.of(error, login_host_advice(error, submitted) if submitted else "") from error
