"""The service behind its real web server: Expect, hostile bodies, and what the log holds."""

import socket

import pytest
import requests

from tests.authn.servicestack.live import NAME
from tests.support.live_server import PASSWORD


def test_expect_100_continue_is_honoured(desk):
    body = f'{{"provider":"credentials","UserName":"{NAME}","Password":"{PASSWORD}"}}'.encode()
    head = (
        "POST /json/reply/Authenticate HTTP/1.1\r\nHost: localhost\r\nUser-Agent: ServiceStack .NET Client 4.00\r\n"
        f"Accept: application/json\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        "Expect: 100-continue\r\nConnection: close\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", desk.ports[0]), timeout=20) as line:
        line.sendall(head.encode())
        interim = line.recv(4096)
        line.sendall(body)
        response = b""
        while chunk := line.recv(4096):
            response += chunk

    assert interim == b"HTTP/1.1 100 Continue\r\n\r\n"
    assert response.startswith(b"HTTP/1.1 200 OK")
    assert b'"bearerToken":' in response


@pytest.mark.parametrize(
    ("path", "type_", "body"),
    [("/json/reply/Authenticate", "application/json", b"["), ("/jsv/reply/Authenticate", "application/jsv", b"{a:")],
)
def test_a_server_answers_hostile_bodies(path, type_, body, url):
    response = requests.post(url + path, body * 10_000, headers={"Content-Type": type_}, timeout=20)

    assert response.status_code == 400
    assert response.elapsed.total_seconds() < 5


@pytest.mark.parametrize("path", ["/auth", "/api/Authenticate", "/sfp/api/auth/admin/login"])
@pytest.mark.parametrize(
    ("charset", "query"),
    [("rot13", "a=b"), ("undefined", "a=b"), ("punycode", "a=b"), ("utf-16", "a=b"), ("utf-8", "&".join("a" * 1500))],
)
def test_a_charset_is_accepted(charset, query, path, url):
    headers = {"Content-Type": f"application/json; Charset={charset}"}

    response = requests.post(f"{url}{path}?{query}", b"{", headers=headers, timeout=20)

    assert response.status_code == 400


@pytest.mark.parametrize("path", ["/auth", "/sfp/api/auth/admin/login", "/login", "/livez"])
@pytest.mark.parametrize(
    "parameters",
    [
        "charset*=utf-8''rot13",
        "charset*0=rot13",
        "charset*0*=utf-8''ro; charset*1*=t13",
        "charset*=bogus''x",
        "charset*=utf-8''utf-8",
        "a*=bogus''x",
        "charset=utf-8; charset=rot13",
        'a="b; c"; Charset="rot13"',
        "charset=",
        "charset",
        ";;charset=undefined;",
    ],
)
@pytest.mark.parametrize("query", ["a=b", "&".join("a" * 1500)], ids=["short", "long"])
def test_a_charset_in_another_spelling_is_accepted(query, parameters, path, url):
    headers = {"Content-Type": f"application/json; {parameters}"}

    response = requests.post(f"{url}{path}?{query}", b"{", headers=headers, timeout=20)

    assert response.status_code < 500, response.text


def test_a_form_with_a_charset_keeps_its_boundary(url):
    body = f'--b\r\nContent-Disposition: form-data; name="UserName"\r\n\r\n{NAME}\r\n'
    body += f'--b\r\nContent-Disposition: form-data; name="Password"\r\n\r\n{PASSWORD}\r\n--b--\r\n'
    headers = {"Content-Type": "multipart/form-data; charset*=utf-8''rot13; boundary=b", "Accept": "application/json"}

    response = requests.post(f"{url}/auth", body.encode(), headers=headers, timeout=20)

    assert response.status_code == 200, response.text


def test_the_log_holds_no_query_and_no_password(desk, url):
    query = f"UserName={NAME}&Password=a-canary"
    asked = [
        requests.post(f"{url}/auth?{query}", headers={"X-Request-Id": "a-log-in-by-query"}, timeout=20),
        requests.get(f"{url}/auth/credentials?{query}", headers={"X-Request-Id": "a-get-by-query"}, timeout=20),
    ]

    assert [response.status_code for response in asked] == [401, 405]
    for response in asked:
        assert f'"requestId": "{response.headers["X-Request-Id"]}"' in desk.logs(), "the request is logged"
    assert "UserName=" not in desk.logs()
    assert "a-canary" not in desk.logs()
    assert PASSWORD not in desk.logs()


def _raw(desk, method: str, path: str, cookie: str) -> tuple[str, dict[str, str], bytes]:
    """Send a request and return the status line, the headers and every byte after them."""
    head = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nAccept: application/json\r\nCookie: {cookie}\r\n"
    with socket.create_connection(("127.0.0.1", desk.ports[0]), timeout=20) as line:
        line.sendall(f"{head}Connection: close\r\n\r\n".encode())
        response = b""
        while chunk := line.recv(4096):
            response += chunk
    start, _, body = response.partition(b"\r\n\r\n")
    status, *lines = start.decode().split("\r\n")
    return status, dict(line.split(": ", 1) for line in lines), body


@pytest.mark.parametrize("logged_in", [True, False])
def test_head_is_get_without_a_body(logged_in, desk, url):
    login = requests.post(f"{url}/api/Authenticate", json={"userName": NAME, "password": PASSWORD}, timeout=20)
    cookie = f"ss-id={login.json()['sessionId']}" if logged_in else "x=y"

    status, headers, body = _raw(desk, "GET", "/auth", cookie)
    head_status, head_headers, head_body = _raw(desk, "HEAD", "/auth", cookie)

    assert head_status == status
    assert status.startswith("HTTP/1.1 200" if logged_in else "HTTP/1.1 401")
    assert head_body == b""
    assert len(body) > 20
    changing = ("Date", "X-Request-Id")
    assert {name: value for name, value in head_headers.items() if name not in changing} == {
        name: value for name, value in headers.items() if name not in changing
    }
