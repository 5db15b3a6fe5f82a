"""OAuth endpoints: refresh, code exchange and revocation."""

import base64
import hashlib
import hmac

from orgs.salesforce.emulator import error_texts
from orgs.salesforce.emulator.models import LOCAL_HOSTS, LOGIN_HOSTS, App, Grant, Session
from orgs.salesforce.emulator.state import State
from orgs.salesforce.emulator.wire import Request, Response, json_response, oauth_error


def token(state: State, request: Request) -> Response:
    """Handle POST /services/oauth2/token."""
    form = request.form
    if form.get("grant_type") not in ("refresh_token", "authorization_code"):
        return oauth_error(*error_texts.WRONG_GRANT_TYPE)
    app = state.apps.get(form.get("client_id", ""))
    if app is None:
        return oauth_error(*error_texts.WRONG_CLIENT_ID)
    if form.get("client_secret", "") != app.secret:
        return oauth_error(*error_texts.WRONG_SECRET)
    if form["grant_type"] == "authorization_code":
        return _exchange(state, app, request)
    presented = form.get("refresh_token", "")
    grant = state.family_of(presented)
    if grant is None or grant.app is not app or not _is_for_host(grant, request.host):
        return oauth_error(*error_texts.EXPIRED)
    with state.one_refresh_at_a_time(grant) as free:
        if not free:
            return oauth_error(*error_texts.ALREADY_PROCESSING)
        with state.lock:
            return _refresh(state, grant, presented)


def _exchange(state: State, app: App, request: Request) -> Response:
    """Exchange a code for a grant, once, for the app and callback it was issued to."""
    with state.lock:
        code = state.codes.pop(request.form.get("code", ""), None)
        if code is None or code.app is not app or code.callback != request.form.get("redirect_uri"):
            return oauth_error(*error_texts.WRONG_CODE)
        grant = Grant(code.user, app, "")
        if refusal := _refusal(grant):
            return oauth_error(*refusal)
        grant = state.new_grant(code.user, app)
        content = _session_response(state, grant) | {"refresh_token": grant.newest}
        state.changed()
        return json_response(200, content)


def _is_for_host(grant: Grant, host: str) -> bool:
    org = grant.user.org
    if host in LOCAL_HOSTS:
        return True
    if host in LOGIN_HOSTS:
        return org.kind in LOGIN_HOSTS[host]
    return host == org.host or host in org.former_hosts


def _refresh(state: State, grant: Grant, presented: str) -> Response:
    if presented != grant.newest:
        # Reuse of a spent token suggests theft, so Salesforce ends the whole family.
        state.end_grants(lambda each: each is grant)
        return oauth_error(*error_texts.EXPIRED)
    if refusal := _refusal(grant):
        return oauth_error(*refusal)
    content = _session_response(state, grant)
    if grant.app.rotates:
        grant.spent.add(grant.newest)
        grant.newest = state.new_secret("5Aep861")
        content["refresh_token"] = grant.newest
    state.changed()
    return json_response(200, content)


def _refusal(grant: Grant) -> tuple[str, str] | None:
    org = grant.user.org
    refusals = (
        (not grant.alive, error_texts.EXPIRED),
        (not org.active, error_texts.INACTIVE_ORG),
        (not grant.user.active, error_texts.INACTIVE_USER),
        (not grant.app.installed, error_texts.APP_NOT_INSTALLED),
        (grant.app.blocked, error_texts.APP_BLOCKED),
        (not grant.user.approved, error_texts.NOT_APPROVED),
        (org.ip_restricted, error_texts.IP_RESTRICTED),
    )
    return next((text for holds, text in refusals if holds), None)


def _session_response(state: State, grant: Grant) -> dict[str, str]:
    org = grant.user.org
    value = _access_token(state, grant)
    now = state.clock()
    state.sessions[value] = Session(value, grant, now + state.session_seconds)
    identity = f"https://{org.login_host}/id/{org.org_id}/{grant.user.user_id}"
    issued_at = str(int(now * 1000))
    signature = hmac.new(grant.app.secret.encode(), f"{identity}{issued_at}".encode(), hashlib.sha256).digest()
    return {
        "access_token": value,
        "signature": base64.b64encode(signature).decode(),
        "scope": "refresh_token api web",
        "instance_url": org.instance_url,
        "id": identity,
        "token_type": "Bearer",
        "issued_at": issued_at,
    }


def _access_token(state: State, grant: Grant) -> str:
    """Return a new access token: opaque, or as a JWT of the length that the app asks for."""
    if not grant.app.jwt_length:
        return f"{grant.user.org.org_id[:15]}!{state.new_secret('AQ')}"
    header, unique = _base64url(b'{"alg":"RS256","typ":"JWT"}'), state.new_secret("")
    signature = _base64url(hashlib.sha256(unique.encode()).digest() * 8)
    claims = _base64url(f'{{"jti":"{unique}","scp":"'.encode())
    room = grant.app.jwt_length - len(header) - len(claims) - len(signature) - 2
    return f"{header}.{claims}{'x' * room}.{signature}"


def _base64url(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


def revoke(state: State, request: Request) -> Response:
    """Handle POST /services/oauth2/revoke: an access token ends alone, a refresh token with its family."""
    value = request.form.get("token") or request.query.get("token", "")
    with state.lock:
        if session := state.sessions.get(value):
            session.alive = False
            state.changed()
            return Response(200)
        grant = state.family_of(value)
        if grant is None or not grant.alive:
            return oauth_error(*error_texts.INVALID_TOKEN)
        state.end_grants(lambda each: each is grant)
    return Response(200)
