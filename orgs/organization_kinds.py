"""The kinds of Salesforce org, as stored and filtered."""

from django.db import models


class Kind(models.TextChoices):
    """A production org (Developer Edition included), a sandbox, or a scratch org."""

    PRODUCTION = "production", "Production"
    SANDBOX = "sandbox", "Sandbox"
    SCRATCH = "scratch", "Scratch"
