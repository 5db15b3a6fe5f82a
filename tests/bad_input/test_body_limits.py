"""Size limits of bodies: 64 KiB for anonymous callers, a megabyte for authenticated ones, and no files."""

import io
from typing import Any, NoReturn

import pytest
from django.core.files import temp
from django.db import connection
from django.test import Client, RequestFactory

from authn.models import User
from authn.principals import Principal
from authn.roles import Role
from config.parsers import StrictJSONParser
from config.request_bodies import declare_length
from tests.bad_input.assertions import is_clear, rows
from tests.orgs.factories import ORGS, REGISTER
from tests.support.api_client import ApiResponse
from tests.support.browser_client import Visitor

pytestmark = pytest.mark.django_db
ANONYMOUS, KNOWN = 64 * 1024, 1024 * 1024
API = "/sfp/api/auth/"
OPEN = [
    f"{API}admin/login",
    f"{API}refresh",
    f"{API}callback",
    f"{API}continue",
    "/sfp/api/schema",
    "/sfp/api/docs",
    "/livez",
    "/readyz",
    "/login",
    "/logout",
    "/password",
    "/",
    "/console/",
    "/console/login/",
    "/console/orgs/salesforceorg/register/",
    "/static/frontdesk.css",
    "/nothing/here",
    "/sfp/api/nothing",
]
SERVICESTACK = ["/auth", "/auth/credentials", "/json/reply/Authenticate", "/access-token", "/api/Authenticate"]
CLOSED = [REGISTER, ORGS, "/sfp/api/application-tokens", "/sfp/api/pools/instances"]


class Unread:
    """A body that must not be read."""

    def read(self, *_: Any) -> NoReturn:
        raise AssertionError("a byte of the body was read")

    readline = read

    def close(self) -> None:
        """Do nothing: there is nothing to close."""


def declare(
    path: str, length: int, type_: str = "application/json", client: Client | None = None, **headers: str
) -> Any:
    """Send a request that declares a length and fails the test when its body is read."""
    unread: dict[str, Any] = {"wsgi.input": Unread(), "CONTENT_LENGTH": str(length), "CONTENT_TYPE": type_}
    return ApiResponse((client or Client()).generic("POST", path, b"", type_, headers=headers, **unread))


@pytest.mark.parametrize("type_", ["application/json", "multipart/form-data; boundary=b", "text/plain"])
@pytest.mark.parametrize("length", [ANONYMOUS + 1, 200 * KNOWN])
def test_an_anonymous_body_over_the_limit_is_refused_by_its_declared_length(length, type_, each):
    for path in OPEN + CLOSED:
        with each(path):
            response = declare(path, length, type_)

            is_clear(response, 413)
            assert response.json()["code"] == "PAYLOAD_TOO_LARGE"
            assert "65536" in response.json()["message"]


@pytest.mark.parametrize("path", SERVICESTACK)
def test_servicestack_refuses_it_in_its_own_words(path):
    response = declare(path, ANONYMOUS + 1)

    assert response.status_code == 413, response
    assert "RequestEntityTooLarge" in response.text


def test_a_browser_is_shown_a_page():
    response = declare("/login", ANONYMOUS + 1, accept="text/html")

    assert response.status_code == 413
    assert "The request is too large" in response.text


def test_a_bearer_does_not_raise_the_limit_over_a_megabyte(owner, each):
    for path in OPEN + CLOSED:
        with each(path):
            is_clear(declare(path, KNOWN + 1, authorization=f"Bearer {owner.bearer}"), 413)


LOGINS = dict.fromkeys([f"{API}admin/login", f"{API}refresh", f"{API}callback", "/login"], "PAYLOAD_TOO_LARGE")


@pytest.mark.parametrize(("path", "code"), [*LOGINS.items(), ("/auth/credentials", "RequestEntityTooLarge")])
def test_an_invented_bearer_token_does_not_raise_the_limit_of_a_log_in(path, code):
    response = declare(path, ANONYMOUS + 1, authorization="Bearer x")

    assert response.status_code == 413
    assert f'"{code}"' in response.text


@pytest.mark.parametrize("path", [path for path in CLOSED if path != ORGS])
def test_a_bearer_is_refused_before_the_body_is_read(path):
    is_clear(declare(path, KNOWN, authorization="Bearer x"), 401)


def test_a_method_is_refused_before_the_body_is_read():
    is_clear(declare(ORGS, KNOWN, authorization="Bearer x"), 405)


def test_a_role_is_refused_before_the_body_is_read(member):
    is_clear(declare(REGISTER, KNOWN, authorization=f"Bearer {member.bearer}"), 403)


def test_an_invalid_session_cookie_does_not_raise_the_limit_of_a_page(settings):
    client = Client()
    client.cookies[settings.SESSION_COOKIE_NAME] = "made-up"

    is_clear(declare("/console/", ANONYMOUS + 1, client=client), 413)


@pytest.mark.parametrize("size", [ANONYMOUS + 1, KNOWN])
def test_an_authenticated_caller_may_send_a_megabyte(owner, size):
    body = b'{"sfdxAuthUrl": "x", "metadata": {"a": "' + b"x" * (size - 43) + b'"}}'
    assert len(body) == size

    is_clear(owner.send("POST", REGISTER, body), 400)


def test_a_logged_in_user_may_send_a_large_form(a_person):
    client = Visitor().sign_in(a_person("owner@acme.example", Role.OWNER)).client

    response = client.post("/console/orgs/salesforceorg/register/", {"pasted": "x" * 300_000})

    assert response.status_code != 413


def test_64_kilobytes_of_an_anonymous_caller_are_read(anonymous):
    body = b'{"email": "a@acme.example", "password": "' + b"x" * (ANONYMOUS - 43) + b'"}'
    assert len(body) == ANONYMOUS

    is_clear(anonymous.send("POST", f"{API}admin/login", body), 400)


@pytest.mark.django_db(transaction=True)
def test_no_database_connection_is_held_while_a_large_body_arrives():
    held: list[bool] = []

    class Slow(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            held.append(connection.connection is not None)
            return super().read(size)

    assert not User.objects.exists()  # A query opens the connection, as that for the bearer does.
    request: Any = RequestFactory().post("/", b"x" * (ANONYMOUS + 1), content_type="application/json")
    request.user = Principal(kind="user", id="1", name="owner@acme.example", role=Role.OWNER)

    StrictJSONParser().parse(Slow(b'"a"'), parser_context={"request": request})

    assert held == [False]


# --- Files ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "status"),
    [("/login", 200), ("/auth/credentials", 400), (f"{API}admin/login", 415), ("/console/login/", 302)],
)
def test_an_uploaded_file_is_not_stored(path, status, monkeypatch, settings):
    settings.FILE_UPLOAD_MAX_MEMORY_SIZE = 0
    file = b'--b\r\nContent-Disposition: form-data; name="f"; filename="f"\r\n\r\n' + b"x" * 60_000 + b"\r\n--b--\r\n"
    made: list[Any] = []

    def make_file(**options: Any) -> io.BytesIO:
        made.append(options)
        return io.BytesIO()

    monkeypatch.setattr(temp, "NamedTemporaryFile", make_file)

    response = Client(raise_request_exception=False).generic("POST", path, file, "multipart/form-data; boundary=b")

    assert response.status_code == status, response
    assert made == []
    assert rows() == 0


# --- Without a declared length ---------------------------------------------------------------------------


class Chunks:
    """A body of a given size, as gunicorn passes it after decoding the chunks. Counts the bytes read."""

    def __init__(self, size: int, *, breaks_at: int | None = None) -> None:
        self.left, self.given, self.breaks_at = size, 0, breaks_at

    def read(self, size: int) -> bytes:
        if self.breaks_at is not None and self.given + size > self.breaks_at:
            raise OSError("a chunk that is none")
        part = b"x" * min(size, self.left)
        self.left, self.given = self.left - len(part), self.given + len(part)
        return part


def chunked(path: str, chunks: Chunks, **headers: str) -> ApiResponse:
    """Send a body without a length, as the web server hands it to Django."""
    environ: dict[str, Any] = {"wsgi.input": chunks, "CONTENT_LENGTH": "", "wsgi.input_terminated": True}
    environ["CONTENT_TYPE"] = "application/json"
    declare_length(environ)
    return ApiResponse(Client().generic("POST", path, b"", "application/json", headers=headers, **environ))


@pytest.mark.parametrize("path", OPEN + SERVICESTACK)
def test_chunks_of_an_anonymous_caller_are_limited_to_64_kilobytes(path):
    chunks = Chunks(200 * KNOWN)

    response = chunked(path, chunks)

    assert response.status_code == 413, response
    assert chunks.given == ANONYMOUS + 1


def test_chunks_of_an_authenticated_caller_are_limited_to_a_megabyte(owner):
    chunks = Chunks(200 * KNOWN)

    is_clear(chunked(REGISTER, chunks, authorization=f"Bearer {owner.bearer}"), 413)

    assert chunks.given == KNOWN + 1


def test_chunks_below_the_limit_are_read(owner):
    environ: dict[str, Any] = {"wsgi.input": Chunks(5), "wsgi.input_terminated": True}

    declare_length(environ)

    assert (environ["CONTENT_LENGTH"], environ["wsgi.input"].read()) == ("5", b"xxxxx")
    assert chunked(REGISTER, Chunks(KNOWN), authorization=f"Bearer {owner.bearer}").json()["code"] == "INVALID_JSON"


def test_a_stream_that_may_not_end_with_the_body_is_not_read():
    environ: dict[str, Any] = {"wsgi.input": Unread(), "HTTP_TRANSFER_ENCODING": "chunked"}

    declare_length(environ)

    assert "CONTENT_LENGTH" not in environ


def test_no_chunk_at_all_is_an_empty_body(owner):
    assert chunked(ORGS, Chunks(0), authorization=f"Bearer {owner.bearer}").refusal == (405, "METHOD_NOT_ALLOWED")


@pytest.mark.parametrize("breaks_at", [0, 500_000])
def test_invalid_chunks_are_refused(owner, breaks_at):
    response = chunked(REGISTER, Chunks(KNOWN, breaks_at=breaks_at), authorization=f"Bearer {owner.bearer}")

    is_clear(response, 400)
    assert "does not match its headers" in response.json()["message"]
