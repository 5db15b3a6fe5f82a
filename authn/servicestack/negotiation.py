"""Which format a request's body is in, and which its answer is to be in."""

from dataclasses import dataclass
from http import HTTPStatus

from django.http import HttpRequest

from authn.servicestack.errors import Refusal
from authn.servicestack.formats import BY_MEDIA_TYPE, CSV, FORMATS, HTML, JSV, Format

FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")


@dataclass(frozen=True, slots=True)
class Address:
    """What the address of a request says of formats: `.jsv` at its end, `/jsv/reply/` at its start."""

    suffix: Format | None = None
    route: Format | None = None


def answer_format(request: HttpRequest, address: Address) -> Format:
    """Return the format to answer in: suffix, then `?format=`, then the route, then Accept, then HTML."""
    asked = FORMATS.get(request.GET.get("format", "").lower())
    return address.suffix or asked or address.route or _accepted(request)


def content_type(request: HttpRequest, format_: Format) -> str:
    """Return the media type to answer with. Who accepts `text/jsv`, the alias in the documentation, gets it."""
    accepted = _media_types(request)
    if format_ is JSV and "text/jsv" in accepted and "application/jsv" not in accepted:
        return "text/jsv"
    return format_.content_type


def body_format(request: HttpRequest, address: Address) -> Format | None:
    """Return the format that a body is in, None for a form.

    On a route of one format the body is in that, whatever Content-Type says: JsonApiClient sends
    JSON as `text/plain`. Elsewhere an unknown type is refused, and never read as an empty message.
    """
    media_type = own_media_type(request)
    if media_type in FORMS:
        return None
    found = address.route if address.route and address.route.read else BY_MEDIA_TYPE.get(media_type)
    if found is None or found.read is None:
        raise Refusal(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            "UnsupportedMediaType",
            "Send JSON, XML, JSV, CSV or a form, and say which in Content-Type.",
        )
    return found


def _accepted(request: HttpRequest) -> Format:
    accepted = _media_types(request)
    own = BY_MEDIA_TYPE.get(own_media_type(request))
    preferred = [each for each in FORMATS.values() if any(name in accepted for name in each.media_types)]
    if own and own in preferred:
        return own
    if "*/*" in accepted or not accepted:
        # CSV comes after "anything" in the order of v5.6.
        preferred = [each for each in preferred if each is not CSV] or [own or HTML]
    return preferred[0] if preferred else HTML


def _media_types(request: HttpRequest) -> list[str]:
    """Return what Accept names. v5.6 looks at no q-values, and its clients have learnt to live with that."""
    parts = request.headers.get("Accept", "").lower().split(",")
    return [name for part in parts if (name := part.partition(";")[0].strip())]


def own_media_type(request: HttpRequest) -> str:
    """Return the media type of a request's body, without parameters, "" for none."""
    return request.headers.get("Content-Type", "").partition(";")[0].strip().lower()
