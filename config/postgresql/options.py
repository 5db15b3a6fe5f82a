"""Connection options that limit how long the desk waits for PostgreSQL."""

from config.postgresql.connection import DeadlineConnection

# Connecting takes at most 2 seconds; a host that has disappeared is detected within 8.
_TCP = {
    "connect_timeout": 2,
    "tcp_user_timeout": 8000,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
}
# Ends a transaction whose process has stopped, which releases its locks.
_IDLE_IN_TRANSACTION_MS = 15_000
# The client waits longer than the server's own time-out: the server's error names the cause.
_EXTRA_SECONDS = 2.0


def add_deadlines(options: dict[str, object], *, pool_size: int, statement_seconds: float, lock_seconds: float) -> None:
    """Add limits to Django's database OPTIONS; the query of DATABASE_URL has precedence. 0 seconds means no limit."""
    for name, value in _TCP.items():
        options.setdefault(name, value)
    limits = {
        "statement_timeout": round(statement_seconds * 1000),
        "lock_timeout": round(lock_seconds * 1000),
        "idle_in_transaction_session_timeout": _IDLE_IN_TRANSACTION_MS,
    }
    options["limits"] = " ".join(f"-c {name}={value}" for name, value in limits.items())
    options["max_silence_seconds"] = statement_seconds + _EXTRA_SECONDS if statement_seconds else None
    # Connections return to the pool between queries: none is held during a call to Salesforce. The pool reconnects with
    # growing pauses for `reconnect_timeout`, then at the next request: a short time-out keeps the pauses short.
    options["pool"] = {
        "connection_class": DeadlineConnection,
        "min_size": 1,
        "max_size": pool_size,
        "timeout": 1.5,
        "reconnect_timeout": 2.0,
    }
