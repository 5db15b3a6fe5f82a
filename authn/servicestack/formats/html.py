"""HTML: a page with the data of a response, and a log-in form if the caller is not logged in."""

from django.conf import settings
from django.template.loader import render_to_string

from authn.servicestack.dtos import AuthenticateResponse
from authn.servicestack.formats import json

# Templates by the name that ErrorView may hold. Any other name selects the first.
VIEWS = {"error": "servicestack/response.html", "login": "servicestack/login.html"}


def write(dto: object, *, view: str = "", continue_to: str = "") -> str:
    """Render a response DTO. `view` is one of VIEWS; `continue_to` is where the log-in form redirects to."""
    status = getattr(dto, "response_status", None)
    is_anonymous = isinstance(dto, AuthenticateResponse) and dto.user_id is None
    rows = {name: value for name, value in json.to_dict(dto).items() if name != "responseStatus"}
    context = {
        "rows": rows,
        "status": status,
        "json": json.write(dto),
        "offer_login": is_anonymous and status is not None and status.error_code is not None,
        "continue_to": continue_to,
        "demo": settings.DEMO,
    }
    return render_to_string(VIEWS.get(view.lower(), VIEWS["error"]), context)
