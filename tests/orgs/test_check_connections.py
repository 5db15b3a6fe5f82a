"""manage.py check_connections: tests all or some orgs concurrently; prints a table or JSON, and sets the exit code."""

import io
import json
import threading
import time
from itertools import chain

import pytest
from django.core.management import CommandError, call_command
from django.db.backends.signals import connection_created

from authn.models import AuditEvent
from orgs.credentials.models import Credential
from orgs.salesforce.emulator import Fault
from tests.orgs.credentials.spooled_responses import leave_spooled_response
from tests.orgs.factories import REGISTER, a_registered_org, an_org, register

pytestmark = pytest.mark.django_db(transaction=True)
TOKEN = "/services/oauth2/token"


def _run(*arguments: str) -> tuple[int, str]:
    """Run the command, and return its exit code and standard output."""
    out = io.StringIO()
    try:
        call_command("check_connections", *arguments, stdout=out)
    except SystemExit as end:
        return int(end.code or 0), out.getvalue()
    return 0, out.getvalue()


def _most_at_once(calls) -> int:
    """Return the largest number of concurrent calls."""
    ends = chain(((call.started_at, 1) for call in calls), ((call.finished_at, -1) for call in calls))
    running = most = 0
    for _, step in sorted(ends):
        running += step
        most = max(most, running)
    return most


@pytest.fixture
def ci(owner, salesforce):
    return a_registered_org(owner, salesforce, "ci@acme.example")


@pytest.fixture
def hub(owner, salesforce):
    return a_registered_org(owner, salesforce, "hub@acme.example")


@pytest.mark.database
def test_the_exit_code_is_0_if_all_connections_work(ci, hub):
    code, printed = _run()

    assert code == 0
    assert [line.split()[:3] for line in printed.splitlines()[1:3]] == [
        ["ci@acme.example", "production", "healthy"],
        ["hub@acme.example", "production", "healthy"],
    ]
    assert printed.splitlines()[-1] == "2 checked: 0 failed permanently, 0 other errors."


@pytest.mark.database
def test_a_spooled_response_is_committed_first(owner, salesforce):
    app = salesforce.add_app("AcmeCI", "s3cret", rotates=True)
    url = an_org(salesforce).auth_url(app)
    owner.post(REGISTER, {"sfdxAuthUrl": url})
    leave_spooled_response(Credential.objects.get())

    _, printed = _run()

    assert printed.splitlines()[-1] == "1 checked: 0 failed permanently, 0 other errors."
    assert salesforce.is_alive(url)


def test_the_exit_code_is_2_if_the_spool_cannot_be_read(ci, settings, tmp_path):
    (tmp_path / "file").touch()
    settings.SPOOL_DIR = str(tmp_path / "file")

    with pytest.raises(CommandError, match="SPOOL_DIR") as raised:
        _run()

    assert raised.value.returncode == 2


@pytest.mark.database
def test_a_permanent_failure_is_listed_first_and_the_exit_code_is_1(ci, hub):
    hub.revoke_all()

    code, printed = _run()

    head, first, second, _ = printed.splitlines()
    assert code == 1
    assert first.split()[:4] == ["hub@acme.example", "production", "expired", "CREDENTIAL_EXPIRED"]
    assert "sf org login web" in first
    assert second.split() == ["ci@acme.example", "production", "healthy"]
    assert head.index("WHAT TO DO") == first.index("An owner must"), "the columns are aligned"


def test_the_json_output_is_one_document(ci, hub):
    hub.revoke_all()

    code, printed = _run("--json")

    document = json.loads(printed)
    times = [org.pop("checkedAt") for org in document["orgs"]]
    action = document["orgs"][0].pop("action")
    assert code == 1
    assert all(time.strptime(each, "%Y-%m-%dT%H:%M:%SZ") for each in times)
    assert action.startswith("An owner must register this org again")
    assert document == {
        "checked": 2,
        "dead": 1,
        "orgs": [
            {
                "username": "hub@acme.example",
                "isValid": False,
                "state": "expired",
                "code": "CREDENTIAL_EXPIRED",
                "error": "Salesforce no longer accepts the refresh token of this org.",
            },
            {
                "username": "ci@acme.example",
                "isValid": True,
                "state": "healthy",
                "code": None,
                "error": None,
                "action": None,
            },
        ],
    }


def test_without_orgs_the_result_is_empty():
    assert _run() == (0, "0 checked: 0 failed permanently, 0 other errors.\n")
    assert json.loads(_run("--json")[1]) == {"checked": 0, "dead": 0, "orgs": []}


@pytest.mark.parametrize(
    ("fault", "code", "state"),
    [
        (Fault.html_maintenance(), "UPSTREAM_MAINTENANCE", "failing"),
        (Fault.no_name(), "UPSTREAM_UNREACHABLE", "healthy"),
        (Fault.hang(60), "UPSTREAM_TIMEOUT", "uncertain"),
    ],
    ids=lambda value: value.name if isinstance(value, Fault) else None,
)
def test_a_temporary_failure_is_listed_as_another_error(salesforce, ci, fault, code, state):
    salesforce.inject(fault, path=TOKEN)

    ended, printed = _run()

    assert ended == 0
    assert printed.splitlines()[1].split()[2:4] == [state, code]
    assert printed.splitlines()[-1] == "1 checked: 0 failed permanently, 1 other errors."


def test_a_credential_of_another_row_needs_an_owner(ci, hub):
    foreign = Credential.objects.with_secrets().get(org__username="hub@acme.example").sealed_grant
    Credential.objects.filter(org__username="ci@acme.example").update(sealed_grant=foreign)

    code, printed = _run("ci@acme.example")

    assert code == 1
    assert "CREDENTIAL_TAMPERED" in printed


def test_a_credential_of_another_user_needs_an_owner(settings, owner, salesforce):
    settings.ALLOW_SKIP_VALIDATION = True
    register(owner, an_org(salesforce, "other@acme.example"), username="ci@acme.example", skipValidation=True)

    code, printed = _run()

    assert code == 1
    assert "USERNAME_MISMATCH" in printed


@pytest.mark.database
def test_only_the_named_orgs_are_tested(owner, salesforce, ci, hub):
    register(owner, salesforce.add_sandbox(ci, "qa"))
    salesforce.reset_calls()

    _code, printed = _run("HUB@acme.example", "qa", "hub@acme.example", "--json")

    assert [org["username"] for org in json.loads(printed)["orgs"]] == ["ci@acme.example.qa", "hub@acme.example"]
    assert not salesforce.calls_to(host=ci.host)


def test_unknown_names_are_reported_before_any_call_to_salesforce(salesforce, ci):
    salesforce.reset_calls()

    with pytest.raises(CommandError) as raised:
        _run("ci@acme.example", "x@acme.example", "nowhere")

    assert "'x@acme.example'" in str(raised.value)
    assert "'nowhere'" in str(raised.value)
    assert raised.value.returncode == 2
    assert not salesforce.calls


@pytest.mark.parametrize("number", ["0", "-1"])
def test_a_concurrency_below_1_is_refused(number):
    with pytest.raises(CommandError):
        _run(f"--side-by-side={number}")


@pytest.mark.database
@pytest.mark.parametrize(
    ("wanted", "threads", "limit"), [((), 128, 8), (("--side-by-side=3",), 128, 3), (("--side-by-side=20",), 8, 4)]
)
def test_orgs_are_tested_concurrently_within_limits(settings, owner, salesforce, wanted, threads, limit):
    for number in range(12):
        a_registered_org(owner, salesforce, f"ci{number}@acme.example")
    settings.WEB_THREADS = threads
    salesforce.token_latency = 0.3
    salesforce.reset_calls()

    code, _printed = _run(*wanted)

    assert code == 0
    assert 1 < _most_at_once(salesforce.calls_to(path=TOKEN)) <= limit


@pytest.mark.database
def test_every_thread_closes_its_database_connection(ci, hub):
    created = []

    def note(connection, **_):
        created.append(connection)

    connection_created.connect(note)
    try:
        _run()
    finally:
        connection_created.disconnect(note)

    used = {id(wrapper): wrapper for wrapper in created}.values()
    of_threads = [wrapper for wrapper in used if wrapper._thread_ident != threading.get_ident()]
    assert len(of_threads) >= 2
    assert all(wrapper.connection is None for wrapper in of_threads)


def test_the_audit_names_the_command_as_the_actor(ci):
    _run()

    event = AuditEvent.objects.get(action="org.connection_tested")
    assert (event.actor_kind, event.actor_name, event.outcome) == ("system", "check_connections", "granted")


def test_the_output_has_no_secrets(capfd, salesforce, ci, hub):
    salesforce.inject(Fault.status(500, b"5Aep861-canary"), path=TOKEN)

    printed = _run()[1] + _run("--json")[1] + "".join(capfd.readouterr())

    secrets = [grant.newest for grant in salesforce.grants] + list(salesforce.sessions) + ["5Aep861"]
    assert not [secret for secret in secrets if secret in printed]
