"""Which names are locked at the moment, and for which addresses."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models.functions import Now

from authn.lockout import name_digest
from authn.models import LoginAttempts


@dataclass(frozen=True, slots=True)
class Lock:
    """A lock of a name for a block of addresses, or for every address if `address_block` is empty."""

    address_block: str
    until: datetime


def locks_of(names: Iterable[str]) -> dict[str, list[Lock]]:
    """Return the locks of each canonical name that is locked, in one query."""
    names_by_digest = {name_digest(name): name for name in names}
    locked = LoginAttempts.objects.filter(name_digest__in=names_by_digest, locked_until__gt=Now())
    locks: dict[str, list[Lock]] = defaultdict(list)
    for digest, block, until in locked.order_by("address_block").values_list(
        "name_digest", "address_block", "locked_until"
    ):
        if until is not None:
            locks[names_by_digest[digest]].append(Lock(block, until))
    return dict(locks)
