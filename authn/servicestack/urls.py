"""URLs of the service, at the root of the site as in ServiceStack v5.6 by default."""

import re

from django.urls import URLPattern
from django.urls.resolvers import RoutePattern
from django.views import View

from authn.servicestack.metadata import IndexView, MetadataView
from authn.servicestack.views import AccessTokenView, AuthenticateView, ReplyView

_PARTS = {
    "<format>": "(?P<format>json|xml|jsv|csv|html)",
    "<operation>": r"(?P<operation>[^/]+)",
    # Not greedy, to leave a format's suffix.
    "<provider>": r"(?P<provider>[^/]+?)",
}
_SUFFIX = r"(?:\.(?P<suffix>json|xml|jsv|csv|html))?"


class LooseRoute(RoutePattern):
    """A case-insensitive route with an optional trailing slash, like ServiceStack's."""

    def __init__(self, route: str, name: str, *, suffix: bool) -> None:
        super().__init__(route, name, is_endpoint=True)
        regex = re.escape(route)
        for part, expression in _PARTS.items():
            regex = regex.replace(re.escape(part), expression)
        self._loose = re.compile(f"{regex}{_SUFFIX if suffix else ''}/?", re.IGNORECASE | re.ASCII)

    def match(self, path: str) -> tuple[str, tuple[()], dict[str, int | str]] | None:
        """Return no remaining path, no positional arguments, and the named parts of the path."""
        found = self._loose.fullmatch(path)
        return ("", (), {name: value for name, value in found.groupdict().items() if value}) if found else None


def loose(route: str, view: type[View], name: str, *, suffix: bool = False) -> URLPattern:
    """Return a route of this service."""
    return URLPattern(LooseRoute(route, name, suffix=suffix), view.as_view(), None, name)


urlpatterns = [
    loose("auth", AuthenticateView, "servicestack-auth", suffix=True),
    loose("auth/<provider>", AuthenticateView, "servicestack-auth-provider", suffix=True),
    loose("authenticate", AuthenticateView, "servicestack-authenticate", suffix=True),
    loose("authenticate/<provider>", AuthenticateView, "servicestack-authenticate-provider", suffix=True),
    loose("access-token", AccessTokenView, "servicestack-access-token", suffix=True),
    loose("<format>/reply/<operation>", ReplyView, "servicestack-reply"),
    loose("json/oneway/<operation>", ReplyView, "servicestack-oneway"),
    loose("api/<operation>", ReplyView, "servicestack-api"),
    loose("metadata", IndexView, "servicestack-metadata"),
    loose("<format>/metadata", MetadataView, "servicestack-operation"),
]
