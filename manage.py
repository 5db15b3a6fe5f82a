#!/usr/bin/env python3
"""Runs Frontdesk's management commands."""

import importlib
import os
import sys

# These need no keys: the image is built with `collectstatic`.
_WITHOUT_SETTINGS = ("collectstatic", "help", "-h", "--help", "version", "--version")


def main() -> None:
    """Hand the command line to Django, or exit if required settings are missing."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    from config import env_file

    if sys.argv[1:2] == ["init"]:  # It needs neither settings nor installed packages.
        env_file.run_init(sys.argv[2:])
        return
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line

    if sys.argv[1:] and sys.argv[1] not in _WITHOUT_SETTINGS:
        try:
            env_file.require_settings(importlib.import_module(os.environ["DJANGO_SETTINGS_MODULE"]))
        except ImproperlyConfigured as error:  # It names a setting that has an invalid value.
            sys.exit(str(error))
    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
