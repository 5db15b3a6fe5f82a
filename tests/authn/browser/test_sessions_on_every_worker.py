"""A session that was started at one worker ends at the next request on another, when its log-in ends."""

import http.client
import json

import pytest

from orgs.salesforce.emulator import Emulator
from tests.support.live_server import PASSWORD, live_desk

pytestmark = [pytest.mark.database, pytest.mark.django_db]
OWNER = {"email": "owner@acme.example", "password": PASSWORD}
API = "/sfp/api/auth"


def _session_of(answer_headers: dict[str, str]) -> str:
    name, _, value = answer_headers["Set-Cookie"].partition(";")[0].partition("=")
    assert name == "sessionid"
    return value


def _page_status(port: int, session: str) -> int:
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        line.request("GET", "/password", headers={"Host": "localhost", "Cookie": f"sessionid={session}"})
        return line.getresponse().status
    finally:
        line.close()


def test_a_session_of_tokens_ends_on_every_worker_when_a_refresh_token_comes_back(tmp_path):
    with Emulator().serve() as salesforce, live_desk(tmp_path, salesforce.url, processes=2) as desk:
        one, other = desk.ports
        pair = json.loads(desk.send("POST", f"{API}/admin/login", OWNER, bearer="", port=one).text)
        tokens = {"access_token": pair["access_token"], "refresh_token": pair["refresh_token"]}
        session = _session_of(desk.send("POST", f"{API}/callback", tokens, bearer="", port=one).headers)
        assert _page_status(other, session) == 200
        spent = {"refresh_token": pair["refresh_token"]}
        assert desk.send("POST", f"{API}/refresh", spent, bearer="", port=one).status == 200
        assert _page_status(other, session) == 200

        again = desk.send("POST", f"{API}/refresh", spent, bearer="", port=one)

        assert again.json()["code"] == "REFRESH_REUSED"
        assert [_page_status(port, session) for port in (one, other)] == [302, 302]
