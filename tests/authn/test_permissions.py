"""The permission classes themselves: the roles that each row of the role table admits, and the error for others.

Some refusals meet no caller today, because every role that exists is on the list; they are met here.
"""

from typing import Any

import pytest
from rest_framework.test import APIRequestFactory

from authn.permissions import MembersAndApplications, OwnersAndApplications, OwnersOnly
from authn.principals import Principal
from authn.roles import Role
from sandboxes.views import FrontdoorView, SandboxAuthView, ScratchOrgAuthView

ADMITTED = {
    OwnersOnly: {Role.OWNER},
    OwnersAndApplications: {Role.OWNER, Role.APPLICATION},
    MembersAndApplications: {Role.OWNER, Role.MEMBER, Role.APPLICATION},
}


def _request(role):
    request: Any = APIRequestFactory().post("/")
    request.user = Principal(kind="user", id="1", name="mia@acme.example", role=role)
    return request


@pytest.mark.parametrize("role", [*Role, None, "visitor"])
@pytest.mark.parametrize("permission", ADMITTED)
def test_a_class_admits_the_roles_of_its_row(permission, role):
    assert permission().has_permission(_request(role), None) == (role in ADMITTED[permission])


@pytest.mark.parametrize("view", [SandboxAuthView, ScratchOrgAuthView, FrontdoorView])
def test_public_routes_refuse_a_role_outside_their_list(view):
    (permission,) = view.permission_classes

    assert not permission().has_permission(_request("visitor"), None)
    assert permission().message == "Forbidden - Requires role: member, application"
