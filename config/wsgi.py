"""The WSGI application. Does not start on settings that fail a system check."""

import importlib
import io
import os
from collections.abc import Iterable
from typing import TYPE_CHECKING

import django
from django.core.management import call_command
from django.core.wsgi import get_wsgi_application
from django.utils.http import parse_header_parameters

from config.env_file import require_settings

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
require_settings(importlib.import_module(os.environ["DJANGO_SETTINGS_MODULE"]))
django.setup()

from config.request_bodies import declare_length  # noqa: E402  # models can be imported from here on
from orgs.credentials import replay  # noqa: E402

# A WSGI server does not run system checks, and a desk without its encryption keys must not start.
call_command("check", stdout=io.StringIO())
_django = get_wsgi_application()


def application(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
    """Serve a request as UTF-8, whatever charset its Content-Type names.

    Django decodes the query with that charset before it handles exceptions: an unknown charset, or too many
    query parameters with any charset, would be a 500.
    """
    if ";" in environ.get("CONTENT_TYPE", ""):
        environ["CONTENT_TYPE"] = _without_charset(environ["CONTENT_TYPE"])
    declare_length(environ)
    return _django(environ, start_response)


def _without_charset(content_type: str) -> str:
    """Return a content type without its charset, in any spelling of RFC 2231.

    Parsed as Django parses it. Of the other parameters, only the boundary of a form matters.
    """
    try:
        kind, parameters = parse_header_parameters(content_type)
    except (ValueError, LookupError):  # an unknown charset in a parameter
        return content_type.partition(";")[0].strip()
    if "charset" not in parameters:
        return content_type
    boundary = str(parameters.get("boundary", ""))
    return f'{kind}; boundary="{boundary}"' if boundary and not set(boundary) & {'"', "\\"} else kind


replay.loop.start()
