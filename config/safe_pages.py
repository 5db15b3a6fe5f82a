"""Shows control and direction characters of outside text as what they are, on every page."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from authn.web.safe_text import escaped


class SafePages:
    """A middleware that writes out unsafe characters in HTML: none of our own templates holds one.

    Text that people enter is refused where it is unsafe. What comes from elsewhere, such as a link, a
    search or a row of an older version, reaches pages in too many places to be escaped at each.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if isinstance(response, HttpResponse) and response.get("Content-Type", "").startswith("text/html"):
            page = response.content.decode(errors="replace")
            safe = escaped(page, lines=True)
            if safe != page:
                response.content = safe.encode()
        return response
