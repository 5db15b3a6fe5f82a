"""The continue action that opens an org: `frontDoorUrl` in the API contract."""

from collections.abc import Mapping

from authn.errors import ContinuationRefused
from authn.pages import continuation
from authn.pages.continuation import Action
from authn.principals import Principal
from orgs.usernames import PLUS_MESSAGE, SECRET_MESSAGE, is_secret, is_username_like, lost_a_plus
from sandboxes.frontdoor import FrontdoorRequest, create_link
from sandboxes.names import read_repository
from sandboxes.stored_names import is_stored

NAME = "frontDoorUrl"


def continue_to_org(params: Mapping[str, str], by: Principal) -> str:
    """Return a one-time link into the org that a continue link names.

    Raises the errors of sandboxes.frontdoor.create_link.
    """
    target = FrontdoorRequest(params["targetOrg"], params.get("repository", ""), params.get("prodOrg", ""))
    return create_link(target, by=by).link


def continue_link(target: str, *, repository: str = "", production_username: str = "") -> str:
    """Return the path of a continue link: it is stable, holds no secret, and opens an org after a log-in."""
    return continuation.address(NAME, targetOrg=target, repository=repository, prodOrg=production_username)


def _check(params: Mapping[str, str]) -> None:
    for name in ("targetOrg", "prodOrg"):
        if name in params:
            _check_name(name, params[name])
    try:
        read_repository(params.get("repository", "org/repo"))
    except ValueError as error:
        raise ContinuationRefused("The repository of this link is not of the form org/repo.") from error


def _check_name(parameter: str, name: str) -> None:
    if is_username_like(name) or is_stored(name):
        return
    if is_secret(name):
        raise ContinuationRefused(f"The {parameter} of this link is invalid. {SECRET_MESSAGE}")
    if lost_a_plus(name):
        raise ContinuationRefused(f"The {parameter} of this link is invalid. {PLUS_MESSAGE}")
    raise ContinuationRefused(f"The {parameter} of this link is not a valid username or sandbox name.")


OPEN_ORG = Action(
    name=NAME,
    title="Open a Salesforce org",
    required=("targetOrg",),
    labels={"targetOrg": "Org", "repository": "Repository", "prodOrg": "Production org"},
    check=_check,
    run=continue_to_org,
)
