"""Settings of the test run: Frontdesk's own, with throw-away keys.

The keys are made up here so that a test never depends on a developer's environment.
"""

import os
import tempfile
from pathlib import Path

_DEFAULTS = {
    "SECRET_KEY": "test-secret-key-" + "s" * 40,
    "FERNET_KEYS": "test-fernet-key-" + "f" * 40,
    "JWT_SIGNING_KEY": "test-jwt-signing-key-" + "j" * 40,
    "AUDIT_KEY": "test-audit-key-" + "a" * 40,
    "ALLOWED_HOSTS": "testserver,localhost,127.0.0.1",
    "PUBLIC_URL": "http://localhost:8000",
}
_SPOOL = Path(tempfile.gettempdir()) / f"frontdesk-tests-{os.getuid()}" / f"spool-{os.getpid()}"
_OURS = (
    "SALESFORCE_",
    "ALLOW_",
    "DEMO",
    "DEBUG",
    "LEASE_",
    "TAKEOVER_",
    "LOGIN_BUDGET",
    "LOGINS_PER_ADDRESS",
    "WEB_",
    "DATABASE_POOL",
    "DATABASE_STATEMENT",
    "DATABASE_LOCK",
    "AUDIT_RETENTION",
    "TRUSTED_",
)
for _name in [name for name in os.environ if name.startswith(_OURS) and name != "ALLOWED_HOSTS"]:
    del os.environ[_name]
os.environ.update(_DEFAULTS)
os.environ["ENV_FILE"] = os.devnull
os.environ["SPOOL_DIR"] = str(_SPOOL)
if not os.environ.get("DATABASE_URL", "").startswith("postgres"):
    _folder = Path(tempfile.gettempdir()) / f"frontdesk-tests-{os.getuid()}"
    _folder.mkdir(exist_ok=True)
    os.environ["DATABASE_URL"] = f"sqlite:///{_folder / 'live.sqlite3'}"

from config.settings import *  # noqa: E402, F403
from config.settings import DATABASES  # noqa: E402

if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    # A file, so that threads and processes share it; its safety at a power cut is not under test.
    DATABASES["default"]["TEST"] = {"NAME": str(_folder / f"test-{os.getpid()}.sqlite3")}
    DATABASES["default"]["OPTIONS"]["init_command"] = "PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF;"

# As in the demo: nothing was collected.
WHITENOISE_USE_FINDERS = True
STATIC_ROOT = None
# Each test client makes the middleware again: static files are then looked up when asked for, not listed before.
WHITENOISE_AUTOREFRESH = True

# A quick hash for the users that tests make by the hundred; argon2 has a test of its own.
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.MD5PasswordHasher",
    "authn.password_hashing.BoundedArgon2PasswordHasher",
]
