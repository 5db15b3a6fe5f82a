"""Fixtures: a registered DevHub, an unregistered org, and their auth URLs."""

from typing import Any

import pytest

from orgs.salesforce.emulator import Emulator
from orgs.salesforce.emulator.models import Org
from tests.orgs.factories import REGISTER, an_org
from tests.support.api_client import Caller


@pytest.fixture
def urls(owner: Caller, salesforce: Emulator) -> dict[str, str]:
    """Register a default DevHub; return its auth URL as `hub`, and that of an unregistered org as `new`."""
    app = salesforce.add_app("AcmeCI", "s3cret-of-the-app")
    hub = an_org(salesforce, "hub@acme.example", is_dev_hub=True).auth_url(app)
    new = an_org(salesforce, "new@acme.example").auth_url(app)
    response = owner.post(REGISTER, {"sfdxAuthUrl": hub, "isDevHub": True, "isDefault": True})
    assert response.status_code == 201, response
    salesforce.reset_calls()
    return {"hub": hub, "new": new}


@pytest.fixture
def hub(urls: Any, salesforce: Emulator) -> Org:
    """Return the registered DevHub as Salesforce has it."""
    return next(org for org in salesforce.orgs if org.username == "hub@acme.example")
