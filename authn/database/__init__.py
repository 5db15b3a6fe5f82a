"""Helpers for transactions and time-outs, on SQLite and PostgreSQL. Open failures.py first.

failures      Which errors a retry may fix, writes that may fail, and limits on lock waits.
conflicts     Retries after deadlocks.
fail_fast     A circuit breaker for operations that fail slowly.
shown_values  Refuses a change to a value that a page showed differently.
connections   Releases connections before a long wait.
returning     Updates rows and reads them back in one statement.
"""
