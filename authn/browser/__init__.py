"""Browser sessions, each of which belongs to a LoginFamily and ends with it.

login      Starts and ends the session of a browser. Open this first.
sessions   The session engine (SESSION_ENGINE), which stores sessions by digest.
models     The table of sessions.
"""
