"""One-time links into orgs: `singleaccess` gives one, and a browser that follows it lands in the org.

A real org passes the browser on from its My Domain to its Lightning host, another origin. So does
this one; with a `gateway` set, both are addresses of the emulator itself, that a person's browser
can reach: http://localhost:PORT/org/HOST/... and http://127.0.0.1:PORT/org/HOST/...
"""

from dataclasses import dataclass, field, replace
from html import escape
from typing import TYPE_CHECKING
from urllib.parse import quote

from orgs.salesforce.emulator import error_texts
from orgs.salesforce.emulator.models import LOCAL_HOSTS, Org, User
from orgs.salesforce.emulator.wire import Request, Response, json_response

if TYPE_CHECKING:
    from orgs.salesforce.emulator.core import Emulator

_LIGHTNING = ".lightning.force.com"
_HOME = "/lightning/page/home"


@dataclass(eq=False)
class Visit:
    """A one-time code, and later whoever landed with it. `entered` says that the code is spent."""

    user: User = field(repr=False)
    page: str
    entered: bool = False


def single_access(world: "Emulator", request: Request) -> Response:
    """Answer /services/oauth2/singleaccess: a link that opens the org once."""
    token = request.bearer or request.form.get("access_token", "")
    session = world.session_of(replace(request, headers={"Authorization": f"Bearer {token}"}))
    if session is None or session.grant.user.api_only:
        return Response(403, error_texts.BAD_OAUTH_TOKEN, "text/plain")
    page = request.query.get("redirect_uri") or request.form.get("redirect_uri") or _HOME
    user = session.grant.user
    with world.lock:
        code = world.new_secret("otp")
        world.visits[code] = Visit(user, page if page.startswith("/") else f"/{page}")
    start = f"&startURL={quote(page, safe='')}&cshc=0000"
    return json_response(200, {"frontdoor_uri": f"{_base(world, user.org)}/secur/frontdoor.jsp?otp={code}{start}"})


def enter(world: "Emulator", request: Request) -> Response:
    """Answer /secur/frontdoor.jsp: pass a browser with a good code on to the Lightning host, once."""
    org = world.org_at(request.host)
    with world.lock:
        visit = world.visits.get(request.query.get("otp", ""))
        if org is None or visit is None or visit.entered or visit.user.org is not org:
            return _page(403, "Log in to Salesforce", "This link was used already, or has expired.")
        visit.entered = True
        place = world.new_secret("visit")
        world.visits[place] = visit
    target = f"{_lightning_base(world, org)}/lightning/landed?visit={place}"
    return Response(302, b"", "text/html", {"Location": target, "Cache-Control": "no-store"})


def landing(world: "Emulator", request: Request) -> Response:
    """Answer the Lightning host: a page that says in which org, as whom, and where one landed."""
    visit = world.visits.get(request.query.get("visit", ""))
    if visit is None or not visit.entered or visit.user.org.host != org_host(request.host):
        return _page(403, "Log in to Salesforce", "You are not logged in to this org.")
    org = visit.user.org
    facts = {"Org": org.name, "Host": org.host, "Kind": org.kind, "User": visit.user.username, "Page": visit.page}
    return _page(200, f"{org.name} | Salesforce (emulated)", "You are logged in.", facts)


def at_gateway(world: "Emulator", request: Request) -> Response:
    """Answer http://localhost:PORT/org/HOST/PATH as that host would."""
    _, _, host, *rest = request.target.split("/", 3)
    there = replace(request, host=host, target="/" + (rest[0] if rest else ""))
    served = there.path.startswith(("/secur/frontdoor.jsp", "/lightning"))
    if not world.gateway or request.host not in LOCAL_HOSTS or not served:
        return _page(404, "Not found", "Nothing is here.")
    return landing(world, there) if there.path.startswith("/lightning") else enter(world, there)


def org_host(host: str) -> str:
    """Return the My Domain host that a Lightning host belongs to; any other host as it is."""
    return f"{host.removesuffix(_LIGHTNING)}.my.salesforce.com" if host.endswith(_LIGHTNING) else host


def _base(world: "Emulator", org: Org) -> str:
    return f"{world.gateway}/org/{org.host}" if world.gateway else org.instance_url


def _lightning_base(world: "Emulator", org: Org) -> str:
    if world.gateway:
        return f"{world.gateway.replace('localhost', '127.0.0.1')}/org/{org.host}"
    return f"https://{org.host.removesuffix('.my.salesforce.com')}{_LIGHTNING}"


def _page(status: int, title: str, text: str, facts: dict[str, str] | None = None) -> Response:
    rows = "".join(f"<tr><th>{name}</th><td>{escape(value)}</td></tr>" for name, value in (facts or {}).items())
    body = (
        f"<!doctype html><html lang=en><head><meta charset=utf-8><title>{escape(title)}</title>"
        "<link rel=icon href='data:,'>"
        "<style>body{font:16px/1.5 system-ui;max-width:40rem;margin:4rem auto;padding:0 1rem}"
        "th{text-align:left;padding-right:2rem}</style></head>"
        f"<body><h1>{escape(title)}</h1><p>{escape(text)}</p><table>{rows}</table></body></html>"
    )
    return Response(status, body.encode(), "text/html; charset=utf-8", {"Referrer-Policy": "no-referrer"})
