"""Helpers of tests against a running desk."""

import time

import jwt

from tests.support.live_server import Desk

NAME = "owner@acme.example"
REFUSED = ("Unauthorized", "Invalid Username or Password")


def expired(desk: Desk, token: str) -> str:
    """Return an expired copy of a token, signed with the desk's key."""
    claims = jwt.decode(token, options={"verify_signature": False})
    return jwt.encode(claims | {"exp": int(time.time()) - 60}, desk.environment["JWT_SIGNING_KEY"], "HS256")
