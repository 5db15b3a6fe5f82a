"""Each audit row of a pool instance names it as the target, and has its settings before and after."""

from typing import Any

import pytest

from authn.models import AuditEvent
from sandboxes.models import PoolInstance
from tests.sandboxes.factories import FETCH, FRONTDOOR, REPOSITORY, UNASSIGN

pytestmark = pytest.mark.django_db


def _targets(**conditions) -> set[tuple[str, str, str]]:
    return set(AuditEvent.objects.filter(**conditions).values_list("target_kind", "target_id", "target_label"))


def test_every_row_about_a_pool_instance_names_it(application, owner, pool):
    assignment = {"repository": REPOSITORY, "poolTag": "features", "assignmentId": "pr-1"}
    application.post(FETCH, assignment)
    instance = PoolInstance.objects.get(name="dev1")
    application.post(UNASSIGN, assignment)
    expected = {("pool_instance", str(instance.pk), f"dev1 of {REPOSITORY}")}

    for action in ("pool_instance.added", "pool_instance.fetched", "pool_instance.unassigned"):
        assert expected <= _targets(action=action), action


def test_a_member_who_may_not_open_an_instance_leaves_a_row_about_it(member, pool):
    instance = PoolInstance.objects.get(name="dev1")

    assert member.get(FRONTDOOR, target="dev1", repository=REPOSITORY).refusal == (403, "POOL_NOT_ASSIGNED")

    assert _targets(action="request") == {("pool_instance", str(instance.pk), f"dev1 of {REPOSITORY}")}


def _changes(action: str) -> Any:
    return AuditEvent.objects.get(action=action).changes


def test_the_audit_has_an_assignment_before_and_after(application, owner, pool):
    assignment = {"repository": REPOSITORY, "poolTag": "features", "assignmentId": "pr-1"}
    application.post(FETCH, assignment)
    application.post(UNASSIGN, assignment)

    fetched = _changes("pool_instance.fetched")
    assert fetched["status"] == {"before": "AVAILABLE", "after": "ASSIGNED"}
    assert fetched["assignmentId"] == {"before": None, "after": "pr-1"}
    back = _changes("pool_instance.unassigned")
    assert (back["assignmentId"], back["expiresAt"]["after"]) == ({"before": "pr-1", "after": None}, None)
    assert back["expiresAt"]["before"] == fetched["expiresAt"]["after"]
