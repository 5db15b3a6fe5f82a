"""A client of the service that keeps cookies, and log-in bodies in every format."""

import json
from typing import Any
from urllib.parse import urlencode

from django.test import Client

from authn.models import ServiceStackLogin
from authn.servicestack.dtos import AuthenticateResponse
from authn.servicestack.formats import jsv
from tests.conftest import PASSWORD

NAME = "ursula@acme.example"
FORM = "application/x-www-form-urlencoded"
LOGIN = {"UserName": NAME, "Password": PASSWORD}
TYPES = "http://schemas.servicestack.net/types"
INVALID = {"errorCode": "Unauthorized", "message": "Invalid Username or Password", "errors": []}
NOT_AUTHENTICATED = {"errorCode": "Unauthorized", "message": "Not Authenticated", "errors": []}


class WireResponse:
    """A response of the service."""

    def __init__(self, response: Any) -> None:
        self.status: int = response.status_code
        self.headers = response.headers
        self.cookies = response.cookies
        self.text: str = response.content.decode()

    def json(self) -> Any:
        assert self.headers["Content-Type"] == "application/json; charset=utf-8", self
        return json.loads(self.text)

    def error(self) -> Any:
        """Return the responseStatus of a JSON error response."""
        assert set(self.json()) == {"responseStatus"}, self
        return self.json()["responseStatus"]

    @property
    def refusal(self) -> tuple[int, str]:
        """Return the status and the code of a refusal."""
        return self.status, self.error()["errorCode"]

    def jsv(self, kind: Any = AuthenticateResponse) -> Any:
        return jsv.decode(self.text, kind)

    def __repr__(self) -> str:
        return f"<{self.status} {self.headers.get('Content-Type')} {self.text[:1500]}>"


class Wire:
    """Sends requests as they are and keeps cookies, as most ServiceStack clients do."""

    def __init__(self, *, secure: bool = False) -> None:
        self.client = Client(raise_request_exception=False)
        self._secure = secure

    def send(
        self,
        method: str,
        path: str,
        body: Any = b"",
        *,
        type_: str = "",
        accept: str | None = "application/json",
        **headers: str,
    ) -> WireResponse:
        """Send a request. A dict goes out as JSON unless `type_` says a form; `X_ss_id="x"` is a header."""
        if isinstance(body, dict):
            type_ = type_ or "application/json"
            body = urlencode(body) if type_ == FORM else json.dumps(body)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        named |= {"Accept": accept} if accept is not None else {}
        named |= {"Content-Type": type_} if type_ else {}  # The test client drops it without a body.
        response = self.client.generic(method, path, body, type_, headers=named, secure=self._secure)
        return WireResponse(response)

    def get(self, path: str, **options: Any) -> WireResponse:
        return self.send("GET", path, **options)

    def post(self, path: str, body: Any = b"", **options: Any) -> WireResponse:
        return self.send("POST", path, body, **options)

    def log_in(self, **members: Any) -> Any:
        """Log in and return the JSON of the response."""
        response = self.post("/auth/credentials", LOGIN | members)
        assert response.status == 200, response
        return response.json()

    def who(self, **options: Any) -> int:
        """Return the status of a request for the current user."""
        return self.get("/auth", **options).status

    def cookie(self, name: str) -> str:
        return str(self.client.cookies[name].value)


def xml(members: str, root: str = "Authenticate") -> str:
    """Return a DTO in XML as .NET sends it: with a byte order mark, without a declaration."""
    return f'\ufeff<{root} xmlns:i="http://www.w3.org/2001/XMLSchema-instance" xmlns="{TYPES}">{members}</{root}>'


def xml_login(password: str = PASSWORD, name: str = NAME) -> str:
    who = f"<UserName>{name}</UserName><Password>{password}</Password>"
    return xml('<provider>credentials</provider><State i:nil="true" />' + who)


def jsv_login(password: str = PASSWORD, name: str = NAME) -> str:
    return jsv.encode({"provider": "credentials", "UserName": name, "Password": password})


def sessions() -> int:
    """Return the number of stored sessions."""
    return ServiceStackLogin.objects.exclude(session_digest=None).count()


def is_ordinary_login(response: WireResponse, name: str = NAME) -> bool:
    """Return True if a response is that of a log-in, in JSON."""
    body = response.json()
    expected = {"userId", "sessionId", "userName", "displayName", "bearerToken", "refreshToken"}
    lists: dict[str, object] = {"roles": [], "permissions": [], "responseStatus": {}}
    return (
        response.status == 200
        and set(body) == expected | set(lists)
        and all(isinstance(body[each], str) and body[each] for each in expected)
        and {each: body[each] for each in lists} == lists
        and body["userName"] == name
    )
