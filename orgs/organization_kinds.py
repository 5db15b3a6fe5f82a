"""The three kinds of org that Salesforce tells apart."""

from django.db import models


class Kind(models.TextChoices):
    """What an org is: a production org (or Developer Edition), a sandbox, or a scratch org."""

    PRODUCTION = "production", "Production"
    SANDBOX = "sandbox", "Sandbox"
    SCRATCH = "scratch", "Scratch"
