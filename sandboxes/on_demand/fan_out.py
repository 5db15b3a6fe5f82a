"""Queries several production orgs or DevHubs concurrently, within one time limit.

The failure of one org does not fail the search. Callers distinguish by the results: found, found twice, not found,
and not found while some orgs could not be queried.
"""

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextvars import copy_context
from dataclasses import dataclass
from typing import Generic, TypeVar

from django.db import connections

from authn import audit
from authn.database.connections import release_database
from orgs.credentials import OrgError
from orgs.models import SalesforceOrg

TIME_LIMIT_SECONDS = 20.0
_MAX_PARALLEL = 8

Found = TypeVar("Found")


@dataclass(frozen=True, slots=True)
class OrgResult(Generic[Found]):
    """The result of one org: what was found, or None. `error_code` says why the org could not be queried."""

    org: SalesforceOrg
    found: Found | None = None
    error_code: str = ""


def query_all(
    orgs: Sequence[SalesforceOrg], query: Callable[[SalesforceOrg], Found | None], *, seconds: float | None = None
) -> list[OrgResult[Found]]:
    """Return the result of each org, in their order. The error after `seconds` (20) is UPSTREAM_TIMEOUT.

    A single org is queried in the caller's thread, with the time limits of any call to Salesforce.
    """
    if len(orgs) == 1:
        return [_query(orgs[0], query)]
    audit.require_writable()  # Once for all threads: each gets a copy of this thread's context.
    release_database()
    pool = ThreadPoolExecutor(_MAX_PARALLEL, thread_name_prefix="search")
    try:
        futures: list[Future[OrgResult[Found]]] = [
            pool.submit(copy_context().run, _query_in_thread, org, query) for org in orgs
        ]
        wait(futures, timeout=TIME_LIMIT_SECONDS if seconds is None else seconds)
        return [_result(org, future) for org, future in zip(orgs, futures, strict=True)]
    finally:
        # Running queries end by their own time-outs, in the background.
        pool.shutdown(wait=False, cancel_futures=True)


def failures_in(results: Iterable[OrgResult[Found]]) -> list[str]:
    """Return the orgs that could not be queried, each with the error code, for a message."""
    return [f"{result.org.username} ({result.error_code})" for result in results if result.error_code]


def _result(org: SalesforceOrg, future: "Future[OrgResult[Found]]") -> OrgResult[Found]:
    if future.done() and not future.cancelled():
        return future.result()
    return OrgResult(org, error_code="UPSTREAM_TIMEOUT")


def _query_in_thread(org: SalesforceOrg, query: Callable[[SalesforceOrg], Found | None]) -> OrgResult[Found]:
    try:
        return _query(org, query)
    finally:
        connections.close_all()


def _query(org: SalesforceOrg, query: Callable[[SalesforceOrg], Found | None]) -> OrgResult[Found]:
    try:
        return OrgResult(org, query(org))
    except OrgError as error:
        return OrgResult(org, error_code=error.code)
