"""The door for gunicorn. Refuses to start on settings that a system check refuses."""

import os

from django.core.management import call_command
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

application = get_wsgi_application()
# A web server does not run system checks by itself, and a desk without its keys must not open.
call_command("check")
