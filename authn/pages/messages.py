"""Where notes to a person wait for the next page (MESSAGE_STORAGE)."""

from typing import Any

from django.contrib.auth import SESSION_KEY
from django.contrib.messages.storage.base import BaseStorage, Message
from django.contrib.messages.storage.cookie import CookieStorage
from django.contrib.messages.storage.session import SessionStorage
from django.http import HttpRequest
from django.http.response import HttpResponseBase


class PageMessages(BaseStorage):
    """Keeps the notes of a person in the session, and those of everybody else in a signed cookie.

    Notes to a person name orgs and people, so they stay on this side. Requests without a log-in must
    leave nothing in the database; what they are told, such as "You are signed out.", is no secret.
    """

    def __init__(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().__init__(request, *args, **kwargs)
        self._session: Any = SessionStorage(request)
        self._cookie: Any = CookieStorage(request)

    def _get(self, *args: Any, **kwargs: Any) -> tuple[list[Message], bool]:
        in_session, _ = self._session._get()
        in_cookie, _ = self._cookie._get()
        return [*(in_session or []), *(in_cookie or [])], True

    def _store(self, messages: list[Message], response: HttpResponseBase, *args: Any, **kwargs: Any) -> list[Message]:
        has_login = SESSION_KEY in self.request.session
        self._session._store(messages if has_login else [], response)
        for_cookie = [] if has_login else messages
        if for_cookie or self._cookie.cookie_name in self.request.COOKIES:
            self._cookie._store(for_cookie, response)
        return []
