"""Asks several production orgs or DevHubs the same question, side by side, within one budget of time.

One dead org never fails a search: found, not found, found twice and not everybody asked are told
apart by whoever reads the replies.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextvars import copy_context
from dataclasses import dataclass
from typing import Generic, TypeVar

from django.db import connections

from authn import audit
from authn.database.connections import release_database
from orgs.credentials import OrgError
from orgs.models import SalesforceOrg

BUDGET_SECONDS = 20.0
_MAX_PARALLEL = 8

Found = TypeVar("Found")


@dataclass(frozen=True, slots=True)
class OrgAnswer(Generic[Found]):
    """What one org said: `found`, or None; `unasked` says, by a code, why it could not be asked."""

    org: SalesforceOrg
    found: Found | None = None
    unasked: str = ""


def query_all(
    orgs: Sequence[SalesforceOrg], question: Callable[[SalesforceOrg], Found | None], *, seconds: float | None = None
) -> list[OrgAnswer[Found]]:
    """Return the reply of each org, in their order. Whoever has not replied in `seconds` (20) counts as unasked.

    A single org is asked by the caller itself, and takes the time that any question to it takes.
    """
    if len(orgs) == 1:
        return [_query(orgs[0], question)]
    audit.require_writable()  # Once for all threads: each gets a copy of this one's context.
    release_database()
    pool = ThreadPoolExecutor(_MAX_PARALLEL, thread_name_prefix="search")
    try:
        futures: list[Future[OrgAnswer[Found]]] = [
            pool.submit(copy_context().run, _query_in_thread, org, question) for org in orgs
        ]
        wait(futures, timeout=BUDGET_SECONDS if seconds is None else seconds)
        return [_answer(org, future) for org, future in zip(orgs, futures, strict=True)]
    finally:
        # Those still under way end by their own time-outs; nobody waits for them.
        pool.shutdown(wait=False, cancel_futures=True)


def _answer(org: SalesforceOrg, future: "Future[OrgAnswer[Found]]") -> OrgAnswer[Found]:
    return future.result() if future.done() and not future.cancelled() else OrgAnswer(org, unasked="UPSTREAM_TIMEOUT")


def _query_in_thread(org: SalesforceOrg, question: Callable[[SalesforceOrg], Found | None]) -> OrgAnswer[Found]:
    try:
        return _query(org, question)
    finally:
        connections.close_all()


def _query(org: SalesforceOrg, question: Callable[[SalesforceOrg], Found | None]) -> OrgAnswer[Found]:
    try:
        return OrgAnswer(org, question(org))
    except OrgError as error:
        return OrgAnswer(org, unasked=error.code)
