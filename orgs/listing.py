"""Reads the list of orgs: all of them in blocks, or one page."""

from collections.abc import Callable, Iterator

from django.db.models import Value
from django.db.models.functions import Lower
from rest_framework.renderers import JSONRenderer

from authn.database.connections import release_database
from orgs.models import SalesforceOrg, SalesforceOrgQuerySet

BLOCK = 1000
MAX_PAGE = 500

# Returns the list items of a block of orgs.
Present = Callable[[list[SalesforceOrg]], list[dict[str, object]]]


def page(orgs: SalesforceOrgQuerySet, *, after: str, limit: int) -> tuple[list[SalesforceOrg], bool]:
    """Return at most `limit` orgs after the username `after`, and whether more follow."""
    rows = list(_after(orgs, after)[: limit + 1])
    return rows[:limit], len(rows) > limit


def stream(orgs: SalesforceOrgQuerySet, *, after: str, present: Present) -> Iterator[bytes]:
    """Return the chunks of a JSON array of all orgs. No database connection is held between blocks.

    The first block is read before this returns: an error can still set the status of the response.
    """
    first = _block(orgs, after)
    return _stream(orgs, first, present(first), present)


def _stream(
    orgs: SalesforceOrgQuerySet, block: list[SalesforceOrg], shown: list[dict[str, object]], present: Present
) -> Iterator[bytes]:
    renderer, opening = JSONRenderer(), b"["
    while True:
        release_database()
        for content in shown:
            yield opening + renderer.render(content)
            opening = b","
        if len(block) < BLOCK:
            break
        block = _block(orgs, block[-1].username)
        shown = present(block)
    yield b"[]" if opening == b"[" else b"]"


def _block(orgs: SalesforceOrgQuerySet, after: str) -> list[SalesforceOrg]:
    return list(_after(orgs, after)[:BLOCK])


def _after(orgs: SalesforceOrgQuerySet, username: str) -> SalesforceOrgQuerySet:
    rest = orgs.with_related().order_by("username_key")
    return rest.filter(username_key__gt=Lower(Value(username.strip()))) if username else rest
