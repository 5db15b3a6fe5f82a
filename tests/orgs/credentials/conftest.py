"""Fixtures of the credential engine's tests: registered orgs, and an empty spool."""

from pathlib import Path

import pytest

from tests.orgs.credentials.faults.routes import TOKEN
from tests.orgs.factories import REGISTER, a_registered_org, an_org


@pytest.fixture
def ci(owner, salesforce):
    """Register an org whose refresh token does not rotate."""
    return a_registered_org(owner, salesforce, "ci@acme.example")


@pytest.fixture
def rotating(owner, salesforce):
    """Register an org whose refresh token rotates; return its auth URL."""
    app = salesforce.add_app("AcmeCI", "s3cret", rotates=True)
    url = an_org(salesforce).auth_url(app)
    assert owner.post(REGISTER, {"sfdxAuthUrl": url}).status_code == 201
    return url


@pytest.fixture
def spool_folder(tmp_path, settings) -> Path:
    """Give the test a spool of its own, which does not exist yet."""
    settings.SPOOL_DIR = str(tmp_path / "spool")
    return tmp_path / "spool"


@pytest.fixture
def rotating_urls(owner, salesforce, urls):
    """Let the hub's app rotate, and the desk notice it; return the auth URLs."""
    salesforce.apps["AcmeCI"].rotates = True
    assert TOKEN.send(owner, urls).status_code == 200
    salesforce.reset_calls()
    return urls
