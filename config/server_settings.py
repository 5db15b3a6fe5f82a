"""The settings as gunicorn's parent process reads them: at start, and again at each reload (SIGHUP).

The parent imports the settings for its own options, and its workers inherit them with the process. A reload
must import them again, or a changed file would not be read.
"""

import importlib
import logging
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

from django.core.exceptions import ImproperlyConfigured

from config.env_file import require_settings

_ROOT = Path(__file__).resolve().parent.parent
_SETTINGS = "config.settings"
_CHECK_SECONDS = 60
_ERROR_OF_A_CHECK = re.compile(r"\([a-z0-9_]+\.E\d+\) .+")

logger = logging.getLogger("gunicorn.error")
_was_read = False


def read_settings() -> ModuleType:
    """Return the settings. A reload with invalid settings keeps the previous ones, and logs the reason.

    Otherwise a typo would stop the parent, or every new worker and then the parent.
    """
    global _was_read
    previous = sys.modules.get(_SETTINGS)
    if not _was_read or previous is None:
        _was_read = True
        return _first_settings()
    refusal = _refusal()
    if not refusal:
        del sys.modules[_SETTINGS]
        try:
            return importlib.import_module(_SETTINGS)
        except Exception as error:
            refusal = str(error)
    sys.modules[_SETTINGS] = previous
    logger.error("The changed settings are invalid. The desk keeps its previous settings: %s", refusal)
    return previous


def _first_settings() -> ModuleType:
    """Import the settings. Exits with a message if one is missing or invalid: gunicorn would print a traceback."""
    try:
        settings = importlib.import_module(_SETTINGS)
    except ImproperlyConfigured as error:
        sys.exit(str(error))
    require_settings(settings)
    return settings


def _refusal() -> str:
    """Return the errors of the system checks on the current settings, "" if there are none. Never quotes a value."""
    command = [sys.executable, str(_ROOT / "manage.py"), "check"]
    try:
        finished = subprocess.run(  # noqa: S603  # a fixed command
            command, cwd=_ROOT, capture_output=True, text=True, timeout=_CHECK_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"manage.py check did not finish: {type(error).__name__}."
    if finished.returncode == 0:
        return ""
    lines = finished.stderr.strip().splitlines() or ["manage.py check failed."]
    return " ".join(found[0] for line in lines if (found := _ERROR_OF_A_CHECK.search(line))) or lines[-1]
