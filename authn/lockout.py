"""Limits password guesses across all log-in methods: per name and address block, per name, and per address.

An attempt is counted before its password is checked, and uncounted if the password is correct. Each count is
one UPDATE by the database's clock, which is exact however many processes count concurrently.
"""

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Case, DateTimeField, ExpressionWrapper, F, Q, QuerySet, Value, When
from django.db.models.expressions import Combinable
from django.db.models.functions import Greatest, Now
from django.http import HttpRequest
from django.utils.crypto import salted_hmac
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from authn.database.connections import release_database
from authn.errors import LoginBusy, TooManyTries
from authn.models import AddressTries, LoginAttempts
from authn.web.client_address import address_block, client_address

# Failed log-ins that lock a name for a /24 or /64, for a /16 or /48, and for every address. An attempt that a smaller
# block refuses is not counted for a larger one, so an attacker with one network cannot lock an owner out everywhere.
LIMIT, LIMIT_OF_NETWORK, LIMIT_EVERYWHERE = 5, 15, 50
LOCKED_FOR = timedelta(minutes=15)
# LOGINS_PER_ADDRESS_PER_MINUTE limits the attempts of one address.
WINDOW = timedelta(minutes=1)
# A count without an attempt for this long has expired and is deleted.
KEEP_COUNTS_FOR = 2 * LOCKED_FOR

_EVERYWHERE = ""
# The prefixes of the blocks between the smallest one and everywhere.
_NETWORKS = ("/16", "/48")
# An attempt that is undecided for longer belongs to a process that died: it counts as a failure.
_VERIFIED_WITHIN = timedelta(seconds=30)
_MAX_WAIT_SECONDS, _POLL_SECONDS = 10.0, 0.02
_lock = threading.Lock()
_waiting = 0


@dataclass(frozen=True, slots=True)
class LoginAttempt:
    """A counted attempt. End it with `failed`, `succeeded` or `cancel`."""

    digest: str
    blocks: tuple[str, ...]

    def failed(self) -> None:
        """Record that the password was wrong."""
        for block in self.blocks:
            _rows(self.digest, block).update(undecided=_minus("undecided", 1))

    def succeeded(self) -> None:
        """Subtract the failures from the smallest block in every count; undecided attempts stay counted."""
        with transaction.atomic():
            here = _rows(self.digest, self.blocks[0]).select_for_update().first()
            forgotten = here.failures - max(0, here.undecided - 1) if here else 1
            self._subtract(forgotten)

    def cancel(self) -> None:
        """Undo the attempt: its password was not checked."""
        with transaction.atomic():
            self._subtract(1)

    def _subtract(self, failures: int) -> None:
        for block in self.blocks:
            _rows(self.digest, block).update(
                failures=_minus("failures", failures), undecided=_minus("undecided", 1), locked_until=None
            )


def require_unlocked(name: str, request: HttpRequest) -> None:
    """Raise TooManyTries if a name is locked for this client. Counts nothing."""
    _require_unlocked(name_digest(name), _blocks_of(request))


def begin_attempt(name: str, request: HttpRequest) -> LoginAttempt | None:
    """Count an attempt for a canonical name. Returns None while undecided attempts reach the limit.

    Raises TooManyTries while the name is locked.
    """
    attempt = LoginAttempt(name_digest(name), _blocks_of(request))
    if _begin(attempt):
        return attempt
    _require_unlocked(attempt.digest, attempt.blocks)
    return None


class LoginWait:
    """The wait of one log-in for undecided attempts of others. Hold no shared resource while it waits."""

    def __init__(self, name: str, request: HttpRequest) -> None:
        self._digest, self._blocks = name_digest(name), _blocks_of(request)
        self._deadline = time.monotonic() + _MAX_WAIT_SECONDS

    def until_decided(self) -> None:
        """Wait until an attempt can be counted.

        Raises TooManyTries once the name is locked, LoginBusy after ten seconds, or at once when a quarter of the
        threads are waiting.
        """
        with _waiting_slot():
            while time.monotonic() < self._deadline:
                release_database()
                time.sleep(_POLL_SECONDS)
                _require_unlocked(self._digest, self._blocks)
                if not _locks(self._digest, self._blocks).exists():
                    return
            raise LoginBusy


@contextmanager
def _waiting_slot() -> Iterator[None]:
    """Limit the waiting threads, or one client could occupy every thread of the process."""
    global _waiting
    with _lock:
        if _waiting >= max(1, settings.WEB_THREADS // 4):
            raise LoginBusy
        _waiting += 1
    try:
        yield
    finally:
        with _lock:
            _waiting -= 1


def unlock(name: str) -> None:
    """Delete every failure of a name, for all addresses."""
    for rows in _in_order_of_locking(LoginAttempts.objects.filter(name_digest=name_digest(name))):
        rows.delete()


def expired_counts() -> list[QuerySet[LoginAttempts] | QuerySet[AddressTries]]:
    """Return the expired counts, in the order in which they must be deleted."""
    attempts = LoginAttempts.objects.filter(last_try_at__lte=_from_now(-KEEP_COUNTS_FOR))
    addresses = AddressTries.objects.filter(began_at__lte=_from_now(-2 * WINDOW))
    return [*_in_order_of_locking(attempts), addresses]


# --- Attempts per name ------------------------------------------------------------------------------------


def _begin(attempt: LoginAttempt) -> bool:
    """Add the attempt to every count, or to none."""
    with transaction.atomic():
        for block in attempt.blocks:
            if not _count(attempt.digest, block, _limit_of(block)):
                transaction.set_rollback(True)
                return False
    return True


def _count(digest: str, block: str, limit: int) -> bool:
    """Add a failure unless the row is locked; the failure that reaches the limit locks it."""
    lapsed = Q(last_try_at__lte=_from_now(-LOCKED_FOR)) | Q(locked_until__lte=Now())
    abandoned = Q(last_try_at__lte=_from_now(-_VERIFIED_WITHIN))
    free = _rows(digest, block).filter(Q(locked_until=None) | Q(locked_until__lte=Now()))
    values: dict[str, Combinable] = {
        "failures": Case(When(lapsed, then=Value(1)), default=F("failures") + 1),
        "undecided": Case(When(abandoned, then=Value(1)), default=F("undecided") + 1),
        "locked_until": Case(
            When(lapsed, then=Value(None)),
            When(failures__gte=limit - 1, then=_from_now(LOCKED_FOR)),
            default=Value(None),
            output_field=DateTimeField(),
        ),
        "last_try_at": Now(),
    }
    if free.update(**values):
        return True
    row = LoginAttempts(name_digest=digest, address_block=block, last_try_at=Now())
    LoginAttempts.objects.bulk_create([row], ignore_conflicts=True)
    return bool(free.update(**values))


def _require_unlocked(digest: str, blocks: Sequence[str]) -> None:
    """Raise TooManyTries if a lock is final. One with undecided attempts may still be lifted."""
    decided = Q(undecided=0) | Q(last_try_at__lte=_from_now(-_VERIFIED_WITHIN))
    final = _locks(digest, blocks).filter(decided)
    ends = final.annotate(database_now=Now()).values_list("locked_until", "database_now")
    if remaining := [end - now for end, now in ends if end is not None]:
        raise TooManyTries(int(max(remaining).total_seconds()) + 1)


def _locks(digest: str, blocks: Sequence[str]) -> QuerySet[LoginAttempts]:
    """Return the rows of these blocks whose limit is reached, by decided or undecided attempts."""
    return LoginAttempts.objects.filter(name_digest=digest, address_block__in=blocks, locked_until__gt=Now())


def _blocks_of(request: HttpRequest) -> tuple[str, ...]:
    """Return the blocks that an attempt counts for, smallest first, which is the order of row locks."""
    address = client_address(request)
    small = address_block(address, ipv4_prefix=24)
    network = address_block(address, ipv4_prefix=16, ipv6_prefix=48)
    return (small, _EVERYWHERE) if small == network else (small, network, _EVERYWHERE)


def _limit_of(block: str) -> int:
    if block == _EVERYWHERE:
        return LIMIT_EVERYWHERE
    return LIMIT_OF_NETWORK if block.endswith(_NETWORKS) else LIMIT


def _in_order_of_locking(rows: QuerySet[LoginAttempts]) -> list[QuerySet[LoginAttempts]]:
    """Split rows by the size of their block, smallest first, as attempts lock them."""
    everywhere = Q(address_block=_EVERYWHERE)
    networks = Q(*[Q(address_block__endswith=prefix) for prefix in _NETWORKS], _connector=Q.OR)
    return [rows.exclude(networks | everywhere), rows.filter(networks), rows.filter(everywhere)]


def _rows(digest: str, block: str) -> QuerySet[LoginAttempts]:
    return LoginAttempts.objects.filter(name_digest=digest, address_block=block)


def name_digest(name: str) -> str:
    """Return the keyed hash under which the failures of a name are counted."""
    # Keyed by SECRET_KEY, not AUDIT_KEY: rotating it loses counts of minutes only, and audit fingerprints differ.
    return salted_hmac("authn.lockout", name.encode("utf-8", "surrogatepass"), algorithm="sha256").hexdigest()


def _minus(column: str, number: int) -> Combinable:
    return Greatest(F(column) - number, Value(0))


def _from_now(distance: timedelta) -> Combinable:
    return ExpressionWrapper(Now() + distance, output_field=DateTimeField())


# --- Attempts per address ---------------------------------------------------------------------------------


class LoginThrottle(BaseThrottle):
    """Limits log-in attempts per client address, which stops one machine from trying many names."""

    _wait: float | None = None

    def allow_request(self, request: HttpRequest | Request, view: object) -> bool:
        """Count an attempt. Returns False above the limit per minute."""
        block = _client_of(request)
        if self._count(block):
            return True
        AddressTries.objects.bulk_create([AddressTries(address_block=block, began_at=Now())], ignore_conflicts=True)
        return self._count(block) or self._refuse(block)

    def wait(self) -> float | None:
        """Return the seconds until the next attempt is allowed, after a refused one."""
        return self._wait

    def _count(self, block: str) -> bool:
        over = Q(began_at__lte=_from_now(-WINDOW))
        return bool(
            AddressTries.objects.filter(
                over | Q(tries__lt=settings.LOGINS_PER_ADDRESS_PER_MINUTE), address_block=block
            ).update(
                tries=Case(When(over, then=Value(1)), default=F("tries") + 1),
                began_at=Case(When(over, then=Now()), default=F("began_at")),
            )
        )

    def _refuse(self, block: str) -> bool:
        row = AddressTries.objects.filter(address_block=block).annotate(database_now=Now()).first()
        self._wait = max(1.0, (row.began_at + WINDOW - row.database_now).total_seconds()) if row else 1.0
        return False


class RefreshThrottle(LoginThrottle):
    """Refuses refreshes from an address that has reached the limit of log-in attempts, without counting them.

    A valid refresh is not a guess, and many clients may share one address. `count_refused` counts a refused one.
    """

    def allow_request(self, request: HttpRequest | Request, view: object) -> bool:
        """Return False if the limit is reached."""
        block, young = _client_of(request), Q(began_at__gt=_from_now(-WINDOW))
        limit = settings.LOGINS_PER_ADDRESS_PER_MINUTE
        used_up = AddressTries.objects.filter(young, address_block=block, tries__gte=limit)
        return self._refuse(block) if used_up.exists() else True


def count_refused(request: HttpRequest) -> None:
    """Count a refused refresh as a log-in attempt."""
    LoginThrottle().allow_request(request, None)


def _client_of(request: HttpRequest | Request) -> str:
    return address_block(client_address(request), ipv4_prefix=32)
