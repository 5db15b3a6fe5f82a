"""Reads the counts of wrong passwords, and moves their times, which the database sets, into the past."""

from datetime import timedelta

from django.db.models import F

from authn.models import AddressTries, LoginAttempts


def failures(block: str = "127.0.0.0/24") -> list[int]:
    """Return the failures of each user in a network; "" stands for all networks."""
    return list(LoginAttempts.objects.filter(address_block=block).order_by("id").values_list("failures", flat=True))


def let_pass(time: timedelta) -> None:
    """Move the times of all counts into the past."""
    LoginAttempts.objects.update(last_try_at=F("last_try_at") - time, locked_until=F("locked_until") - time)
    AddressTries.objects.update(began_at=F("began_at") - time)
