"""A desk with missing or unsafe settings does not start, and says which setting it is."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.checks import run_checks

from config.environment import Environment

ROOT = Path(__file__).parent.parent.parent
UNSAFE = [
    ("SECRET_KEY", "", "authn.E001"),
    ("JWT_SIGNING_KEY", "short", "authn.E002"),
    ("AUDIT_KEY", "", "authn.E003"),
    ("AUDIT_KEY", "test-fernet-key-" + "f" * 40, "authn.E004"),
    ("PUBLIC_URL", "", "authn.E005"),
    ("PUBLIC_URL", "https://desk.example.com/path", "authn.E005"),
    ("PUBLIC_URL", "http://desk.example.com", "authn.E006"),
    ("ALLOWED_HOSTS", [], "authn.E008"),
    ("ALLOWED_HOSTS", ["*"], "authn.E008"),
    ("ALLOWED_HOSTS", ["desk.example.com", "127.0.0.1"], "authn.E018"),
    ("TRUSTED_PROXY_COUNT", -1, "authn.E010"),
    ("AUDIT_RETENTION_DAYS", 0, "authn.E011"),
    ("WEB_THREADS", 0, "authn.E012"),
    ("LOGINS_PER_ADDRESS_PER_MINUTE", 4, "authn.E019"),
    ("LOGINS_PER_ADDRESS_PER_MINUTE", 10_001, "authn.E019"),
    ("DATABASE_POOL_SIZE", 0, "authn.E014"),
    ("DATABASE_STATEMENT_TIMEOUT_SECONDS", -1.0, "authn.E015"),
    ("DATABASE_LOCK_TIMEOUT_SECONDS", 0.001, "authn.E016"),
    ("DATABASE_LOCK_TIMEOUT_SECONDS", 5.0, "authn.E017"),
    ("FERNET_KEYS", [], "orgs.E001"),
    ("FERNET_KEYS", ["x" * 40, "short"], "orgs.E001"),
    ("SALESFORCE_TIMEOUT_SECONDS", 0, "orgs.E002"),
    ("REFRESH_LOCK_SECONDS", 10, "orgs.E003"),
    ("REFRESH_LOCK_SECONDS", 601, "orgs.E003"),
    ("TAKEOVER_SECONDS", 25, "orgs.E010"),
    ("TAKEOVER_SECONDS", 86_401, "orgs.E010"),
    ("SALESFORCE_EXTRA_DOMAINS", ["https://x.example"], "orgs.E004"),
    ("SALESFORCE_EXTRA_DOMAINS", ["*.example.com"], "orgs.E004"),
    ("SALESFORCE_EXTRA_DOMAINS", ["com"], "orgs.E004"),
    ("SALESFORCE_ALLOWED_NETWORKS", ["10.0.0.0/8", "10.0.0.1/8"], "orgs.E013"),
    ("SALESFORCE_ALLOWED_NETWORKS", ["db.internal"], "orgs.E013"),
    ("SALESFORCE_ALLOWED_NETWORKS", [""], "orgs.E013"),
    ("SALESFORCE_PROXY", "socks5://x", "orgs.E005"),
    ("SALESFORCE_CA_BUNDLE", "/nowhere.pem", "orgs.E006"),
    ("SALESFORCE_API_VERSION", "latest", "orgs.E007"),
    ("SALESFORCE_GATEWAY", "http://localhost:8001", "orgs.E009"),
]


@pytest.mark.parametrize(("name", "value", "check_id"), UNSAFE, ids=lambda value: str(value)[:24])
def test_an_unsafe_setting_is_refused(settings, name, value, check_id):
    setattr(settings, name, value)

    assert check_id in {message.id for message in run_checks()}


@pytest.mark.parametrize(
    ("public_url", "gateway", "check_id"),
    [
        ("https://desk.example.com", "http://localhost:8001", "authn.E007"),
        ("http://localhost:8000", "", "orgs.E008"),
        ("http://localhost:8000", "http://evil.example", "orgs.E009"),
        ("http://localhost:8000", "http://localhost:8001/x", "orgs.E009"),
    ],
)
def test_the_demo_stays_on_this_machine(settings, public_url, gateway, check_id):
    settings.DEMO, settings.PUBLIC_URL, settings.SALESFORCE_GATEWAY = True, public_url, gateway

    assert check_id in {message.id for message in run_checks()}


def test_debug_is_for_loopback(settings):
    settings.DEBUG, settings.PUBLIC_URL = True, "https://desk.example.com"

    assert "authn.E009" in {message.id for message in run_checks()}


def test_the_settings_of_the_tests_are_fine():
    assert [message.id for message in run_checks() if not message.is_silenced()] == []


def _start(**environment: str) -> "subprocess.CompletedProcess[str]":
    environment |= {"PATH": os.environ["PATH"], "ENV_FILE": os.devnull, "ALLOWED_HOSTS": "localhost"}
    command = [sys.executable, "-c", "import config.wsgi"]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize(
    ("name", "value", "form"),
    [
        ("WEB_THREADS", "canary", "a whole number"),
        ("WEB_THREADS", "", "a whole number"),
        ("WEB_THREADS", "1e2", "a whole number"),
        ("REFRESH_LOCK_SECONDS", "canary", "a number"),
        ("REFRESH_LOCK_SECONDS", "25s", "a number"),
        ("REFRESH_LOCK_SECONDS", "nan", "a number"),
        ("TAKEOVER_SECONDS", "inf", "a number"),
        ("ALLOW_SKIP_VALIDATION", "canary", "true or false"),
        ("ALLOW_AUTH_URL_RELEASE", "", "true or false"),
        ("DATABASE_URL", "canary", "postgres://USER:PASSWORD@HOST:5432/NAME"),
        ("DATABASE_URL", "canary://desk:canary@db/frontdesk", "postgres://USER:PASSWORD@HOST:5432/NAME"),
        ("DATABASE_URL", "postgres://desk:canary@db:many/frontdesk", "postgres://USER:PASSWORD@HOST:5432/NAME"),
        ("DATABASE_URL", "postgres://desk:can/ary@db/frontdesk", "postgres://USER:PASSWORD@HOST:5432/NAME"),
        ("DATABASE_URL", "postgres://desk:canary@db", "postgres://USER:PASSWORD@HOST:5432/NAME"),
        ("DATABASE_URL", "sqlite:///", "postgres://USER:PASSWORD@HOST:5432/NAME"),
    ],
)
def test_a_typo_is_named_without_its_value(name, value, form):
    ended = _start(**{name: value})

    assert ended.returncode == 1
    assert f"ImproperlyConfigured: {name} must be {form}" in ended.stderr
    assert "canary" not in ended.stderr


@pytest.mark.parametrize(("word", "value"), [("True", True), ("1", True), ("no", False), ("off", False)])
def test_a_switch_may_be_written_in_several_ways(word, value, monkeypatch):
    monkeypatch.setenv("A_SWITCH", word)

    assert Environment().bool("A_SWITCH", default=not value) is value


def test_the_web_server_does_not_start_with_unsafe_settings():
    ended = _start(
        SECRET_KEY="s", JWT_SIGNING_KEY="j", AUDIT_KEY="a", FERNET_KEYS="f", PUBLIC_URL="http://desk.example"
    )

    assert ended.returncode == 1
    for check_id in ("authn.E001", "authn.E002", "authn.E003", "authn.E006", "authn.E018", "orgs.E001"):
        assert check_id in ended.stderr
