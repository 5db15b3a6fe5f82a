"""A test client that keeps cookies, checks CSRF and reads HTML as a browser does."""

import html
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
        """Send a form to `path`, with the hidden fields of the page at `form_at` (the same path if not given)."""
        return self.send(path, self.client.get(form_at or path), fields)

    def send(self, path: str, page: Any, fields: dict[str, Any] | None = None) -> Any:
        """Send a form to `path`, with the hidden fields of a page that was fetched before."""
        text = page.content.decode()
        return self.client.post(path, {"csrfmiddlewaretoken": token_in(text), **shown_in(text), **(fields or {})})


def token_in(page: str) -> str:
    """Return the CSRF token of the last form of a page."""
    return re.findall(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)[-1]


def shown_in(page: str) -> dict[str, list[str]]:
    """Return the hidden fields by which a form sends what it shows."""
    fields: dict[str, list[str]] = {}
    for name, value in re.findall(r'<input type="hidden" name="(shown-[^"]+)" value="([^"]*)"', page):
        fields.setdefault(name, []).append(html.unescape(value))
    return fields


def text_of(response: Any) -> str:
    """Return a page's text, streamed or not."""
    content = b"".join(response.streaming_content) if response.streaming else response.content
    return str(content.decode())


def error_at(response: Any, field: str) -> str:
    """Return the text of the errors at a field, without tags."""
    errors = text_of(response).split(f'id="id_{field}_error"')[1].split("</ul>")[0]
    return html.unescape(re.sub(r"<[^>]+>", "", errors.partition(">")[2]))


def ticked(response: Any, field: str) -> bool:
    """Return True if the checkbox of a field is ticked."""
    box = re.findall(rf'<input type="checkbox" name="{field}"[^>]*>', text_of(response))[0]
    return " checked" in box
