"""createsuperuser, add_user, issue_application_token and sweep."""

import io
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from authn import audit
from authn.models import ApplicationToken, AuditEvent, LoginFamily, User
from authn.principals import system
from authn.roles import Role
from tests.support.api_client import Caller

PASSWORD = "correct-horse-battery-staple"
pytestmark = pytest.mark.django_db


@pytest.mark.database
def test_createsuperuser_makes_an_owner(monkeypatch):
    monkeypatch.setenv("DJANGO_SUPERUSER_EMAIL", "Olga@Acme.example")
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", PASSWORD)

    call_command("createsuperuser", "--noinput", verbosity=0)

    user = User.objects.get()
    assert (user.email, user.role) == ("olga@acme.example", Role.OWNER)
    assert user.check_password(PASSWORD)


@pytest.mark.database
def test_changepassword_ends_every_log_in_of_the_user(monkeypatch, a_person):
    person = a_person("olga@acme.example")
    caller = Caller()
    pair = caller.post("/sfp/api/auth/admin/login", {"email": person.email, "password": PASSWORD}).json()
    monkeypatch.setattr("getpass.getpass", lambda prompt: "another-good-passphrase")

    call_command("changepassword", person.email, stdout=io.StringIO())

    assert caller.post("/sfp/api/auth/refresh", {"refresh_token": pair["refresh_token"]}).status_code == 401
    assert not LoginFamily.objects.filter(revoked_at=None).exists()
    assert User.objects.get().check_password("another-good-passphrase")


@pytest.mark.parametrize(("arguments", "role"), [((), Role.MEMBER), (("--role", "owner"), Role.OWNER)])
def test_add_user_reads_the_password_from_standard_input(monkeypatch, arguments, role):
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{PASSWORD}\n"))
    out = io.StringIO()

    call_command("add_user", "max@acme.example", "--password-stdin", *arguments, stdout=out)

    assert User.objects.get().role == role
    assert User.objects.get().check_password(PASSWORD)
    assert PASSWORD not in out.getvalue()


def test_add_user_without_a_terminal_names_the_option(monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO(""))

    with pytest.raises(CommandError, match="--password-stdin"):
        call_command("add_user", "max@acme.example")

    assert not User.objects.exists()


@pytest.mark.parametrize("password", ["", "short", "password1234", "max@acme.example"])
def test_add_user_refuses_a_weak_password(monkeypatch, password):
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{password}\n"))

    with pytest.raises(CommandError):
        call_command("add_user", "max@acme.example", "--password-stdin")

    assert not User.objects.exists()


@pytest.mark.database
def test_add_user_refuses_an_email_that_is_taken(monkeypatch, a_person):
    a_person("max@acme.example")
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{PASSWORD}\n"))

    with pytest.raises(CommandError):
        call_command("add_user", "MAX@acme.example", "--password-stdin")

    assert User.objects.count() == 1


@pytest.mark.database
def test_issue_application_token_prints_only_the_token():
    out = io.StringIO()

    call_command("issue_application_token", "ci", "--days", "3", stdout=out)

    assert Caller(out.getvalue().strip()).get("/sfp/api/auth/salesforce/orgs").status_code == 200
    assert out.getvalue().count("\n") == 1
    assert ApplicationToken.objects.get().expires_at < timezone.now() + timedelta(days=3, minutes=1)


@pytest.mark.parametrize("arguments", [("ci", "--days", "0"), ("ci", "--days", "366"), (" ",), ("x" * 101,)])
def test_issue_application_token_refuses_invalid_arguments(arguments):
    with pytest.raises(CommandError):
        call_command("issue_application_token", *arguments)

    assert not ApplicationToken.objects.exists()


@pytest.mark.database
def test_sweep_deletes_only_expired_rows(a_person, settings):
    user = a_person("max@acme.example")
    now = timezone.now()
    for days in (-1, 1):
        LoginFamily.objects.create(user=user, current_jti="x", expires_at=now + timedelta(days=days))
    for days in (1, 400):
        event = audit.record(audit.Action.LOGIN, audit.Outcome.GRANTED, by=system("tests"), target=None)
        AuditEvent.objects.filter(pk=event.pk).update(at=now - timedelta(days=days))

    call_command("sweep")

    assert LoginFamily.objects.count() == 1
    assert AuditEvent.objects.filter(action=audit.Action.LOGIN).count() == 1


def test_sweep_refuses_an_invalid_interval():
    with pytest.raises(CommandError):
        call_command("sweep", "--every", "0")
