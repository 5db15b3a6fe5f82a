"""The door for gunicorn. Refuses to start on settings that a system check refuses."""

import io
import os

import django
from django.core.management import call_command
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()

from orgs.replay import keep_replaying  # noqa: E402  # models can be imported from here on

# A web server does not run system checks by itself, and a desk without its keys must not open.
call_command("check", stdout=io.StringIO())
application = get_wsgi_application()
keep_replaying()
