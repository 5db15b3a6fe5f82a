"""What an operation answers, before any format is chosen for it."""

from dataclasses import dataclass, field
from typing import Any

from authn.servicestack.cookies import Cookie


@dataclass(frozen=True, slots=True)
class Reply:
    """A message, and the cookies that go with it. `logged_in` tells that this very request logged somebody in."""

    message: Any
    cookies: list[Cookie] = field(default_factory=list)
    logged_in: bool = False
