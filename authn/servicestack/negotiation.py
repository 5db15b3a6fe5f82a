"""Content negotiation: the format of a request's body and of its response."""

from dataclasses import dataclass
from http import HTTPStatus

from django.http import HttpRequest

from authn.servicestack.errors import Refusal
from authn.servicestack.formats import BY_MEDIA_TYPE, CSV, FORMATS, HTML, JSV, Format

FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")


@dataclass(frozen=True, slots=True)
class Address:
    """The formats in a URL: `.jsv` at its end, `/jsv/reply/` at its start."""

    suffix: Format | None = None
    route: Format | None = None


def response_format(request: HttpRequest, address: Address) -> Format:
    """Return the format of the response: suffix, then `?format=`, then the route, then Accept, then HTML."""
    requested = FORMATS.get(request.GET.get("format", "").lower())
    return address.suffix or requested or address.route or _accepted(request)


def content_type(request: HttpRequest, format_: Format) -> str:
    """Return the Content-Type of a response: `text/jsv`, a documented alias, only if Accept names that one alone."""
    accepted = _media_types(request)
    if format_ is JSV and "text/jsv" in accepted and "application/jsv" not in accepted:
        return "text/jsv"
    return format_.content_type


def body_format(request: HttpRequest, address: Address) -> Format | None:
    """Return the format of a body, None for a form.

    A route of one format overrides Content-Type, because JsonApiClient sends JSON as `text/plain`.
    Elsewhere an unknown type is refused with 415, and not treated as an empty DTO.
    """
    media_type = own_media_type(request)
    if media_type in FORMS:
        return None
    found = address.route if address.route and address.route.read else BY_MEDIA_TYPE.get(media_type)
    if found is None or found.read is None:
        raise Refusal(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            "UnsupportedMediaType",
            "Send JSON, XML, JSV, CSV or a form, with a matching Content-Type.",
        )
    return found


def _accepted(request: HttpRequest) -> Format:
    accepted = _media_types(request)
    own = BY_MEDIA_TYPE.get(own_media_type(request))
    preferred = [each for each in FORMATS.values() if any(name in accepted for name in each.media_types)]
    if own and own in preferred:
        return own
    if "*/*" in accepted or not accepted:
        # v5.6 prefers CSV to nothing but an explicit request for it.
        preferred = [each for each in preferred if each is not CSV] or [own or HTML]
    return preferred[0] if preferred else HTML


def _media_types(request: HttpRequest) -> list[str]:
    """Return the media types of Accept in order. q-values are ignored, as v5.6 does and its clients expect."""
    parts = request.headers.get("Accept", "").lower().split(",")
    return [name for part in parts if (name := part.partition(";")[0].strip())]


def own_media_type(request: HttpRequest) -> str:
    """Return the media type of a request's body without parameters, or ""."""
    return request.headers.get("Content-Type", "").partition(";")[0].strip().lower()
