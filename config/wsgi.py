"""The door for gunicorn. Refuses to start on settings that a system check refuses."""

import io
import os
import re
from collections.abc import Callable, Iterable
from typing import Any

import django
from django.core.management import call_command
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()

from orgs.replay import keep_replaying  # noqa: E402  # models can be imported from here on

# A web server does not run system checks by itself, and a desk without its keys must not open.
call_command("check", stdout=io.StringIO())
_django = get_wsgi_application()
_CHARSET = re.compile(r";\s*charset\s*=[^;]*", re.IGNORECASE)


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Serve a request, whose texts are UTF-8 whatever it says of them.

    Django would decode the query by the charset of the body before anything can answer for it: a
    charset that is none, or a query of too many parameters beside any charset, would be a 500.
    """
    if "charset" in environ.get("CONTENT_TYPE", "").lower():
        environ["CONTENT_TYPE"] = _CHARSET.sub("", environ["CONTENT_TYPE"])
    return _django(environ, start_response)


keep_replaying()
