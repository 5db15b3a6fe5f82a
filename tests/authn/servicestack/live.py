"""What tests against a running desk share."""

import time

import jwt

from tests.support.live_server import Desk

NAME = "owner@acme.example"
REFUSED = ("Unauthorized", "Invalid Username or Password")


def expired(desk: Desk, token: str) -> str:
    """Return a token whose hour is over, as the desk itself would have signed it."""
    claims = jwt.decode(token, options={"verify_signature": False})
    return jwt.encode(claims | {"exp": int(time.time()) - 60}, desk.environment["JWT_SIGNING_KEY"], "HS256")
