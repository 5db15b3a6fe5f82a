"""The actions, outcomes and kinds of target of audit rows. The value of an action is `subject.action`."""

from django.db import models


class Action(models.TextChoices):
    """An audited action. The values are stable: filters and alerts depend on them."""

    LOGIN = "person.login"
    LOGIN_REFRESH = "person.login_refreshed"
    LOGOUT = "person.logout"
    LOGIN_REUSED = "person.refresh_token_reused"
    USER_ADDED = "person.added"
    USER_CHANGED = "person.changed"
    TOKEN_CREATED = "application_token.created"
    TOKEN_REVOKED = "application_token.revoked"
    REQUEST = "request"
    ORG_REGISTERED = "org.registered"
    ORG_CHANGED = "org.changed"
    ORG_ID_CHANGED = "org.org_id_changed"
    ORG_MOVED = "org.instance_changed"
    ORG_DELETED = "org.deleted"
    ORG_TESTED = "org.connection_tested"
    REFRESH_SENT = "credential.refresh_sent"
    REFRESH_ENDED = "credential.refresh_ended"
    ANSWER_REPLAYED = "credential.answer_replayed"
    CREDENTIAL_REMOVED = "credential.removed"
    REVOKED = "credential.revoked"
    ACCESS_TOKEN = "access_token.handed_out"
    AUTH_URL = "auth_url.handed_out"
    FRONTDOOR = "frontdoor.handed_out"
    AUTH_URL_WRITTEN = "auth_url.written_to_dev_hub"
    POOL_ADDED = "pool_instance.added"
    POOL_REMOVED = "pool_instance.removed"
    POOL_FETCHED = "pool_instance.fetched"
    POOL_EXTENDED = "pool_instance.extended"
    POOL_UNASSIGNED = "pool_instance.unassigned"
    POOL_MADE_AVAILABLE = "pool_instance.made_available"
    AUDIT_EXPIRED = "audit.expired_rows_deleted"


class Outcome(models.TextChoices):
    """The outcome of an action. `attempted` is written before a request to Salesforce, the outcome afterwards."""

    ATTEMPTED = "attempted"
    GRANTED = "granted"
    REFUSED = "refused"
    FAILED = "failed"


class TargetKind(models.TextChoices):
    """The kind of thing that an action was done to."""

    ORG = "org", "Org"
    PERSON = "person", "User"
    TOKEN = "application_token", "Application token"
    POOL_INSTANCE = "pool_instance", "Pool instance"
    SETTING = "setting", "Setting"
