"""System checks of the settings that could lose, leak or misdirect a credential. Ids: orgs.E001 and following."""

import ipaddress
import os
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, register

from authn.checks import LOOPBACK, MIN_KEY_LENGTH, Check
from orgs.credentials.refresh_lock import MARGIN_SECONDS

MAX_SALESFORCE_TIMEOUT_SECONDS = 120
# An org stays unusable for this long if the process that refreshes it is killed.
_MAX_REFRESH_LOCK_SECONDS = 600
_MAX_TAKEOVER_SECONDS = 86_400

_DOMAIN = re.compile(r"(?=.{4,253}\Z)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}\Z")
_VERSION = re.compile(r"\d{2,3}\.0\Z", re.ASCII)


@register()
def check_orgs_settings(app_configs: Sequence[AppConfig] | None, **_: object) -> list[CheckMessage]:
    """Return the errors of all checks in this module."""
    checks: list[Check] = [
        _fernet_keys,
        _times,
        _takeover,
        _budget,
        _spool,
        _domains,
        _networks,
        _proxy,
        _ca_bundle,
        _version,
        _gateway,
    ]
    return [message for check in checks for message in check()]


def _fernet_keys() -> Iterable[CheckMessage]:
    # Without this, fernet_fields would encrypt under SECRET_KEY, or fail at the first credential.
    keys = settings.FERNET_KEYS
    if not keys or any(len(key) < MIN_KEY_LENGTH for key in keys):
        yield Error(
            f"FERNET_KEYS is missing, or one of its keys is shorter than {MIN_KEY_LENGTH} characters.",
            hint="Generate one: python3 -c 'import secrets; print(secrets.token_urlsafe(48))'",
            id="orgs.E001",
        )


def _times() -> Iterable[CheckMessage]:
    if not 0.1 <= settings.SALESFORCE_TIMEOUT_SECONDS <= MAX_SALESFORCE_TIMEOUT_SECONDS:
        yield Error(
            f"SALESFORCE_TIMEOUT_SECONDS must be between 0.1 and {MAX_SALESFORCE_TIMEOUT_SECONDS}.", id="orgs.E002"
        )
    shortest = settings.SALESFORCE_TIMEOUT_SECONDS + MARGIN_SECONDS
    if not shortest <= settings.REFRESH_LOCK_SECONDS <= _MAX_REFRESH_LOCK_SECONDS:
        yield Error(
            f"REFRESH_LOCK_SECONDS must exceed SALESFORCE_TIMEOUT_SECONDS by at least {MARGIN_SECONDS}, "
            f"and be at most {_MAX_REFRESH_LOCK_SECONDS}.",
            hint="If the lock expires during a call, a second process uses the same refresh token.",
            id="orgs.E003",
        )


def _takeover() -> Iterable[CheckMessage]:
    if not settings.REFRESH_LOCK_SECONDS < settings.TAKEOVER_SECONDS <= _MAX_TAKEOVER_SECONDS:
        yield Error(
            f"TAKEOVER_SECONDS must exceed REFRESH_LOCK_SECONDS, and be at most {_MAX_TAKEOVER_SECONDS}.",
            hint="A node whose refresh lock expired may still hold the token response in its spool.",
            id="orgs.E010",
        )


def _budget() -> Iterable[CheckMessage]:
    if not 5 <= settings.LOGIN_BUDGET_PER_HOUR <= 3600:
        yield Error(
            "LOGIN_BUDGET_PER_HOUR must be between 5 and 3600.",
            hint="Salesforce allows 3,600 log-ins per user and hour.",
            id="orgs.E011",
        )


def _spool() -> Iterable[CheckMessage]:
    directory = Path(settings.SPOOL_DIR)
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        writable = os.access(directory, os.R_OK | os.W_OK | os.X_OK)
    except OSError:
        writable = False
    if not writable:
        yield Error(
            "SPOOL_DIR is not a directory that this process can write to.",
            hint="It holds new refresh tokens until the database has them. Use a directory on a persistent volume.",
            id="orgs.E012",
        )


def _domains() -> Iterable[CheckMessage]:
    for domain in settings.SALESFORCE_EXTRA_DOMAINS:
        if not _DOMAIN.match(domain.lower()):
            yield Error(
                f"SALESFORCE_EXTRA_DOMAINS contains {domain!r}, which is not a domain name.",
                hint="Use names such as orgs.example.com, without a scheme, port, path or wildcard.",
                id="orgs.E004",
            )


def _networks() -> Iterable[CheckMessage]:
    for network in settings.SALESFORCE_ALLOWED_NETWORKS:
        try:
            ipaddress.ip_network(network)
        except ValueError:
            yield Error(
                f"SALESFORCE_ALLOWED_NETWORKS contains {network!r}, which is not a network.",
                hint="Use CIDR notation such as 10.20.0.0/16, without host bits.",
                id="orgs.E013",
            )


def _proxy() -> Iterable[CheckMessage]:
    if not settings.SALESFORCE_PROXY:
        return
    parts = urlsplit(settings.SALESFORCE_PROXY)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        # The value may contain a password, so it is not shown.
        yield Error("SALESFORCE_PROXY must be a URL such as http://proxy.example.com:3128.", id="orgs.E005")


def _ca_bundle() -> Iterable[CheckMessage]:
    if settings.SALESFORCE_CA_BUNDLE and not Path(settings.SALESFORCE_CA_BUNDLE).is_file():
        yield Error("SALESFORCE_CA_BUNDLE is not a file that this process can read.", id="orgs.E006")


def _version() -> Iterable[CheckMessage]:
    if settings.SALESFORCE_API_VERSION and not _VERSION.match(settings.SALESFORCE_API_VERSION):
        yield Error("SALESFORCE_API_VERSION must be a version such as 67.0.", id="orgs.E007")


def _gateway() -> Iterable[CheckMessage]:
    if not settings.SALESFORCE_GATEWAY:
        if settings.DEMO:
            yield Error("DEMO needs SALESFORCE_GATEWAY, the address of the emulator.", id="orgs.E008")
        return
    parts = urlsplit(settings.SALESFORCE_GATEWAY)
    if not settings.DEMO or parts.scheme != "http" or parts.hostname not in LOOPBACK or parts.path:
        yield Error(
            "SALESFORCE_GATEWAY is allowed in the demo only, with DEMO and an address on loopback.",
            hint="Every refresh token would be sent to it unencrypted.",
            id="orgs.E009",
        )
