"""All settings. Only this module reads the environment.

Each variable is described in docs/configuration.md; the checks in authn/checks.py and
orgs/checks.py stop the start on missing or unsafe values.
"""

from datetime import timedelta
from pathlib import Path

from csp.constants import NONCE, NONE, SELF

from config.environment import DatabaseSettings, Environment

BASE_DIR = Path(__file__).resolve().parent.parent

env = Environment()
env = env.over_file(env.str("ENV_FILE", default=str(BASE_DIR / ".env")))

# --- General ---------------------------------------------------------------------------------
SECRET_KEY: str = env.str("SECRET_KEY", default="")
DEBUG: bool = env.bool("DEBUG", default=False)
DEMO: bool = env.bool("DEMO", default=False)
ALLOWED_HOSTS: list[str] = env.list("ALLOWED_HOSTS", default=[])
PUBLIC_URL: str = env.str("PUBLIC_URL", default="").rstrip("/")
TRUSTED_PROXY_COUNT: int = env.int("TRUSTED_PROXY_COUNT", default=0)
LOGINS_PER_ADDRESS_PER_MINUTE: int = env.int("LOGINS_PER_ADDRESS_PER_MINUTE", default=60)
WEB_CONCURRENCY: int = env.int("WEB_CONCURRENCY", default=2)
WEB_THREADS: int = env.int("WEB_THREADS", default=128)

# --- The database ----------------------------------------------------------------------------
DATABASE_POOL_SIZE: int = env.int("DATABASE_POOL_SIZE", default=16)
DATABASE_STATEMENT_TIMEOUT_SECONDS: float = env.float("DATABASE_STATEMENT_TIMEOUT_SECONDS", default=5.0)
# Slightly above PostgreSQL's deadlock_timeout of one second, so that a deadlock is reported as a deadlock.
DATABASE_LOCK_TIMEOUT_SECONDS: float = env.float("DATABASE_LOCK_TIMEOUT_SECONDS", default=1.2)

# --- Keys ------------------------------------------------------------------------------------
# None, not an empty list, would make fernet_fields fall back to SECRET_KEY.
FERNET_KEYS: list[str] = env.list("FERNET_KEYS", default=[])
JWT_SIGNING_KEY: str = env.str("JWT_SIGNING_KEY", default="")
AUDIT_KEY: str = env.str("AUDIT_KEY", default="")
AUDIT_RETENTION_DAYS: int = env.int("AUDIT_RETENTION_DAYS", default=365)

# --- Salesforce ------------------------------------------------------------------------------
SALESFORCE_EXTRA_DOMAINS: list[str] = env.list("SALESFORCE_EXTRA_DOMAINS", default=[])
SALESFORCE_ALLOWED_NETWORKS: list[str] = env.list("SALESFORCE_ALLOWED_NETWORKS", default=[])
SALESFORCE_PROXY: str = env.str("SALESFORCE_PROXY", default="")
SALESFORCE_CA_BUNDLE: str = env.str("SALESFORCE_CA_BUNDLE", default="")
SALESFORCE_TIMEOUT_SECONDS: float = env.float("SALESFORCE_TIMEOUT_SECONDS", default=10.0)
SALESFORCE_API_VERSION: str = env.str("SALESFORCE_API_VERSION", default="")
SALESFORCE_GATEWAY: str = env.str("SALESFORCE_GATEWAY", default="").rstrip("/")
ALLOW_AUTH_URL_RELEASE: bool = env.bool("ALLOW_AUTH_URL_RELEASE", default=True)
ALLOW_SKIP_VALIDATION: bool = env.bool("ALLOW_SKIP_VALIDATION", default=False)
ALLOW_LEGACY_FRONTDOOR: bool = env.bool("ALLOW_LEGACY_FRONTDOOR", default=False)
SCRATCH_AUTH_URL_FIELD: str = env.str("SCRATCH_AUTH_URL_FIELD", default="SfdxAuthUrl__c")
POOL_FIELD_TAG: str = env.str("POOL_FIELD_TAG", default="Pooltag__c")
POOL_FIELD_STATUS: str = env.str("POOL_FIELD_STATUS", default="Allocation_status__c")
REFRESH_LOCK_SECONDS: float = env.float("REFRESH_LOCK_SECONDS", default=25.0)
TAKEOVER_SECONDS: float = env.float("TAKEOVER_SECONDS", default=120.0)
LOGIN_BUDGET_PER_HOUR: int = env.int("LOGIN_BUDGET_PER_HOUR", default=3000)
SPOOL_DIR: str = env.str("SPOOL_DIR", default=str(BASE_DIR / "spool"))

# --- Django ----------------------------------------------------------------------------------
INSTALLED_APPS = [
    "config.apps.ConsoleConfig",
    # Before django.contrib.auth, whose `changepassword` would leave log-ins active.
    "authn",
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "csp",
    "orgs",
    "sandboxes",
]

MIDDLEWARE = [
    "config.middleware.ResponseHeadersMiddleware",
    "config.middleware.RequestBodyLimit",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    # Before the first middleware that reads the Host header or queries the database.
    "config.health.HealthMiddleware",
    "config.middleware.SupportedMethods",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "config.middleware.SafePages",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "config.middleware.PageExceptions",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
APPEND_SLASH = False
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en"
USE_I18N = False

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "csp.context_processors.nonce",
                "authn.pages.context.demo_mode",
            ]
        },
    }
]


def _database() -> DatabaseSettings:
    """Read DATABASE_URL and add the options that each database needs to store credentials safely."""
    database = env.db_url("DATABASE_URL", default=f"sqlite:///{BASE_DIR / 'frontdesk.sqlite3'}")
    options = database.setdefault("OPTIONS", {})
    if database["ENGINE"].endswith("sqlite3"):
        database["ENGINE"] = "config.private_sqlite3"
        # IMMEDIATE: a transaction takes the write lock at its start and waits for it, instead of failing
        # half-way. FULL: a committed refresh token survives a power failure.
        options.setdefault("transaction_mode", "IMMEDIATE")
        options.setdefault("timeout", 20)
        options.setdefault("init_command", "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;")
    elif database["ENGINE"].endswith("postgresql"):
        from config.postgresql.options import add_deadlines

        database["ENGINE"] = "config.postgresql"
        add_deadlines(
            options,
            pool_size=DATABASE_POOL_SIZE,
            statement_seconds=DATABASE_STATEMENT_TIMEOUT_SECONDS,
            lock_seconds=DATABASE_LOCK_TIMEOUT_SECONDS,
        )
    return database


DATABASES = {"default": _database()}

# --- Authentication --------------------------------------------------------------------------
AUTH_USER_MODEL = "authn.User"
AUTHENTICATION_BACKENDS = ["django.contrib.auth.backends.ModelBackend"]
PASSWORD_HASHERS = ["authn.password_hashing.BoundedArgon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
SILENCED_SYSTEM_CHECKS = [
    "security.W004",  # The TLS proxy sends Strict-Transport-Security (docs/operations.md).
    "security.W008",  # It also redirects to HTTPS.
]

SIMPLE_JWT: dict[str, object] = {
    "ALGORITHM": "HS256",
    "SIGNING_KEY": JWT_SIGNING_KEY,
    "ISSUER": "frontdesk",
    "AUDIENCE": "frontdesk",
    "ACCESS_TOKEN_LIFETIME": timedelta(hours=1),
    "REFRESH_TOKEN_LIFETIME": timedelta(days=14),
    # The clocks of a desk's machines differ.
    "LEEWAY": timedelta(seconds=30),
}

# --- The API ---------------------------------------------------------------------------------
MAX_REQUEST_BYTES = 1024 * 1024
MAX_ANONYMOUS_REQUEST_BYTES = 64 * 1024
DATA_UPLOAD_MAX_MEMORY_SIZE = MAX_REQUEST_BYTES
# No view accepts files.
FILE_UPLOAD_HANDLERS: list[str] = []
REST_FRAMEWORK: dict[str, object] = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["authn.authentication.BearerAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["authn.permissions.OwnersOnly"],
    "DEFAULT_PARSER_CLASSES": ["config.parsers.StrictJSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_SCHEMA_CLASS": "config.openapi.operation.DocumentedSchema",
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "config.parsers.AlwaysJSON",
    "EXCEPTION_HANDLER": "config.exceptions.exception_handler",
    "UNAUTHENTICATED_USER": "authn.principals.anonymous",
    "URL_FORMAT_OVERRIDE": None,
}
SPECTACULAR_SETTINGS: dict[str, object] = {
    "TITLE": "Frontdesk",
    "DESCRIPTION": "Short-lived sessions for Salesforce orgs. Implements the sfp server Orgs and Authentication API.",
    "VERSION": "0.1.0",
    "CONTACT": {"name": "The owners of this desk"},
    "LICENSE": {"name": "Apache 2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0"},
    "SERVERS": [{"url": "/", "description": "The desk that serves this document"}],
    "TAGS": [
        {"name": "Authentication", "description": "Log-in of users, and the page of continue links."},
        {"name": "Application Tokens", "description": "Bearer tokens of CI jobs."},
        {"name": "Orgs", "description": "Registered orgs, sandboxes and scratch orgs, and sessions of them."},
        {"name": "Pools", "description": "Orgs that jobs share, each held by one assignment at a time."},
    ],
    "SERVE_INCLUDE_SCHEMA": False,
    "COMPONENT_SPLIT_REQUEST": False,
    "COMPONENT_SPLIT_PATCH": False,
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "POSTPROCESSING_HOOKS": ["drf_spectacular.hooks.postprocess_schema_enums", "config.openapi.finish.finish"],
    "ENUM_NAME_OVERRIDES": {
        "HealthStateEnum": "orgs.credentials.models.Health",
        "PoolInstanceTypeEnum": "sandboxes.models.PoolInstance.Type",
        "PoolStatusEnum": "sandboxes.models.PoolInstance.Status",
        "NewPoolStatusEnum": ["AVAILABLE", "PROVISIONING"],
    },
}

# --- Pages -----------------------------------------------------------------------------------
STATIC_URL = "static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
# The demo serves static files from their source folders; otherwise collectstatic has collected them.
WHITENOISE_USE_FINDERS = DEMO or DEBUG
STATIC_ROOT = None if WHITENOISE_USE_FINDERS else BASE_DIR / "staticfiles"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF, NONCE],
        "style-src": [SELF, NONCE],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "no-referrer"
SECURE_CONTENT_TYPE_NOSNIFF = True
LOGIN_URL = "login"
PASSWORD_RESET_TIMEOUT = 3 * 24 * 3600
# Sessions are stored by digest, and belong to log-ins.
SESSION_ENGINE = "authn.browser.sessions"
SESSION_COOKIE_AGE = 12 * 3600
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = PUBLIC_URL.startswith("https://")
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_SECURE = SESSION_COOKIE_SECURE
if SESSION_COOKIE_SECURE:
    # Browsers accept a cookie with this prefix only over https and for this host.
    SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = "__Host-sessionid", "__Host-csrftoken"
MESSAGE_STORAGE = "authn.pages.messages.PageMessages"
CSRF_FAILURE_VIEW = "config.error_views.csrf_failure"
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL] if PUBLIC_URL else []
if TRUSTED_PROXY_COUNT:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

# --- Logs: one JSON object per line, without query strings and secrets------------------------
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"json": {"()": "config.json_logging.JSONLineFormatter"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "json"}},
    "root": {"handlers": ["console"], "level": "INFO"},
    "loggers": {
        "django": {"handlers": [], "level": "INFO", "propagate": True},
        "django.server": {"handlers": [], "level": "WARNING", "propagate": True},
        # Their debug lines contain SQL with values, or the path and query of a request.
        "django.db.backends": {"level": "INFO"},
        "urllib3": {"level": "INFO"},
        # Scanners that send foreign Host headers must not fill the log.
        "django.security.DisallowedHost": {"level": "CRITICAL"},
    },
}
