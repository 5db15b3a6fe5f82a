"""The grammars of sandbox names, scratch org usernames, repositories, pool tags and pages of an org."""

import re
from urllib.parse import unquote

from orgs.usernames import is_username_like

_SANDBOX = re.compile(r"[A-Za-z0-9_-]{1,40}", re.ASCII)
_USERNAME = re.compile(r"[A-Za-z0-9._%+!#$&'*/=?^`{|}~-]+@[A-Za-z0-9._%+!#$&'*/=?^`{|}~-]+", re.ASCII)
MAX_USERNAME_LENGTH = 80
MAX_REPOSITORY_LENGTH = 255
# GitLab nests up to 20 groups. Names of Azure DevOps projects have blanks and some punctuation inside.
_SEGMENT = r"[A-Za-z0-9_.&()'~-](?:[A-Za-z0-9_.&()'~ -]*[A-Za-z0-9_.&()'~-])?"
_REPOSITORY = re.compile(rf"{_SEGMENT}(?:/{_SEGMENT}){{1,20}}", re.ASCII)
POOL_TAG_PATTERN = r"[A-Za-z0-9_.-]{1,100}"
_PAGE = re.compile(r"/?[A-Za-z0-9_.~!$'()*+,;=:@%?&#/-]*", re.ASCII)
MAX_PAGE_LENGTH = 2000


def is_sandbox_name(text: str) -> bool:
    """Return True if a sandbox may have this name: letters, digits, - and _ only."""
    return bool(_SANDBOX.fullmatch(text))


def is_scratch_username(text: str) -> bool:
    """Return True if a scratch org may have this username: one @, at most 80 ASCII characters, no blank.

    It need not protect queries: orgs/salesforce/soql.py escapes literals.
    """
    return len(text) <= MAX_USERNAME_LENGTH and bool(_USERNAME.fullmatch(text)) and is_username_like(text)


def read_repository(text: str) -> str:
    """Return a repository such as `org/repo`, `group/subgroup/repo` or `org/My Project/repo`, as it is stored.

    `%20` is read as a blank, and a trailing `.git` is dropped. Raises ValueError.
    """
    repository = unquote(text) if "%" in text else text
    if repository.lower().endswith(".git"):
        repository = repository[: -len(".git")]
    if len(repository) > MAX_REPOSITORY_LENGTH or not _REPOSITORY.fullmatch(repository):
        raise ValueError("Not a repository.")
    return repository


def page_in_org(text: str) -> str:
    """Return a page of an org as a path with a leading slash. Raises ValueError if it could leave the org."""
    if len(text) > MAX_PAGE_LENGTH or not _PAGE.fullmatch(text):
        raise ValueError("Not a path in an org.")
    path = text if text.startswith("/") else f"/{text}"
    first = path[1:].partition("?")[0].partition("#")[0]
    if "//" in f"/{first}" or ".." in first.split("/") or ":" in first.partition("/")[0]:
        raise ValueError("The path leads to another host.")
    return path if text else ""
