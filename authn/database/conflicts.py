"""Retries transactions that failed with a deadlock or serialization failure."""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from django.db import OperationalError, connection

_TRIES = 3
# PostgreSQL: serialization_failure, deadlock_detected.
_CONFLICTS = ("40001", "40P01")

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")


def retry_on_conflict(function: Callable[Parameters, Result]) -> Callable[Parameters, Result]:
    """Decorate a function that opens one transaction: it is retried after a deadlock or serialization failure.

    It runs at most three times; the last failure is raised. Inside a transaction of the caller it is not retried,
    since PostgreSQL rejects further statements there.
    """

    @wraps(function)
    def run(*args: Parameters.args, **kwargs: Parameters.kwargs) -> Result:
        for _ in range(_TRIES - 1):
            try:
                return function(*args, **kwargs)
            except OperationalError as error:
                if connection.in_atomic_block or not _is_conflict(error):
                    raise
        return function(*args, **kwargs)

    return run


def _is_conflict(error: OperationalError) -> bool:
    return getattr(error.__cause__, "sqlstate", "") in _CONFLICTS
