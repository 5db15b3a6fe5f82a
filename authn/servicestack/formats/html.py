"""HTML: a page that shows the same data to a person, with a form to log in where nobody is logged in."""

from typing import Any

from django.conf import settings
from django.template.loader import render_to_string

from authn.servicestack.dtos import AuthenticateResponse
from authn.servicestack.formats import json

# The views that ErrorView may name, and the template of each. Any other name shows the first.
VIEWS = {"error": "servicestack/answer.html", "login": "servicestack/login.html"}


def write(message: Any, *, view: str = "", continue_to: str = "") -> str:
    """Write a message as a page. `view` is one of VIEWS; `continue_to` is where its form leads on to."""
    status = getattr(message, "response_status", None)
    nobody = isinstance(message, AuthenticateResponse) and message.user_id is None
    rows = {name: value for name, value in json.plain(message).items() if name != "responseStatus"}
    context = {
        "rows": rows,
        "status": status,
        "json": json.write(message),
        "offer_login": nobody and status is not None and status.error_code is not None,
        "continue_to": continue_to,
        "demo": settings.DEMO,
    }
    return render_to_string(VIEWS.get(view.lower(), VIEWS["error"]), context)
