"""The failure that an error of Salesforce stands for, and the error that a stored code stands for.

A credential's row stores the code of its last attempt. Callers who waited for that attempt in other
threads, processes and machines raise the same error from it as the caller who made the attempt. The
entries are in failure_catalogue.py.
"""

from django.utils import timezone

from orgs.credentials import errors
from orgs.credentials.failure_catalogue import FAILURES, Failure
from orgs.credentials.models import Credential
from orgs.salesforce import errors as salesforce

BY_CODE = {failure.code: failure for failure in FAILURES}

_BY_WIRE_ERROR: tuple[tuple[type[salesforce.SalesforceError], str], ...] = (
    (salesforce.AppNotInstalled, "APP_NOT_INSTALLED"),
    (salesforce.AppBlocked, "APP_BLOCKED"),
    (salesforce.APIAccessDenied, "API_ACCESS_DENIED"),
    (salesforce.AppRejected, "APP_REJECTED"),
    (salesforce.UserNotApproved, "USER_NOT_APPROVED"),
    (salesforce.UserInactive, "USER_INACTIVE"),
    (salesforce.IPNotAllowed, "IP_NOT_ALLOWED"),
    (salesforce.OrgGone, "ORG_GONE"),
    (salesforce.ExpiredToken, "CREDENTIAL_EXPIRED"),
    (salesforce.UnknownRefusal, "UPSTREAM_UNKNOWN_ERROR"),
    (salesforce.AlreadyProcessing, "REFRESH_IN_PROGRESS"),
    (salesforce.LoginRateExceeded, "UPSTREAM_LOGIN_LIMIT"),
    (salesforce.APILimitReached, "ORG_API_LIMIT"),
    (salesforce.Maintenance, "UPSTREAM_MAINTENANCE"),
    (salesforce.NotReady, "ORG_NOT_READY"),
    (salesforce.Temporary, "UPSTREAM_ERROR"),
    (salesforce.TLSFailed, "TLS_FAILED"),
    (salesforce.AddressRefused, "UPSTREAM_ADDRESS_REFUSED"),
    (salesforce.ConnectTimedOut, "UPSTREAM_TIMEOUT"),
    (salesforce.Unreachable, "UPSTREAM_UNREACHABLE"),
    (salesforce.TimedOut, "UPSTREAM_TIMEOUT"),
    (salesforce.LostResponse, "UPSTREAM_LOST"),
    (salesforce.Unreadable, "UPSTREAM_UNREADABLE"),
    (salesforce.Redirected, "UPSTREAM_REDIRECT"),
    (salesforce.Untrusted, "UPSTREAM_UNTRUSTED_URL"),
    (salesforce.SessionExpired, "SESSION_REFUSED"),
    (salesforce.SalesforceError, "UPSTREAM_REFUSED"),
)


def failure_of(error: salesforce.SalesforceError) -> Failure:
    """Return the failure that an error of the Salesforce client stands for."""
    return BY_CODE[next(code for kind, code in _BY_WIRE_ERROR if isinstance(error, kind))]


def error_of(error: salesforce.SalesforceError) -> errors.SessionError:
    """Return the error to raise for an error of the Salesforce client."""
    return failure_of(error).error(error.retry_after, detail=error.detail)


def error_for(code: str, retry_after: int | None = None, detail: str = "") -> errors.SessionError:
    """Return the error for a code of the catalogue. `retry_after`, in seconds, replaces the default."""
    return BY_CODE[code].error(retry_after, detail=detail)


def recorded_failure(credential: Credential) -> Failure | None:
    """Return the permanent failure of a credential's last attempt, None if there is none."""
    failure = BY_CODE.get(credential.outcome)
    return failure if failure and failure.permanent else None


def blocking_failure(credential: Credential) -> Failure | None:
    """Return the failure on record that is returned without a call, None if the credential may be refreshed."""
    failure = recorded_failure(credential)
    if failure is None or failure.may_pass_within is None or credential.last_checked_at is None:
        return failure
    # By this machine's clock: a difference from the database's only moves the next call by seconds.
    return None if credential.last_checked_at < timezone.now() - failure.may_pass_within else failure
