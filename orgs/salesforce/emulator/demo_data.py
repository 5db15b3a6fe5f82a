"""Ready-made worlds. The demo's is a company with two DevHubs, sandboxes and scratch orgs."""

from orgs.salesforce.emulator.core import Emulator


def demo() -> Emulator:
    """Build the world of the demo, with a first log-in of each org."""
    world = Emulator()
    ci = world.add_app("AcmeCI", "demo-secret", rotates=True)
    hub = world.add_org("acme.my.salesforce.com", username="devhub@acme.example", name="Acme", is_dev_hub=True)
    emea = world.add_org(
        "acme-emea.my.salesforce.com",
        username="emea@acme.example",
        name="Acme EMEA",
        instance_name="EU42",
        is_dev_hub=True,
    )
    hub.add_user("release@acme.example")
    for name in ("dev1", "qa", "dev2", "dev3"):
        world.add_sandbox(hub, name)
    uat = world.add_sandbox(hub, "uat")
    for number in (1, 2, 3):
        world.add_scratch_org(
            hub,
            username=f"test-scratch{number}@acme.example",
            host=f"swift-otter-{number}234-dev-ed.scratch.my.salesforce.com",
            app=ci if number == 3 else None,
            Pooltag__c="features",
            Allocation_status__c="Available",
        )
    for org in world.orgs:
        if org.kind != "scratch":
            org.auth_url(ci if org in (emea, uat) else None)
    return world


def auth_urls(world: Emulator) -> dict[str, str]:
    """Return the newest auth URL of the first user of each org, by username."""
    urls = {}
    for grant in world.grants:
        if grant.alive:
            org = grant.user.org
            urls[grant.user.username] = f"force://{grant.app.client_id}:{grant.app.secret}:{grant.newest}@{org.host}"
    return urls
