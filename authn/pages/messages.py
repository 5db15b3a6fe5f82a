"""The storage of messages for the next page (MESSAGE_STORAGE)."""

from typing import Any

from django.contrib.auth import SESSION_KEY
from django.contrib.messages.storage.base import BaseStorage, Message
from django.contrib.messages.storage.cookie import CookieStorage
from django.contrib.messages.storage.session import SessionStorage
from django.http import HttpRequest
from django.http.response import HttpResponseBase


class PageMessages(BaseStorage):
    """Stores messages of a logged-in user in the session, and others in a signed cookie.

    Messages to a logged-in user name orgs and users, so they stay on the server. Anonymous requests must not
    write to the database; their messages, such as "You are logged out.", are not secret.
    """

    def __init__(self, request: HttpRequest) -> None:
        super().__init__(request)
        # Any: the stubs lack the methods that subclasses of BaseStorage implement.
        self._session: Any = SessionStorage(request)
        self._cookie: Any = CookieStorage(request)

    def _get(self, *_: object, **__: object) -> tuple[list[Message], bool]:
        in_session, _ = self._session._get()
        in_cookie, _ = self._cookie._get()
        return [*(in_session or []), *(in_cookie or [])], True

    def _store(self, messages: list[Message], response: HttpResponseBase, *_: object, **__: object) -> list[Message]:
        has_login = SESSION_KEY in self.request.session
        self._session._store(messages if has_login else [], response)
        for_cookie = [] if has_login else messages
        if for_cookie or self._cookie.cookie_name in self.request.COOKIES:
            self._cookie._store(for_cookie, response)
        return []
