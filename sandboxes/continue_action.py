"""The continue action that opens an org: `frontDoorUrl` in the API contract."""

from collections.abc import Mapping

from authn.errors import ContinuationRefused
from authn.pages import continuation
from authn.pages.continuation import Action
from authn.principals import Principal
from orgs.usernames import is_username_like
from sandboxes.frontdoor import FrontdoorRequest, create_link
from sandboxes.names import is_repository

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
        if name in params and not is_username_like(params[name]):
            raise ContinuationRefused(f"The {name} of this link is not a valid username or sandbox name.")
    if "repository" in params and not is_repository(params["repository"]):
        raise ContinuationRefused("The repository of this link is not of the form org/repo.")


OPEN_ORG = Action(
    name=NAME,
    title="Open a Salesforce org",
    required=("targetOrg",),
    labels={"targetOrg": "Org", "repository": "Repository", "prodOrg": "Production org"},
    check=_check,
    run=continue_to_org,
)
