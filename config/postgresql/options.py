"""The options of a PostgreSQL connection that limit how long the desk waits for the database."""

from typing import Any

from config.postgresql.connection import DeadlineConnection

# Connecting takes at most 2 seconds; a host that is gone is noticed within 8.
_TCP = {
    "connect_timeout": 2,
    "tcp_user_timeout": 8000,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
}
# Ends a transaction whose process stopped in the middle, so that its locks go.
_IDLE_IN_TRANSACTION_MS = 15_000
# What the client waits longer than the server's own time-out: the server's word says what took so long.
_LATER_SECONDS = 2.0


def add_deadlines(options: dict[str, Any], *, pool_size: int, statement_seconds: float, lock_seconds: float) -> None:
    """Add limits to the OPTIONS of Django. What DATABASE_URL's query says wins. 0 seconds is no limit."""
    for name, value in _TCP.items():
        options.setdefault(name, value)
    limits = {
        "statement_timeout": round(statement_seconds * 1000),
        "lock_timeout": round(lock_seconds * 1000),
        "idle_in_transaction_session_timeout": _IDLE_IN_TRANSACTION_MS,
    }
    options["limits"] = " ".join(f"-c {name}={value}" for name, value in limits.items())
    options["answer_seconds"] = statement_seconds + _LATER_SECONDS if statement_seconds else None
    # The pool takes connections back between calls: none is held while Salesforce thinks. It tries to reconnect for
    # `reconnect_timeout` with growing pauses, and after that at the next request: short means that pauses stay short.
    options["pool"] = {
        "connection_class": DeadlineConnection,
        "min_size": 1,
        "max_size": pool_size,
        "timeout": 1.5,
        "reconnect_timeout": 2.0,
    }
