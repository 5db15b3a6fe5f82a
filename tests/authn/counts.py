"""Looks at the counts of wrong passwords, and moves them into the past: they go by the database's clock."""

from datetime import timedelta

from django.db.models import F

from authn.models import AddressTries, LoginAttempts


def failures(block: str = "127.0.0.0/24") -> list[int]:
    """Return the failures that are counted for each name from a block of addresses; "" is everywhere."""
    return list(LoginAttempts.objects.filter(address_block=block).order_by("id").values_list("failures", flat=True))


def let_pass(time: timedelta) -> None:
    """Have all counts be as if this much time had gone by since."""
    LoginAttempts.objects.update(last_try_at=F("last_try_at") - time, locked_until=F("locked_until") - time)
    AddressTries.objects.update(began_at=F("began_at") - time)
