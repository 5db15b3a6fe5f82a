"""Judges the addresses that a request brings along: where it came from, and where it wants to be sent.

v5.6 follows any Continue. Here one may lead to a path of this desk, or to its own absolute
address, and to nothing else, in any format.
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

# What a browser asks us for before it sends it for another site. All else may come unasked: forms,
# texts, and also reports that a page has it send (`application/csp-report`).
_ASKED_FOR = {media_type for media_type, format_ in BY_MEDIA_TYPE.items() if format_.read}
# The names of our addresses (`urls`).
_QUESTIONS = ("servicestack-auth", "servicestack-authenticate")
_DEEDS = (
    *(f"{name}-provider" for name in _QUESTIONS),
    *(f"servicestack-{name}" for name in ("access-token", "reply", "oneway", "api")),
)
_HARMLESS_WORDS = re.compile(r"[A-Za-z0-9_.\- ]*\Z", re.ASCII)


def continue_of(request: HttpRequest, wish: str | None) -> str | None:
    """Return where a log-in leads on to, None when the wish names no place of ours.

    Raises Refusal for a place that is not ours. A word without a slash, such as the `String` of the
    sample request, is no place at all and is dropped.
    """
    wish = (wish or "").strip(" ")
    if is_own_address(request, wish):
        return wish
    if _HARMLESS_WORDS.match(wish):
        return None
    message = "External Redirects are not permitted"
    field = ResponseError(error_code="ArgumentException", field_name="Continue", message=message)
    raise Refusal(HTTPStatus.BAD_REQUEST, "ArgumentException", message, fields=[field])


def referrer_of(request: HttpRequest) -> str | None:
    """Return the page of ours that a request came from, without its fragment.

    An address at which this service logs in or out is no page to go back to: a GET of it is `405`,
    or logs out.
    """
    referrer = request.headers.get("Referer", "").partition("#")[0]
    return referrer if is_own_address(request, referrer) and not _is_a_deed(referrer) else None


def refuse_cross_site(request: HttpRequest) -> None:
    """Refuse what a page of another site made a browser send. Raises Refusal.

    A browser asks first (CORS preflight, which this service never grants) before it sends JSON, XML
    or JSV elsewhere, so these pass.
    """
    if own_media_type(request) in _ASKED_FOR or is_own_fetch(request):
        return
    if fetch_site(request) or has_foreign_origin(request):
        raise Refusal(HTTPStatus.FORBIDDEN, "Forbidden", "This was sent by a page of another site.")


def _is_a_deed(address: str) -> bool:
    """Tell whether one of our addresses is of this service, and no mere question who one is."""
    parts = urlsplit(address)
    try:
        found = resolve(unquote(parts.path))
    except Resolver404:
        return False
    names = {name.strip().lower() for name, _ in parse_qsl(parts.query)}
    return found.view_name in _DEEDS or (found.view_name in _QUESTIONS and "provider" in names)
