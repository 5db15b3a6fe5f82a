"""The door for gunicorn. Refuses to start on settings that a system check refuses."""

import io
import os
from collections.abc import Callable, Iterable
from typing import Any

import django
from django.core.management import call_command
from django.core.wsgi import get_wsgi_application
from django.utils.http import parse_header_parameters

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()

from config.request_bodies import declare_length  # noqa: E402  # models can be imported from here on
from orgs.credentials import replay  # noqa: E402

# A web server does not run system checks by itself, and a desk without its keys must not open.
call_command("check", stdout=io.StringIO())
_django = get_wsgi_application()


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Serve a request, whose texts are UTF-8 whatever it says of them.

    Django would decode the query by the charset of the body before anything can answer for it: a
    charset that is none, or a query of too many parameters beside any charset, would be a 500.
    """
    if ";" in environ.get("CONTENT_TYPE", ""):
        environ["CONTENT_TYPE"] = _without_charset(environ["CONTENT_TYPE"])
    declare_length(environ)
    return _django(environ, start_response)


def _without_charset(content_type: str) -> str:
    """Return a content type that names no charset, in whichever of RFC 2231's spellings it did.

    Read as Django will read it. Of what else may stand there, only a form's boundary means anything.
    """
    try:
        kind, parameters = parse_header_parameters(content_type)
    except (ValueError, LookupError):  # a charset that is none, of some parameter
        return content_type.partition(";")[0].strip()
    if "charset" not in parameters:
        return content_type
    boundary = str(parameters.get("boundary", ""))
    return f'{kind}; boundary="{boundary}"' if boundary and not set(boundary) & {'"', "\\"} else kind


replay.loop.start()
