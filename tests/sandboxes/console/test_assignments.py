"""The console's page that returns, ends and extends assignments of pool instances, one or several at a time."""

from datetime import timedelta

import pytest
from django.utils import timezone

from authn.models import AuditEvent
from authn.roles import Role
from sandboxes.models import PoolInstance
from tests.sandboxes.factories import FETCH, REPOSITORY
from tests.support.browser_client import Visitor, text_of

pytestmark = [pytest.mark.database, pytest.mark.django_db]
POOLS = "/console/sandboxes/poolinstance/"


@pytest.fixture
def console(a_person) -> Visitor:
    return Visitor().sign_in(a_person("olga@acme.example", Role.OWNER))


@pytest.fixture
def assigned(pool, application) -> list[PoolInstance]:
    """Two of the three instances of the pool, assigned for 24 hours."""
    for job in ("pr-1", "pr-2"):
        body = {"repository": REPOSITORY, "poolTag": "features", "assignmentId": job}
        assert application.post(FETCH, body).status_code == 200
    return list(PoolInstance.objects.filter(status="ASSIGNED").order_by("assignment_id"))


def _page(operation: str, *instances: PoolInstance) -> str:
    return f"{POOLS}assignments/{operation}/?ids={','.join(str(instance.pk) for instance in instances)}"


def _seconds_left(instance: PoolInstance) -> float:
    expires_at = PoolInstance.objects.get(pk=instance.pk).expires_at
    assert expires_at is not None
    return (expires_at - timezone.now()).total_seconds()


def _shown(*instances: PoolInstance) -> str:
    return "{" + ", ".join(f'"{instance.pk}": "{instance.assignment_id}"' for instance in instances) + "}"


@pytest.mark.parametrize(("operation", "status"), [("return", "AVAILABLE"), ("end", "EXPIRED")])
def test_an_assignment_is_ended(operation, status, console, assigned):
    [instance, other] = assigned
    page = text_of(console.get(f"{POOLS}{instance.pk}/change/"))
    assert _page(operation, instance) in page

    response = console.post(_page(operation, instance), {"shown": _shown(instance)})

    assert response["Location"] == f"{POOLS}{instance.pk}/change/"
    instance.refresh_from_db()
    assert (instance.status, instance.assignment_id, instance.expires_at) == (status, "", None)
    assert PoolInstance.objects.get(pk=other.pk).status == "ASSIGNED"
    event = AuditEvent.objects.get(action="pool_instance.unassigned")
    assert (event.actor_name, event.details["assignment"]) == ("olga@acme.example", "pr-1")


def test_several_assignments_are_ended_at_once(console, assigned):
    ids = [str(instance.pk) for instance in PoolInstance.objects.all()]
    chosen = console.post(POOLS, {"action": "return_to_pool", "_selected_action": ids}, form_at=POOLS)
    confirmation = text_of(console.get(chosen["Location"]))
    assert "Return to the pool: 2 instances" in confirmation, "one of the three is not assigned"

    console.post(chosen["Location"], {"shown": _shown(*assigned)})

    assert set(PoolInstance.objects.values_list("status", flat=True)) == {"AVAILABLE"}


def test_an_assignment_that_began_meanwhile_is_not_ended(console, assigned, application):
    [instance, _] = assigned
    shown = _shown(instance)
    PoolInstance.objects.filter(pk=instance.pk).update(assignment_id="pr-9")

    console.post(_page("return", instance), {"shown": shown})

    assert PoolInstance.objects.get(pk=instance.pk).assignment_id == "pr-9"
    page = text_of(console.get(f"{POOLS}{instance.pk}/change/"))
    assert f"{instance.name} was not changed: its assignment has ended or changed meanwhile." in page


@pytest.mark.parametrize(
    "shown", ["", "[]", "{", "null", '{"1": {}}', '{"1": "\\u0000"}', "[" * 60_000], ids=str.__len__
)
def test_a_page_that_showed_no_assignment_ends_none(shown, console, assigned):
    response = console.post(_page("return", *assigned), {"shown": shown})

    assert response.status_code < 500
    assert PoolInstance.objects.filter(status="ASSIGNED").count() == 2


def test_an_assignment_is_extended(console, assigned):
    [instance, _] = assigned

    console.post(_page("extend", instance), {"shown": _shown(instance), "hours": "48"})

    extended = PoolInstance.objects.get(pk=instance.pk)
    assert extended.expires_at == instance.expires_at + timedelta(hours=48)
    event = AuditEvent.objects.get(action="pool_instance.extended")
    times = [at.isoformat(timespec="seconds") for at in (instance.expires_at, extended.expires_at)]
    assert (event.target_label, event.changes) == (
        str(instance),
        {"expiresAt": {"before": times[0], "after": times[1]}},
    )


def test_an_expired_assignment_that_is_extended_holds_its_org_again(console, assigned, application):
    [instance, _] = assigned
    PoolInstance.objects.filter(pk=instance.pk).update(expires_at=timezone.now() - timedelta(days=1))

    console.post(_page("extend", instance), {"shown": _shown(instance), "hours": "1"})

    extended = PoolInstance.objects.get(pk=instance.pk)
    assert extended.status == "ASSIGNED"
    assert 0 < _seconds_left(instance) <= 3600
    again = application.post(FETCH, {"repository": REPOSITORY, "poolTag": "features", "assignmentId": "pr-1"})
    assert again.json()["name"] == instance.name


def test_an_assignment_that_holds_another_org_by_now_is_not_extended(console, assigned, application):
    [instance, _] = assigned
    PoolInstance.objects.filter(pk=instance.pk).update(expires_at=timezone.now() - timedelta(days=1))
    body = {"repository": REPOSITORY, "poolTag": "features", "assignmentId": "pr-1"}
    assert application.post(FETCH, body).json()["name"] != instance.name

    response = console.post(_page("extend", instance), {"shown": _shown(instance), "hours": "1"})

    assert response.status_code == 302
    assert PoolInstance.objects.get(pk=instance.pk).status == "EXPIRED"


@pytest.mark.parametrize(
    ("hours", "message"), [("0", "greater than or equal to 1"), ("721", "less than or equal"), ("", "required")]
)
def test_hours_out_of_range_are_refused(hours, message, console, assigned):
    response = console.post(_page("extend", assigned[0]), {"shown": _shown(assigned[0]), "hours": hours})

    assert response.status_code == 200
    assert message in text_of(response)
    assert PoolInstance.objects.get(pk=assigned[0].pk).expires_at == assigned[0].expires_at


def test_an_assignment_ends_at_most_thirty_days_from_now(console, assigned):
    for _ in range(2):
        console.post(_page("extend", assigned[0]), {"shown": _shown(assigned[0]), "hours": "720"})

    assert _seconds_left(assigned[0]) <= 30 * 24 * 3600


def test_instances_without_an_assignment_have_no_such_page(console, pool):
    instance = PoolInstance.objects.first()
    assert instance is not None

    assert console.get(_page("return", instance)).status_code == 404
    assert console.get(f"{POOLS}assignments/other/?ids={instance.pk}").status_code == 404
