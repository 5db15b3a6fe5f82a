"""Secrets of a log-in never reach a log, an audit row, an error, a URL or, in plain text, the database."""

import base64
import logging

import pytest
from django.db import connection

from authn import lockout
from authn.models import AuditEvent, LoginAttempts, LoginFamily, ServiceStackLogin
from config.json_logging import JSONLineFormatter
from tests.authn.servicestack.wire import FORM, LOGIN, NAME, Wire, jsv_login, xml_login
from tests.conftest import PASSWORD

pytestmark = pytest.mark.django_db
CANARY = "canary-of-a-password"


class _Everything(logging.Handler):
    """Collects the records of every logger and level, formatted as in the log."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.setFormatter(JSONLineFormatter())
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))


@pytest.fixture
def log():
    handler, root = _Everything(), logging.getLogger()
    before = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield handler.lines
    root.removeHandler(handler)
    root.setLevel(before)


def _basic(password: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{NAME}:{password}".encode()).decode()}


def _cut(token: str) -> str:
    """Return a token without its last letters, which also matches the whole token in a search."""
    return token[:-2]


def _secrets_of(login: dict[str, str]) -> set[str]:
    return {PASSWORD, CANARY, login["sessionId"], _cut(login["bearerToken"]), _cut(login["refreshToken"])}


def _refused(wire, login: dict[str, str]) -> list:
    """Be refused in every way with secrets in every place. Returns responses that must hold none."""
    bearer, refresh = login["bearerToken"], login["refreshToken"]
    query = f"UserName={NAME}&Password={CANARY}&AccessToken={bearer}&ss-id={login['sessionId']}"
    wrong = LOGIN | {"Password": CANARY, "AccessToken": bearer, "State": refresh, "Meta": {"a": CANARY}}
    return [
        wire.post("/auth/credentials", wrong),
        wire.post("/auth/credentials", {name: value for name, value in wrong.items() if name != "Meta"}, type_=FORM),
        wire.post(f"/auth/credentials?{query}"),
        wire.get(f"/auth/credentials?{query}"),
        wire.post("/jsv/reply/Authenticate", jsv_login(CANARY)),
        wire.post("/xml/reply/Authenticate", xml_login(CANARY)),
        wire.post("/auth", jsv_login(CANARY) + "x", type_="text/jsv"),
        wire.post("/auth", f"UserName,Password\r\n{NAME},{CANARY},x", type_="text/csv"),
        wire.post("/auth", f'{{"Password":"{CANARY}"', type_="application/json"),
        wire.post("/auth", {"RememberMe": CANARY}),
        wire.post("/auth/credentials", str(wrong), type_="application/x-foo"),
        wire.post("/access-token", {"RefreshToken": _cut(refresh)}),
        wire.post("/access-token", {"RefreshToken": bearer}),
        wire.get(f"/access-token?RefreshToken={refresh}"),
        wire.get("/auth", **_basic(CANARY)),
        wire.get("/auth", Authorization=f"Bearer {_cut(bearer)}"),
        wire.get("/auth", Authorization=f"Bearer {refresh}"),
        wire.post(
            "/auth/credentials",
            LOGIN | {"Password": CANARY},
            type_=FORM,
            accept="text/html",
            Referer="http://testserver/x",
        ),
    ]


@pytest.mark.database
def test_no_secret_is_written_anywhere(wire, log, capfd, monkeypatch):
    monkeypatch.setattr(lockout, "LIMIT", 100)
    login = wire.log_in()
    cookies = Wire()
    cookies.log_in(UseTokenCookie=True)
    cookies.post("/api/GetAccessToken", {})

    refused = _refused(Wire(), login)
    wire.get("/auth/logout")

    secrets = _secrets_of(login) | {cookies.cookie(name) for name in ("ss-tok", "ss-reftok")}
    printed = capfd.readouterr()
    texts = [("an answer", f"{response!r} {response.headers}") for response in refused]
    texts += [("a log line", line) for line in log]
    texts += [("standard output", printed.out), ("standard error", printed.err)]
    for model in (AuditEvent, LoginAttempts, ServiceStackLogin, LoginFamily):
        texts += [(model.__name__, f"{vars(row)} {row!r}") for row in model._default_manager.all()]
    assert len(texts) > 30
    assert LoginAttempts.objects.exists()
    assert not [(source, secret[:8], text[:300]) for source, text in texts for secret in secrets if secret in text]


@pytest.mark.database
def test_the_database_holds_no_secret_in_the_clear(wire):
    login = wire.log_in()
    _refused(Wire(), login)

    stored = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")  # noqa: S608
            stored += [str(bytes(value) if isinstance(value, memoryview) else value) for row in cursor for value in row]

    assert not [(secret[:8], text[:200]) for secret in _secrets_of(login) for text in stored if secret in text]


@pytest.mark.parametrize("format_", ["json", "xml", "jsv", "csv", "html"])
def test_no_response_may_be_cached(format_, wire):
    login = wire.post(f"/auth/credentials.{format_}", LOGIN)
    token = wire.log_in()["refreshToken"]

    responses = [login, wire.get(f"/auth.{format_}"), wire.post(f"/access-token.{format_}", {"RefreshToken": token})]

    assert {response.status for response in responses} == {200}
    assert {response.headers["Cache-Control"] for response in responses} == {"no-store"}
    assert all("Cookie" in response.headers["Vary"] for response in responses)


def test_a_redirect_target_holds_no_secret(wire):
    response = wire.post("/auth/credentials", LOGIN | {"Continue": "/x"}, type_=FORM, accept="text/html")

    assert response.headers["Location"] == "/x"
