"""Every request that writes an audit row, by route, and the world that the requests are sent to."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from django.test import Client

from authn import tokens
from authn.models import ApplicationToken, User
from authn.pages.password_links import password_link
from authn.principals import system
from authn.roles import Role
from orgs.models import SalesforceOrg
from orgs.salesforce.emulator import Emulator
from sandboxes.models import PoolInstance
from tests.conftest import PASSWORD
from tests.orgs.factories import an_org
from tests.support.api_client import ApiResponse, Caller
from tests.support.browser_client import Visitor, shown_in

API = "/sfp/api"
SF = f"{API}/auth/salesforce"
CI = {"username": "ci@acme.example"}
IN_POOL = {"repository": "acme/app", "poolTag": "features"}
TO_DEV1 = {"action": "frontDoorUrl", "params": "targetOrg:dev1"}
CONSOLE = "/console/orgs/salesforceorg/"
POOLS = f"{API}/pools/instances"


@dataclass
class World:
    """A desk with a default DevHub, the orgs below it, and callers of each role."""

    salesforce: Emulator
    callers: dict[str, Caller]
    browser: Client
    pair: dict[str, str]
    servicestack: dict[str, str]
    urls: dict[str, str]
    rows: dict[str, Any]


Send = Callable[[World], Any]


def _api(who: str, method: str, path: str, body: Any = None, **query: str) -> Send:
    def send(world: World) -> ApiResponse:
        content = body(world) if callable(body) else body
        return world.callers[who].send(method, path.format(**world.rows), content, query=query)

    return send


def _page(path: str, fields: Any = None) -> Send:
    def send(world: World) -> ApiResponse:
        content = fields(world) if callable(fields) else fields
        return ApiResponse(world.browser.post(path.format(**world.rows), content or {}))

    return send


def _change_form(path: str, fields: dict[str, str]) -> Send:
    """Send a form that changes a row, with the hidden fields of its page."""

    def send(world: World) -> ApiResponse:
        address = path.format(**world.rows)
        shown = shown_in(world.browser.get(address).content.decode())
        return ApiResponse(world.browser.post(address, shown | fields))

    return send


API_ROUTES: dict[str, Send] = {
    "log-in": _api(
        "anonymous", "POST", f"{API}/auth/admin/login", {"email": "owner@acme.example", "password": PASSWORD}
    ),
    "wrong password": _api(
        "anonymous", "POST", f"{API}/auth/admin/login", {"email": "owner@acme.example", "password": "x"}
    ),
    "refresh": _api("anonymous", "POST", f"{API}/auth/refresh", lambda world: {"refresh_token": world.pair["refresh"]}),
    "callback": _api("anonymous", "POST", f"{API}/auth/callback", lambda world: {"access_token": world.pair["access"]}),
    "create a token": _api("owner", "POST", f"{API}/application-tokens", {"name": "x", "expiresIn": 1}),
    "revoke a token": _api("owner", "DELETE", f"{API}/application-tokens/{{token}}"),
    "list with auth URLs": _api("application", "GET", f"{SF}/orgs", includeSfdxAuthUrl="true"),
    "org": _api("owner", "GET", f"{SF}/org", **CI),
    "org by name": _api("application", "GET", f"{SF}/org", authType="accessToken", **CI),
    "org with auth URL": _api("application", "GET", f"{SF}/org", authType="sfdxAuthUrl", **CI),
    "devhub": _api("application", "GET", f"{SF}/default-devhub"),
    "devhub by name": _api("application", "GET", f"{SF}/default-devhub", authType="accessToken"),
    "devhub with auth URL": _api("application", "GET", f"{SF}/default-devhub", authType="sfdxAuthUrl"),
    "test a connection": _api("application", "POST", f"{SF}/test-connection", **CI),
    "token": _api("application", "POST", f"{SF}/access-token", **CI),
    "token of a sandbox with an issued key": _api("application", "POST", f"{SF}/access-token", username="dev3"),
    "token of the devhub": _api("application", "POST", f"{SF}/default-devhub/access-token"),
    "register": _api("owner", "POST", f"{SF}/register", lambda world: {"sfdxAuthUrl": world.urls["new"]}),
    "register again": _api("owner", "POST", f"{SF}/register", lambda world: {"sfdxAuthUrl": world.urls["ci"]}),
    "change": _api("owner", "PATCH", f"{SF}/org", {"metadata": {"team": "core"}}, **CI),
    "delete": _api("owner", "DELETE", f"{SF}/org", cascade="true", **CI),
    "delete and revoke": _api("owner", "DELETE", f"{SF}/org", cascade="true", revoke="true", **CI),
    "register by name": _api(
        "owner", "POST", f"{SF}/register-sandbox-by-name", {"sandboxName": "dev1", "productionUsername": CI["username"]}
    ),
    "sandbox": _api(
        "member", "POST", f"{SF}/sandbox/authenticate", {"sandboxName": "dev1", "productionUsername": CI["username"]}
    ),
    "sandbox of any org": _api("application", "POST", f"{SF}/sandbox/authenticate", {"sandboxName": "dev1"}),
    "scratch org": _api("member", "POST", f"{SF}/scratch/authenticate", {"scratchOrgUsername": "s1@acme.example"}),
    "front door": _api("owner", "GET", f"{SF}/frontdoor", target=CI["username"]),
    "front door of a sandbox": _api("member", "GET", f"{SF}/frontdoor", target="dev1"),
    "front door of a scratch org": _api("member", "GET", f"{SF}/frontdoor", target="s1@acme.example"),
    "front door of a pool": _api("owner", "GET", f"{SF}/frontdoor", target="dev2", repository="acme/app"),
    "add to a pool": _api(
        "owner", "POST", POOLS, IN_POOL | {"name": "qa", "type": "SANDBOX", "parentUsername": CI["username"]}
    ),
    "add to a pool with a key": _api(
        "owner",
        "POST",
        POOLS,
        lambda world: IN_POOL | {"name": "k", "type": "SANDBOX", "sfdxAuthUrl": world.urls["key"]},
    ),
    "remove from a pool": _api("owner", "DELETE", POOLS, repository="acme/app", name="dev2"),
    "remove a key from a pool": _api("owner", "DELETE", POOLS, repository="acme/app", name="own"),
    "fetch": _api("application", "POST", f"{POOLS}/fetch", IN_POOL | {"assignmentId": "pr-2"}),
    "fetch again": _api("application", "POST", f"{POOLS}/fetch", IN_POOL | {"assignmentId": "pr-1"}),
    "unassign": _api("application", "POST", f"{POOLS}/unassign", {"repository": "acme/app", "assignmentId": "pr-1"}),
    "refused for the role": _api("member", "POST", f"{SF}/access-token", **CI),
    "refused at the front door": _api("member", "GET", f"{SF}/frontdoor", target=CI["username"]),
    "refused for the bearer": _api("revoked", "GET", f"{SF}/orgs"),
}
SERVICESTACK: dict[str, Send] = {
    "log-in": _api("anonymous", "POST", "/auth/credentials", {"UserName": "owner@acme.example", "Password": PASSWORD}),
    "token": _api(
        "anonymous", "POST", "/access-token", lambda world: {"RefreshToken": world.servicestack["refreshToken"]}
    ),
    "log-out": _api("servicestack", "POST", "/auth/logout.json"),
    "refused for the bearer": _api("revoked", "GET", "/auth.json"),
}
PAGES: dict[str, Send] = {
    "log-in": lambda world: ApiResponse(
        Visitor().post("/login", {"email": "owner@acme.example", "password": PASSWORD})
    ),
    "log-out": _page("/logout"),
    "password": _page(
        "/password", {"current": PASSWORD, "new": "another-long-phrase-7", "again": "another-long-phrase-7"}
    ),
    "password by link": _page("{link}", {"new": "another-long-phrase-7", "again": "another-long-phrase-7"}),
    "continue": _page(f"{API}/auth/continue?action=frontDoorUrl&params=targetOrg:dev1"),
    "register": _page(f"{CONSOLE}add/", lambda world: {"auth_url": world.urls["new"]}),
    "change": _change_form(f"{CONSOLE}{{org}}/change/", {"metadata": '{"team": "core"}'}),
    "make default": _page(CONSOLE, lambda world: {"action": "make_default", "_selected_action": world.rows["org"]}),
    "delete": _change_form(f"{CONSOLE}{{org}}/delete/", {"cascade": "on", "revoke": "on"}),
    "invite": _page("/console/authn/user/add/", {"email": "ines@acme.example", "role": "member"}),
    "change a user": _change_form("/console/authn/user/{user}/change/", {"role": "member"}),
    "password link": _page("/console/authn/user/{user}/password-link/"),
    "create a token": _page("/console/authn/applicationtoken/add/", {"name": "nightly", "days": "7"}),
    "revoke a token": _page("/console/authn/applicationtoken/{token}/revoke/"),
    "add to a pool": _page(
        "/console/sandboxes/poolinstance/add/",
        {
            "repository": "acme/app",
            "pool_tag": "features",
            "name": "qa",
            "type": "SANDBOX",
            "status": "AVAILABLE",
            "parent_username": CI["username"],
        },
    ),
    "remove from a pool": _change_form("/console/sandboxes/poolinstance/{instance}/delete/", {}),
}


def make_world(owner: Caller, member: Caller, application: Caller, salesforce: Emulator, a_person: Any) -> World:
    hub = an_org(salesforce, CI["username"], is_dev_hub=True)
    urls = {"ci": hub.auth_url(), "new": an_org(salesforce, "new@acme.example").auth_url()}
    _done(owner.post(f"{SF}/register", {"sfdxAuthUrl": urls["ci"], "isDevHub": True, "isDefault": True}))
    for name in ("dev1", "dev2", "dev3"):
        salesforce.add_sandbox(hub, name)
    urls["key"], own = salesforce.add_sandbox(hub, "key").auth_url(), salesforce.add_sandbox(hub, "own").auth_url()
    salesforce.add_scratch_org(hub, username="s1@acme.example", host="s1-dev-ed.scratch.my.salesforce.com")
    _done(owner.post(f"{SF}/register-sandbox-by-name", {"sandboxName": "dev3", "productionUsername": CI["username"]}))
    _done(owner.post(POOLS, IN_POOL | {"name": "own", "type": "SANDBOX", "sfdxAuthUrl": own}))
    _done(application.post(f"{POOLS}/fetch", IN_POOL | {"assignmentId": "pr-1"}))
    _done(owner.post(POOLS, IN_POOL | {"name": "dev2", "type": "SANDBOX", "parentUsername": CI["username"]}))
    ended, value = tokens.issue(name="ended", days=1, by=system("tests"))
    tokens.revoke(str(ended.id), by=system("tests"))
    person = a_person("paul@acme.example", Role.OWNER)
    browser = Visitor(enforce_csrf=False).sign_in(User.objects.get(email="owner@acme.example")).client
    login = Caller().post(f"{API}/auth/admin/login", {"email": "owner@acme.example", "password": PASSWORD}).json()
    stack = Caller().post("/auth/credentials", {"UserName": "paul@acme.example", "Password": PASSWORD}).json()
    rows = {
        "org": SalesforceOrg.objects.get(username=CI["username"]).pk,
        "token": ApplicationToken.objects.get(name="ci").pk,
        "user": person.pk,
        "link": urlsplit(password_link(User.objects.get(pk=person.pk), by=system("tests"))).path,
        "instance": PoolInstance.objects.get(name="dev2").pk,
    }
    callers = {
        "owner": owner,
        "member": member,
        "application": application,
        "anonymous": Caller(),
        "revoked": Caller(value),
    }
    callers["servicestack"] = Caller(stack["bearerToken"])
    pair = {"access": login["access_token"], "refresh": login["refresh_token"]}
    return World(salesforce, callers, browser, pair, stack, urls, rows)


def _done(response: ApiResponse) -> None:
    assert response.status_code in (200, 201), response
