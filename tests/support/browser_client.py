"""A test client that keeps cookies, checks CSRF and reads HTML as a browser does."""

import re
from typing import Any

from django.conf import settings
from django.test import Client, RequestFactory

from authn.browser.login import new_family, start_session
from authn.browser.sessions import SessionStore
from authn.models import User

HTML = {"Accept": "text/html"}


class Visitor:
    """Opens pages and sends their forms, with the hidden token that each form carries."""

    def __init__(self, *, enforce_csrf: bool = True) -> None:
        self.client = Client(enforce_csrf_checks=enforce_csrf, raise_request_exception=False, headers=HTML)

    def sign_in(self, user: User) -> "Visitor":
        """Start a session as the log-in page does, without its password and its audit."""
        request = RequestFactory().post("/login")
        request.session = SessionStore()
        start_session(request, user, new_family(user))
        request.session.save()
        assert request.session.session_key is not None
        self.client.cookies[settings.SESSION_COOKIE_NAME] = request.session.session_key
        return self

    def get(self, path: str, **query: Any) -> Any:
        return self.client.get(path, query)

    def post(self, path: str, fields: dict[str, Any] | None = None, *, form_at: str = "") -> Any:
        """Send a form to `path`, with the token of the page at `form_at` (the same path if not given)."""
        token = token_in(self.client.get(form_at or path).content.decode())
        return self.client.post(path, {"csrfmiddlewaretoken": token, **(fields or {})})


def token_in(page: str) -> str:
    """Return the CSRF token of the last form of a page."""
    return re.findall(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)[-1]


def text_of(response: Any) -> str:
    """Return a page's text, streamed or not."""
    content = b"".join(response.streaming_content) if response.streaming else response.content
    return str(content.decode())
