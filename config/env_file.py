"""The required settings, and `init`, which writes a file of settings with new keys.

`python3 dev.py init` runs before anything is installed, so this imports the standard library only.
"""

import argparse
import os
import re
import secrets
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TEMPLATE = ROOT / ".env.example"
KEYS = ("SECRET_KEY", "FERNET_KEYS", "JWT_SIGNING_KEY", "AUDIT_KEY")
REQUIRED = (*KEYS, "PUBLIC_URL", "ALLOWED_HOSTS")
_GENERATED = (*KEYS, "POSTGRES_PASSWORD")


def require_settings(settings: object) -> None:
    """Exit, naming every required setting that is missing in the settings module."""
    missing = [name for name in REQUIRED if not getattr(settings, name)]
    if missing:
        sys.exit(
            f"Required settings are missing: {', '.join(missing)}. Set them in the environment or in .env, which "
            "`python3 manage.py init` writes with new keys; docs/configuration.md describes them."
        )


def run_init(arguments: list[str]) -> None:
    """Run `manage.py init`: write the file, or print the help. Exits if there are other arguments."""
    argparse.ArgumentParser(
        prog="manage.py init", description="Write .env, or the file that ENV_FILE names, with new keys."
    ).parse_args(arguments)
    init()


def init() -> None:
    """Write `.env`, or the file that ENV_FILE names, from the template with new keys. Never changes a file.

    Exits with a message if the file exists or cannot be written. The file is readable by its owner only.
    """
    file = Path(os.environ.get("ENV_FILE") or ROOT / ".env")
    try:
        text = _with_new_keys(TEMPLATE.read_text(encoding="utf-8"))
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        sys.exit(f"{file} exists, and was not changed. To make a new file, move this one away; keep its FERNET_KEYS.")
    except OSError as error:
        sys.exit(f"{file} was not written: {error.strerror}: {error.filename}.")
    with os.fdopen(descriptor, "w", encoding="utf-8") as output:
        output.write(text)
    print(  # noqa: T201  # the output of the command
        f"{file} was written with new keys. Only its owner can read it.\n"
        "Set in it: PUBLIC_URL and ALLOWED_HOSTS; behind a TLS proxy also TRUSTED_PROXY_COUNT.\n"
        "Back up FERNET_KEYS, apart from the database: without them every stored credential is lost."
    )


def _with_new_keys(template: str) -> str:
    for name in _GENERATED:
        template, count = re.subn(rf"^{name}=$", f"{name}={secrets.token_urlsafe(48)}", template, flags=re.MULTILINE)
        if count != 1:
            raise ValueError(f"{TEMPLATE.name} must have one line `{name}=`.")
    return template
