"""Django's PostgreSQL backend with a deadline on every wait. `config.settings` names it as the ENGINE.

base.py        DatabaseWrapper: takes a working connection from the pool, or fails fast. Open this first.
connection.py  DeadlineConnection: closes itself when the server does not respond in time.
options.py     The time-outs that `settings` adds to DATABASE_URL.
"""
