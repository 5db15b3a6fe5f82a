"""The published npm client, unmodified, against a running desk."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.authn.servicestack.live import NAME, REFUSED, expired
from tests.authn.servicestack.node_client import FOLDER, NodeClient
from tests.support.live_server import PASSWORD
from tests.support.node import need_node

LOGIN = {"provider": "credentials", "userName": NAME, "password": PASSWORD}


@pytest.fixture(scope="module")
def node() -> str:
    return need_node(FOLDER)


@pytest.fixture(params=["JsonServiceClient", "JsonApiClient"])
def browserless(request: Any, node: str, url: str) -> Iterator[NodeClient]:
    """Both clients of the npm package."""
    client = NodeClient(node, request.param, url)
    yield client
    client.close()


def test_node_logs_in_and_uses_its_session_again(browserless):
    login = browserless.run("post", **LOGIN, rememberMe=True, meta={"a": "b"})["response"]

    assert (login["userName"], login["roles"]) == (NAME, ["owner"])
    assert browserless.run("get")["response"]["userId"] == login["userId"]
    assert browserless.run("post")["response"]["sessionId"] == login["sessionId"]


def test_node_is_served_despite_its_malformed_cookies(browserless):
    browserless.run("post", **LOGIN)

    assert any(" " in name for name in browserless.run("cookies")["response"])
    assert "response" in browserless.run("get")


def test_node_uses_the_bearer(browserless):
    login = browserless.run("post", **LOGIN)["response"]
    browserless.run("cookies", **{"ss-id": "", "ss-pid": "", "ss-tok": ""})
    browserless.run("set", bearerToken=login["bearerToken"])

    assert browserless.run("get")["response"]["userId"] == login["userId"]


def test_node_refreshes_twice_in_a_row_with_an_expired_bearer(browserless, desk):
    login = browserless.run("post", **LOGIN)["response"]
    old = expired(desk, login["bearerToken"])
    browserless.run("set", refreshToken=login["refreshToken"], enableAutoRefreshToken=True)

    for _ in range(2):
        browserless.run("set", bearerToken=old)
        result = browserless.run("get")
        assert result["response"]["userId"] == login["userId"]
        assert result["bearerToken"] not in (old, login["bearerToken"])


def test_node_refreshes_by_its_cookie(browserless, desk):
    login = browserless.run("post", **LOGIN, useTokenCookie=True)["response"]
    browserless.run("set", enableAutoRefreshToken=True)
    old = expired(desk, login["bearerToken"])

    for _ in range(2):
        browserless.run("cookies", **{"ss-tok": old})
        assert browserless.run("get")["response"]["userId"] == login["userId"]
        assert browserless.run("cookies")["response"]["ss-tok"] not in (old, login["bearerToken"])


@pytest.mark.parametrize("cookie", [False, True])
def test_node_logs_out(cookie, browserless):
    browserless.run("post", **LOGIN, useTokenCookie=cookie)
    assert browserless.run("post", provider="logout")["response"] == {"responseStatus": {}}

    kept = browserless.run("cookies")["response"]
    assert kept["ss-tok"] == ""
    assert kept.get("ss-reftok", "") == ""
    result = browserless.run("get")
    # Once its tokens were in cookies, JsonServiceClient refreshes after each 401, even without a refresh
    # token, and reports the error of that refresh.
    asks_again = cookie and browserless.kind == "JsonServiceClient"
    assert result["error"]["errorCode"] == ("ArgumentNullException" if asks_again else "Unauthorized")
    assert result["type"] == ("RefreshTokenException" if asks_again else None)


def test_node_reports_a_wrong_password(browserless):
    result = browserless.run("post", **LOGIN | {"password": "wrong"})

    assert (result["error"]["errorCode"], result["error"]["message"]) == REFUSED
