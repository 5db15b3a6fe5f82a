"""Bodies of unknown length, sent to a real desk in chunks: every route reads them as it reads any other body."""

import http.client
import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest
import requests

from orgs.salesforce.emulator import Emulator
from tests.authn.servicestack.node_client import FOLDER as SERVICESTACK_CLIENT
from tests.orgs.factories import ORG, ORGS, REGISTER, an_org
from tests.support.browser_client import token_in
from tests.support.live_server import PASSWORD, Desk, live_desk
from tests.support.node import need_node
from tests.support.routes import operations

pytestmark = pytest.mark.django_db

LOGIN = "/sfp/api/auth/admin/login"
TYPES = "http://schemas.servicestack.net/types"
FORM = "application/x-www-form-urlencoded"
WRITES = sorted(route for route in operations() if route[0] not in ("GET", "HEAD", "OPTIONS"))
SERVICESTACK = {
    "/auth/credentials": "application/json",
    "/json/reply/Authenticate": "application/json",
    "/api/Authenticate": "application/json",
    "/auth": FORM,
    "/xml/reply/Authenticate": "application/xml",
    "/jsv/reply/Authenticate": "application/jsv",
    "/csv/reply/Authenticate": "text/csv",
}
LARGE = {
    "an anonymous body": (LOGIN, 70_000, False),
    "an authenticated body": (REGISTER, 2_000_000, True),
    "a body of 40 megabytes": (REGISTER, 40_000_000, True),
    "a form": ("/login", 2_000_000, False),
    "a body of the ServiceStack service": ("/auth/credentials", 2_000_000, False),
}
NODE = """
const [url, size, framing, token, times] = process.argv.slice(2);
const headers = { "Content-Type": "application/json", ...(token && { Authorization: token }) };
const stream = () => {
  let left = Number(size);
  return new ReadableStream({ pull(sink) {
    const part = Math.min(left, 65536);
    left -= part;
    part ? sink.enqueue(new Uint8Array(part).fill(120)) : sink.close();
  } });
};
for (let at = 0; at < times; at++) {
  const body = framing === "chunked" ? stream() : Buffer.alloc(Number(size), "x");
  try {
    const response = await fetch(url, { method: "POST", headers, body, duplex: "half" });
    console.log(response.status, (await response.text()).length > 50);
  } catch (error) {
    console.log(error.message, error.cause?.code, error.cause?.message);
  }
}
"""


@pytest.fixture(scope="module")
def salesforce() -> Emulator:
    return Emulator()


@pytest.fixture(scope="module")
def desk(tmp_path_factory, django_db_setup, django_db_blocker, salesforce) -> Iterator[Desk]:
    with (
        django_db_blocker.unblock(),
        salesforce.serve() as served,
        live_desk(tmp_path_factory.mktemp("desk"), served.url) as desk,
    ):
        yield desk


def _send(
    desk: Desk,
    method: str,
    path: str,
    body: bytes,
    type_: str = "application/json",
    headers: dict[str, str] | None = None,
    *,
    is_chunked: bool = True,
) -> tuple[int, dict[str, str], str]:
    """Send a body, in chunks of seven bytes; return status, headers and text of the response."""
    line = http.client.HTTPConnection("127.0.0.1", desk.ports[0], timeout=30)
    try:
        sent = {"Host": "localhost", "Content-Type": type_} | (headers or {})
        if is_chunked:
            parts = (body[at : at + 7] for at in range(0, len(body), 7))
            line.request(method, path, parts, sent | {"Transfer-Encoding": "chunked"}, encode_chunked=True)
        else:
            line.request(method, path, body, sent)
        response = line.getresponse()
        return response.status, dict(response.headers.items()), response.read().decode()
    finally:
        line.close()


def _bearer(desk: Desk) -> dict[str, str]:
    """Return the header of a live log-in: some routes end the log-in of the caller."""
    if desk.send("GET", ORGS).status == 401:
        desk.log_in()
    return {"Authorization": f"Bearer {desk.owner}"}


# --- The API -------------------------------------------------------------------------------------------


def test_an_org_is_registered_and_changed_by_chunked_bodies(desk, salesforce):
    org = an_org(salesforce)
    body = json.dumps({"sfdxAuthUrl": org.auth_url(), "metadata": {"team": "sales"}}).encode()

    status, _, text = _send(desk, "POST", REGISTER, body, headers=_bearer(desk))

    assert (status, json.loads(text)["metadata"]) == (201, {"team": "sales"})

    change = json.dumps({"metadata": {"team": "release"}}).encode()
    status, _, text = _send(desk, "PATCH", f"{ORG}?username={org.username}", change, headers=_bearer(desk))

    assert (status, json.loads(text)["metadata"]) == (200, {"team": "release"})
    assert [listed["metadata"] for listed in desk.send("GET", ORGS).json()] == [{"team": "release"}]


def test_a_log_in_by_a_chunked_body_works(desk):
    body = json.dumps({"email": "owner@acme.example", "password": PASSWORD}).encode()

    status, _, text = _send(desk, "POST", LOGIN, body)

    assert (status, bool(json.loads(text)["access_token"])) == (200, True)


@pytest.mark.parametrize(("method", "path"), WRITES)
def test_each_route_reads_a_chunked_body_as_one_of_declared_length(desk, method, path, subtests):
    path = re.sub(r"<[^>]*>", "credentials", path)
    for body in (b'{"unknown": 1}', b'{"unfinished": ', b"[]"):
        with subtests.test(body=body):
            status, _, text = _send(desk, method, path, body, is_chunked=False, headers=_bearer(desk))
            expected = status, _without_ids(text)

            status, _, text = _send(desk, method, path, body, headers=_bearer(desk))

            assert (status, _without_ids(text)) == expected


def _without_ids(text: str) -> str:
    """Remove what differs between two responses: request ids, nonces and CSRF tokens."""
    return re.sub(r"[0-9a-f]{32}|nonce=\"[^\"]+\"|value=\"[^\"]{64}\"", "", text)


# --- Forms and the ServiceStack service -------------------------------------------------------------------


def test_a_form_in_chunks_logs_a_person_in(desk):
    page = desk.send("GET", "/login", bearer="", headers={"Accept": "text/html"})
    cookie = page.headers["Set-Cookie"].partition(";")[0]
    fields = {"csrfmiddlewaretoken": token_in(page.text), "email": "owner@acme.example", "password": PASSWORD}

    status, headers, _ = _send(desk, "POST", "/login", urlencode(fields).encode(), FORM, {"Cookie": cookie})

    assert (status, "sessionid" in headers["Set-Cookie"]) == (302, True)


BODIES = {
    "application/json": '{"provider": "credentials", "userName": "owner@acme.example", "password": "%s"}',
    FORM: "provider=credentials&userName=owner%%40acme.example&password=%s",
    "application/jsv": "{provider:credentials,userName:owner@acme.example,password:%s}",
    "application/xml": f'<Authenticate xmlns="{TYPES}"><provider>credentials</provider>'
    "<UserName>owner@acme.example</UserName><Password>%s</Password></Authenticate>",
    "text/csv": "provider,userName,password\r\ncredentials,owner@acme.example,%s\r\n",
}


@pytest.mark.parametrize(("path", "type_"), SERVICESTACK.items())
def test_the_servicestack_service_reads_chunks(desk, path, type_):
    status, _, text = _send(desk, "POST", path, (BODIES[type_] % PASSWORD).encode(), type_)

    assert status == 200, text
    assert "owner@acme.example" in text


# --- Over the limit ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("framing", ["declared", "chunked"])
@pytest.mark.parametrize(("path", "size", "is_known"), LARGE.values(), ids=LARGE)
class TestOverTheLimit:
    """Every client reads the 413, five times in a row."""

    def test_curl_reads_the_refusal(self, desk, path, size, is_known, framing, tmp_path):
        curl = shutil.which("curl")
        if curl is None:
            pytest.skip("curl is not installed")
        body: Path = tmp_path / "body"
        body.write_bytes(b"x" * size)
        bearer = [f"-HAuthorization: {_bearer(desk)['Authorization']}"] if is_known else []
        chunked = ["-H", "Transfer-Encoding: chunked"] if framing == "chunked" else []
        url = f"http://127.0.0.1:{desk.ports[0]}{path}"
        common = [curl, "-sS", "-w", "\n%{http_code}", "-H", "Expect:", "-H", "Content-Type: application/json"]

        for _ in range(5):
            ended = subprocess.run(
                [*common, *bearer, *chunked, "--data-binary", f"@{body}", url], capture_output=True, text=True
            )

            assert (ended.returncode, ended.stdout.rpartition("\n")[2]) == (0, "413"), ended.stderr

    def test_requests_reads_the_refusal_and_goes_on(self, desk, path, size, is_known, framing):
        bearer = _bearer(desk) if is_known else {}
        base = f"http://127.0.0.1:{desk.ports[0]}"
        with requests.Session() as session:
            for _ in range(5):
                whole = b"x" * size
                parts = (whole[at : at + 65_536] for at in range(0, size, 65_536))
                data = parts if framing == "chunked" else whole
                refused = session.post(
                    base + path, data, headers={"Content-Type": "application/json"} | bearer, timeout=30
                )

                assert (refused.status_code, refused.headers["Connection"]) == (413, "close")
                assert session.get(f"{base}/livez", timeout=30).status_code == 200

    def test_node_reads_the_refusal(self, desk, path, size, is_known, framing, tmp_path):
        script: Path = tmp_path / "send.mjs"
        script.write_text(NODE)
        url = f"http://127.0.0.1:{desk.ports[0]}{path}"
        bearer = _bearer(desk)["Authorization"] if is_known else ""

        ended = subprocess.run(
            [need_node(SERVICESTACK_CLIENT), str(script), url, str(size), framing, bearer, "5"],
            capture_output=True,
            text=True,
        )

        assert ended.stdout.splitlines() == ["413 true"] * 5, ended.stderr
