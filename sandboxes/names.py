"""The grammars of sandbox names, scratch org usernames, repositories, pool tags and pages of an org."""

import re

from orgs.usernames import is_username_like

_SANDBOX = re.compile(r"[A-Za-z0-9_-]{1,40}", re.ASCII)
_USERNAME = re.compile(r"[A-Za-z0-9._%+!#$&*/=?^`{|}~-]{1,64}@[A-Za-z0-9.-]{1,79}", re.ASCII)
MAX_USERNAME_LENGTH = 80
REPOSITORY_PATTERN = r"[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+(?:/[A-Za-z0-9_.-]+)?"
_REPOSITORY = re.compile(REPOSITORY_PATTERN, re.ASCII)
POOL_TAG_PATTERN = r"[A-Za-z0-9_.-]{1,100}"
_PAGE = re.compile(r"/?[A-Za-z0-9_.~!$'()*+,;=:@%?&#/-]*", re.ASCII)
MAX_PAGE_LENGTH = 2000


def is_sandbox_name(text: str) -> bool:
    """Return True if a sandbox may have this name: letters, digits, - and _ only."""
    return bool(_SANDBOX.fullmatch(text))


def is_scratch_username(text: str) -> bool:
    """Return True if a scratch org may have this username: one @, at most 80 characters, no quotes."""
    return len(text) <= MAX_USERNAME_LENGTH and bool(_USERNAME.fullmatch(text)) and is_username_like(text)


def is_repository(text: str) -> bool:
    """Return True for `org/repo` and `org/project/repo`."""
    return len(text) <= 255 and bool(_REPOSITORY.fullmatch(text))


def page_in_org(text: str) -> str:
    """Return a page of an org as a path with a leading slash. Raises ValueError if it could leave the org."""
    if len(text) > MAX_PAGE_LENGTH or not _PAGE.fullmatch(text):
        raise ValueError("Not a path in an org.")
    path = text if text.startswith("/") else f"/{text}"
    first = path[1:].partition("?")[0].partition("#")[0]
    if "//" in f"/{first}" or ".." in first.split("/") or ":" in first.partition("/")[0]:
        raise ValueError("The path leads to another host.")
    return path if text else ""
