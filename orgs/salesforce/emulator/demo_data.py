"""Demo data: a company with two DevHubs, sandboxes and scratch orgs."""

from orgs.salesforce.emulator.emulator import Emulator
from orgs.salesforce.emulator.state import State


def demo() -> Emulator:
    """Return an emulator with the demo's orgs and a first grant of each."""
    emulator = Emulator()
    ci = emulator.add_app("AcmeCI", "demo-secret", rotates=True)
    hub = emulator.add_org("acme.my.salesforce.com", username="devhub@acme.example", name="Acme", is_dev_hub=True)
    emea = emulator.add_org(
        "acme-emea.my.salesforce.com",
        username="emea@acme.example",
        name="Acme EMEA",
        instance_name="EU42",
        is_dev_hub=True,
    )
    hub.add_user("release@acme.example")
    for name in ("dev1", "qa", "dev2", "dev3"):
        emulator.add_sandbox(hub, name)
    uat = emulator.add_sandbox(hub, "uat")
    for number in (1, 2, 3):
        emulator.add_scratch_org(
            hub,
            username=f"test-scratch{number}@acme.example",
            host=f"swift-otter-{number}234-dev-ed.scratch.my.salesforce.com",
            app=ci if number == 3 else None,
            Pooltag__c="features",
            Allocation_status__c="Available",
        )
    for org in emulator.orgs:
        if org.kind != "scratch":
            org.auth_url(ci if org in (emea, uat) else None)
    return emulator


def auth_urls(state: State) -> dict[str, str]:
    """Return the newest auth URL of the first user of each org, by username."""
    urls = {}
    for grant in state.grants:
        if grant.alive:
            org = grant.user.org
            urls[grant.user.username] = f"force://{grant.app.client_id}:{grant.app.secret}:{grant.newest}@{org.host}"
    return urls
