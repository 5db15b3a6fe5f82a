"""Front-door links: `singleaccess` issues a one-time link that logs a browser in to an org.

Like a real org, this one redirects the browser from its My Domain to its Lightning host, another
origin. With a `gateway`, both are addresses of the emulator that a local browser can reach:
http://localhost:PORT/org/HOST/... and http://127.0.0.1:PORT/org/HOST/...
"""

from dataclasses import replace
from html import escape
from urllib.parse import quote

from orgs.salesforce.emulator import error_texts
from orgs.salesforce.emulator.models import LOCAL_HOSTS, Org, Visit
from orgs.salesforce.emulator.state import State
from orgs.salesforce.emulator.wire import Request, Response, json_response

_LIGHTNING = ".lightning.force.com"
_HOME = "/lightning/page/home"


def single_access(state: State, request: Request) -> Response:
    """Handle /services/oauth2/singleaccess: return a link that opens the org once."""
    token = request.bearer or request.form.get("access_token", "")
    session = state.session_of(replace(request, headers={"Authorization": f"Bearer {token}"}))
    if session is None or session.grant.user.api_only:
        return Response(403, error_texts.BAD_OAUTH_TOKEN, "text/plain")
    page = request.query.get("redirect_uri") or request.form.get("redirect_uri") or _HOME
    user = session.grant.user
    with state.lock:
        code = state.new_secret("otp")
        state.visits[code] = Visit(user, page if page.startswith("/") else f"/{page}")
    start = f"&startURL={quote(page, safe='')}&cshc=0000"
    return json_response(200, {"frontdoor_uri": f"{_base(state, user.org)}/secur/frontdoor.jsp?otp={code}{start}"})


def enter(state: State, request: Request) -> Response:
    """Handle /secur/frontdoor.jsp: redirect a browser with a valid code to the Lightning host, once."""
    org = state.org_at(request.host)
    with state.lock:
        visit = state.visits.get(request.query.get("otp", ""))
        if org is None or visit is None or visit.entered or visit.user.org is not org:
            return _page(403, "Log in to Salesforce", "This link has been used or has expired.")
        visit.entered = True
        visit_id = state.new_secret("visit")
        state.visits[visit_id] = visit
    target = f"{_lightning_base(state, org)}/lightning/landed?visit={visit_id}"
    return Response(302, b"", "text/html", {"Location": target, "Cache-Control": "no-store"})


def landing(state: State, request: Request) -> Response:
    """Handle the Lightning host: show the org, user and page that the link led to."""
    visit = state.visits.get(request.query.get("visit", ""))
    if visit is None or not visit.entered or visit.user.org.host != org_host(request.host):
        return _page(403, "Log in to Salesforce", "You are not logged in to this org.")
    org = visit.user.org
    details = {"Org": org.name, "Host": org.host, "Kind": org.kind, "User": visit.user.username, "Page": visit.page}
    return _page(200, f"{org.name} | Salesforce (emulated)", "You are logged in.", details)


def at_gateway(state: State, request: Request) -> Response:
    """Handle http://localhost:PORT/org/HOST/PATH as that host would."""
    _, _, host, *rest = request.target.split("/", 3)
    forwarded = replace(request, host=host, target="/" + (rest[0] if rest else ""))
    served = forwarded.path.startswith(("/secur/frontdoor.jsp", "/lightning"))
    if not state.gateway or request.host not in LOCAL_HOSTS or not served:
        return _page(404, "Not found", "This page does not exist.")
    return landing(state, forwarded) if forwarded.path.startswith("/lightning") else enter(state, forwarded)


def org_host(host: str) -> str:
    """Return the My Domain host of a Lightning host; any other host unchanged."""
    return f"{host.removesuffix(_LIGHTNING)}.my.salesforce.com" if host.endswith(_LIGHTNING) else host


def _base(state: State, org: Org) -> str:
    return f"{state.gateway}/org/{org.host}" if state.gateway else org.instance_url


def _lightning_base(state: State, org: Org) -> str:
    if state.gateway:
        return f"{state.gateway.replace('localhost', '127.0.0.1')}/org/{org.host}"
    return f"https://{org.host.removesuffix('.my.salesforce.com')}{_LIGHTNING}"


def _page(status: int, title: str, text: str, details: dict[str, str] | None = None) -> Response:
    rows = "".join(f"<tr><th>{name}</th><td>{escape(value)}</td></tr>" for name, value in (details or {}).items())
    body = (
        f"<!doctype html><html lang=en><head><meta charset=utf-8><title>{escape(title)}</title>"
        "<link rel=icon href='data:,'>"
        "<style>body{font:16px/1.5 system-ui;max-width:40rem;margin:4rem auto;padding:0 1rem}"
        "th{text-align:left;padding-right:2rem}</style></head>"
        f"<body><h1>{escape(title)}</h1><p>{escape(text)}</p><table>{rows}</table></body></html>"
    )
    return Response(status, body.encode(), "text/html; charset=utf-8", {"Referrer-Policy": "no-referrer"})
