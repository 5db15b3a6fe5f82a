"""Validates the origin of a request, and the URLs that it asks to be redirected to.

v5.6 follows any Continue. Here it may only be a path or an absolute URL of Frontdesk, in any format.
"""

import re
from http import HTTPStatus
from urllib.parse import parse_qsl, unquote, urlsplit

from django.http import HttpRequest
from django.urls import Resolver404, resolve

from authn.servicestack.dtos import ResponseError
from authn.servicestack.errors import Refusal
from authn.servicestack.formats import BY_MEDIA_TYPE
from authn.servicestack.negotiation import own_media_type
from authn.web.redirects import is_own_address as is_own_address
from authn.web.same_origin import fetch_site, has_foreign_origin, is_own_fetch

# Media types that a browser sends to another site only after a CORS preflight. It sends all others without:
# forms, plain text, and reports such as `application/csp-report`.
_PREFLIGHTED = {media_type for media_type, format_ in BY_MEDIA_TYPE.items() if format_.read}
# Route names (`urls`). A GET of the first two returns the current user, unless the query names a provider.
_AUTH_ROUTES = ("servicestack-auth", "servicestack-authenticate")
_LOGIN_ROUTES = (
    *(f"{name}-provider" for name in _AUTH_ROUTES),
    *(f"servicestack-{name}" for name in ("access-token", "reply", "oneway", "api")),
)
_PLAIN_WORDS = re.compile(r"[A-Za-z0-9_.\- ]*\Z", re.ASCII)


def validated_continue(request: HttpRequest, target: str | None) -> str | None:
    """Return the URL that a log-in redirects to, None without one.

    Raises Refusal for a URL of another site. A word without a slash, such as the `String` of the sample
    request, is ignored.
    """
    target = (target or "").strip(" ")
    if is_own_address(request, target):
        return target
    if _PLAIN_WORDS.match(target):
        return None
    message = "External Redirects are not permitted"
    field = ResponseError(error_code="ArgumentException", field_name="Continue", message=message)
    raise Refusal(HTTPStatus.BAD_REQUEST, "ArgumentException", message, fields=[field])


def referrer_of(request: HttpRequest) -> str | None:
    """Return the page of Frontdesk that a request came from, without its fragment.

    A URL of this service that logs in or out is excluded: a GET of it is `405`, or logs out.
    """
    referrer = request.headers.get("Referer", "").partition("#")[0]
    return referrer if is_own_address(request, referrer) and not _logs_in_or_out(referrer) else None


def refuse_cross_site(request: HttpRequest) -> None:
    """Raise Refusal (403) for a request that a page of another site made a browser send.

    JSON, XML and JSV are allowed: a browser sends them to another site only after a CORS preflight, which
    this service never grants.
    """
    if own_media_type(request) in _PREFLIGHTED or is_own_fetch(request):
        return
    if fetch_site(request) or has_foreign_origin(request):
        raise Refusal(HTTPStatus.FORBIDDEN, "Forbidden", "Cross-site requests are not allowed.")


def _logs_in_or_out(url: str) -> bool:
    """Return True if a GET of this URL addresses a log-in, log-out or token operation of this service."""
    parts = urlsplit(url)
    try:
        found = resolve(unquote(parts.path))
    except Resolver404:
        return False
    names = {name.strip().lower() for name, _ in parse_qsl(parts.query)}
    return found.view_name in _LOGIN_ROUTES or (found.view_name in _AUTH_ROUTES and "provider" in names)
