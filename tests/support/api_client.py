"""An API client with a bearer token."""

import json
from typing import Any

from django.test import Client

from tests.support import documented_api


class ApiResponse:
    """A response that was read completely, streamed or not."""

    def __init__(self, response: Any) -> None:
        self.status_code: int = response.status_code
        self.headers = response.headers
        self.content: bytes = b"".join(response.streaming_content) if response.streaming else response.content
        self.text = self.content.decode()

    def json(self) -> Any:
        """Return the body's JSON value."""
        assert self.headers["Content-Type"].startswith("application/json"), self.headers
        return json.loads(self.content)

    @property
    def refusal(self) -> tuple[int, str]:
        """Return the status and the code of a refusal."""
        return self.status_code, self.json()["code"]

    def __repr__(self) -> str:
        return f"<{self.status_code} {self.text[:2000]}>"


class Caller:
    """Sends requests with one bearer token; `get("/path", username="x")` puts the rest into the query.

    Fails if the API's document does not allow the response.
    """

    def __init__(self, bearer: str = "") -> None:
        self.bearer = bearer
        self._client = Client(raise_request_exception=False)

    def get(self, path: str, /, **query: Any) -> ApiResponse:
        return self.send("GET", path, query=query)

    def head(self, path: str, /, **query: Any) -> ApiResponse:
        return self.send("HEAD", path, query=query)

    def post(self, path: str, body: Any = None, /, **query: Any) -> ApiResponse:
        return self.send("POST", path, body, query=query)

    def patch(self, path: str, body: Any = None, /, **query: Any) -> ApiResponse:
        return self.send("PATCH", path, body, query=query)

    def delete(self, path: str, /, **query: Any) -> ApiResponse:
        return self.send("DELETE", path, query=query)

    def send(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        query: dict[str, Any] | None = None,
        headers: dict[str, str] | None = None,
        content_type: str = "application/json",
    ) -> ApiResponse:
        """Send a request. Bytes go out as they are; anything else as JSON."""
        data = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        if self.bearer:
            headers = {"Authorization": f"Bearer {self.bearer}", **(headers or {})}
        response = ApiResponse(
            self._client.generic(method, path, data, content_type, query_params=query or {}, headers=headers or {})
        )
        documented_api.check(method, path, response.status_code, response.headers, response.content)
        return response
