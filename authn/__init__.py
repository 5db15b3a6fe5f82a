"""Users, log-ins, application tokens, permissions and the audit.

models, roles, principals    Who calls. Open principals.py first, then authentication.py.
login, lockout, tokens       Log-in with a password, its limits, and application tokens.
users, audit, maintenance    Changes of users, audit rows, and sweeps.
views, serializers, openapi  The REST routes.
web/ (HTTP helpers), browser/ (sessions), pages/ (HTML), console/ (admin), database/ (retries and time-outs),
servicestack/ (the ServiceStack service).
"""
