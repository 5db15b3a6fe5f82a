"""System checks that stop the start on missing or unsafe settings. Ids: authn.E001 and up."""

from collections.abc import Callable, Iterable, Sequence
from urllib.parse import urlsplit

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, register
from django.core.exceptions import ImproperlyConfigured
from django.http.request import validate_host

MIN_KEY_LENGTH = 32
LOOPBACK = ("localhost", "127.0.0.1", "::1")

Check = Callable[[], Iterable[CheckMessage]]


@register()
def check_authn_settings(app_configs: Sequence[AppConfig] | None, **_: object) -> list[CheckMessage]:
    """Run every check of this module."""
    checks: list[Check] = [_keys, _public_url, _demo, _hosts, _proxies, _logins, _retention, _threads, _database]
    return [message for check in checks for message in check()]


def _keys() -> Iterable[CheckMessage]:
    named = {
        "authn.E001": ("SECRET_KEY", _secret_key()),
        "authn.E002": ("JWT_SIGNING_KEY", settings.JWT_SIGNING_KEY),
        "authn.E003": ("AUDIT_KEY", settings.AUDIT_KEY),
    }
    for check_id, (name, value) in named.items():
        if len(value) < MIN_KEY_LENGTH:
            yield Error(
                f"{name} is missing or shorter than {MIN_KEY_LENGTH} characters.",
                hint="Generate one: python3 -c 'import secrets; print(secrets.token_urlsafe(48))'",
                id=check_id,
            )
    values = [value for _, value in named.values() if value] + list(settings.FERNET_KEYS)
    if len(set(values)) != len(values):
        yield Error("Two of the keys are equal.", hint="Generate each key separately.", id="authn.E004")


def _secret_key() -> str:
    """Return the key, or "" where Django would raise for an empty one."""
    try:
        return str(settings.SECRET_KEY)
    except ImproperlyConfigured:
        return ""


def _public_url() -> Iterable[CheckMessage]:
    parts = urlsplit(settings.PUBLIC_URL)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.path or parts.query:
        yield Error(
            "PUBLIC_URL must be the address that users open, such as https://frontdesk.example.com.",
            id="authn.E005",
        )
    elif parts.scheme == "http" and parts.hostname not in LOOPBACK:
        yield Error("PUBLIC_URL must be https unless it is on loopback.", id="authn.E006")


def _demo() -> Iterable[CheckMessage]:
    if settings.DEMO and urlsplit(settings.PUBLIC_URL).hostname not in LOOPBACK:
        yield Error("DEMO is for loopback only.", hint="Set DEMO=false.", id="authn.E007")


def _hosts() -> Iterable[CheckMessage]:
    if not settings.ALLOWED_HOSTS or "*" in settings.ALLOWED_HOSTS:
        yield Error("ALLOWED_HOSTS must list the host names of this desk.", id="authn.E008")
    elif not validate_host(urlsplit(settings.PUBLIC_URL).hostname or "", settings.ALLOWED_HOSTS):
        yield Error(
            "ALLOWED_HOSTS does not contain the host name of PUBLIC_URL.",
            hint="The desk would refuse every request to its own address.",
            id="authn.E018",
        )
    if settings.DEBUG and urlsplit(settings.PUBLIC_URL).hostname not in LOOPBACK:
        yield Error("DEBUG reveals settings to any client; it is for loopback only.", id="authn.E009")


def _proxies() -> Iterable[CheckMessage]:
    if not 0 <= settings.TRUSTED_PROXY_COUNT <= 10:
        yield Error("TRUSTED_PROXY_COUNT must be between 0 and 10.", id="authn.E010")


def _logins() -> Iterable[CheckMessage]:
    if not 5 <= settings.LOGINS_PER_ADDRESS_PER_MINUTE <= 10_000:
        yield Error("LOGINS_PER_ADDRESS_PER_MINUTE must be between 5 and 10000.", id="authn.E019")


def _retention() -> Iterable[CheckMessage]:
    if settings.AUDIT_RETENTION_DAYS < 1:
        yield Error("AUDIT_RETENTION_DAYS must be at least 1.", id="authn.E011")


def _threads() -> Iterable[CheckMessage]:
    if not 1 <= settings.WEB_THREADS <= 1024:
        yield Error("WEB_THREADS must be between 1 and 1024.", id="authn.E012")
    if not 1 <= settings.WEB_CONCURRENCY <= 256:
        yield Error("WEB_CONCURRENCY must be between 1 and 256.", id="authn.E013")


def _database() -> Iterable[CheckMessage]:
    statement, lock = settings.DATABASE_STATEMENT_TIMEOUT_SECONDS, settings.DATABASE_LOCK_TIMEOUT_SECONDS
    if not 1 <= settings.DATABASE_POOL_SIZE <= 500:
        yield Error("DATABASE_POOL_SIZE must be between 1 and 500.", id="authn.E014")
    if statement and not 0.1 <= statement <= 3600:
        yield Error(
            "DATABASE_STATEMENT_TIMEOUT_SECONDS must be between 0.1 and 3600, or 0 for no limit.", id="authn.E015"
        )
    if lock and not 0.05 <= lock <= 600:
        yield Error("DATABASE_LOCK_TIMEOUT_SECONDS must be between 0.05 and 600, or 0 for no limit.", id="authn.E016")
    elif lock and statement and lock >= statement:
        yield Error(
            "DATABASE_LOCK_TIMEOUT_SECONDS must be below DATABASE_STATEMENT_TIMEOUT_SECONDS.",
            hint="A lock wait is part of its statement, which would time out first.",
            id="authn.E017",
        )
