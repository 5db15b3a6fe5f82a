"""System checks of the settings that name fields of Salesforce. Ids: sandboxes.E001 and following."""

import re
from collections.abc import Iterable, Sequence

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, register

_FIELD = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,79}\Z", re.ASCII)


@register()
def check_sandboxes_settings(app_configs: Sequence[AppConfig] | None, **_: object) -> list[CheckMessage]:
    """Return the errors of all checks in this module."""
    return list(_fields())


def _fields() -> Iterable[CheckMessage]:
    named = {
        "sandboxes.E001": ("SCRATCH_AUTH_URL_FIELD", settings.SCRATCH_AUTH_URL_FIELD),
        "sandboxes.E002": ("POOL_FIELD_TAG", settings.POOL_FIELD_TAG),
        "sandboxes.E003": ("POOL_FIELD_STATUS", settings.POOL_FIELD_STATUS),
    }
    for check, (name, value) in named.items():
        if not _FIELD.match(value):
            yield Error(f"{name} must be the name of a field of ScratchOrgInfo, such as {name.title()}__c.", id=check)
