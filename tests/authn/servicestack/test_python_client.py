"""The published Python client, unmodified, against a running desk."""

from collections.abc import Iterator
from typing import Any

import pytest
from servicestack import Authenticate, JsonServiceClient, WebServiceException

from tests.authn.servicestack.live import NAME, REFUSED, expired
from tests.support.live_server import PASSWORD

LOGIN = {"provider": "credentials", "user_name": NAME, "password": PASSWORD}


def _refused(client: JsonServiceClient, message: Authenticate) -> tuple[str | None, str | None]:
    with pytest.raises(WebServiceException) as caught:
        client.post(message)
    return caught.value.response_status.error_code, caught.value.response_status.message


@pytest.fixture(params=["api", ""], ids=["/api", "/json/reply"])
def client(request: Any, url: str) -> Iterator[JsonServiceClient]:
    """The Python client, with each of its base paths."""
    client = JsonServiceClient(url).set_base_path(request.param)
    yield client
    client._session.close()


def test_python_logs_in_and_uses_its_session_again(client):
    login = client.post(Authenticate(**LOGIN, remember_me=True, meta={"a": "b"}))

    assert login.user_name == NAME
    assert login.roles == ["owner"]
    assert login.session_id == client._session.cookies["ss-pid"]
    assert client.get(Authenticate()).user_id == login.user_id
    assert client.post(Authenticate()).session_id == login.session_id


def test_python_uses_the_bearer(client, url):
    login = client.post(Authenticate(**LOGIN))
    other = JsonServiceClient(url).set_bearer_token(login.bearer_token)

    assert other.get(Authenticate()).user_id == login.user_id
    other._session.close()


def test_python_uses_basic(url):
    other = JsonServiceClient(url).set_credentials(NAME, PASSWORD)

    assert other.get(Authenticate()).user_name == NAME
    other._session.close()


def test_python_refreshes_twice_in_a_row_with_an_expired_bearer(client, desk):
    login = client.post(Authenticate(**LOGIN))
    client._session.cookies.clear()
    old = expired(desk, login.bearer_token)
    client.set_refresh_token(login.refresh_token)

    for _ in range(2):
        client.set_bearer_token(old)
        assert client.get(Authenticate()).user_id == login.user_id
        assert client.bearer_token not in (old, login.bearer_token)


def test_python_refreshes_by_its_cookie(client, desk):
    login = client.post(Authenticate(**LOGIN, use_token_cookie=True))
    assert client.use_token_cookie

    for _ in range(2):
        client._session.cookies.set("ss-tok", expired(desk, login.bearer_token), domain="localhost.local", path="/")
        assert client.get(Authenticate()).user_id == login.user_id
        assert client.token_cookie != login.bearer_token


def test_python_logs_out(client):
    login = client.post(Authenticate(**LOGIN))

    client.post(Authenticate(provider="logout"))

    assert _refused(client, Authenticate())[0] == "Unauthorized"
    client.set_bearer_token(login.bearer_token)
    assert _refused(client, Authenticate()) == ("Unauthorized", "Not Authenticated")


def test_python_reports_a_wrong_password(client):
    assert _refused(client, Authenticate(**LOGIN | {"password": "wrong"})) == REFUSED


def test_python_reports_missing_fields(client):
    with pytest.raises(WebServiceException) as caught:
        client.post(Authenticate(provider="credentials"))

    assert [each.field_name for each in caught.value.response_status.errors] == ["UserName", "Password"]


def test_a_batch_of_the_python_client_is_refused(client):
    with pytest.raises(WebServiceException) as caught:
        client.send_all([Authenticate(**LOGIN), Authenticate(**LOGIN)])

    assert caught.value.status_code == 404
