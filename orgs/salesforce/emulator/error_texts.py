"""Salesforce's error texts and pages, in one place so that captured ones can replace assumed ones."""

EXPIRED = ("invalid_grant", "expired access/refresh token")
ALREADY_PROCESSING = ("invalid_grant", "token request is already being processed")
INACTIVE_USER = ("invalid_grant", "inactive user")
INACTIVE_ORG = ("invalid_grant", "inactive organization")
APP_NOT_INSTALLED = ("invalid_client", "app must be installed into org")
EXTERNAL_APP_NOT_INSTALLED = ("invalid_grant", "External client app is not installed in this org")
APP_NOT_FOUND = ("app_not_found", "External client app is not installed in this org")
APP_BLOCKED = ("OAUTH_APP_BLOCKED", "this app is blocked by admin")
API_ACCESS_DENIED = ("invalid_grant", "blocked by API Access Control")
SERVER_ERROR = ("server_error", "an unexpected failure")
TEMPORARILY_UNAVAILABLE = ("temporarily_unavailable", "try again later")
INVALID_REQUEST = ("invalid_request", "invalid request")
WRONG_CLIENT_ID = ("invalid_client_id", "client identifier invalid")
WRONG_SECRET = ("invalid_client", "invalid client credentials")
WRONG_GRANT_TYPE = ("unsupported_grant_type", "grant type not supported")
IP_RESTRICTED = ("invalid_grant", "ip restricted or invalid login hours")
NOT_APPROVED = ("invalid_grant", "user hasn't approved this consumer")
LOGIN_RATE = ("invalid_grant", "login rate exceeded")
WRONG_CODE = ("invalid_grant", "expired authorization code")
INVALID_TOKEN = ("invalid_token", "token is not valid")

DEAD_SESSION = ("INVALID_SESSION_ID", "Session expired or invalid")
UNFIT_SESSION = ("INVALID_SESSION_ID", "This session is not valid for use with the REST API")
NOT_FOUND = ("NOT_FOUND", "The requested resource does not exist")
BAD_OAUTH_TOKEN = b"Bad_OAuth_Token"
MISSING_OAUTH_TOKEN = b"Missing_OAuth_Token"
BAD_OAUTH_TOKEN_PAGE = (
    b"<!DOCTYPE html><html><head><title>Forbidden</title>"
    b"<style>body { font-family: sans-serif; margin: 4em auto; max-width: 40em; color: #181818; }"
    b" h1 { font-size: 1.4em; font-weight: 400; border-bottom: 1px solid #c9c9c9; padding-bottom: .4em; }</style>"
    b"</head><body><h1>Bad_OAuth_Token</h1></body></html>"
)
MAINTENANCE_PAGE = (
    b"<html><head><title>Salesforce</title></head><body><h1>We are down for maintenance.</h1>"
    b"<p>Sorry for the inconvenience. We'll be back shortly.</p></body></html>"
)
INTERSTITIAL_PAGE = b"<html><head><title>Stay tuned</title></head><body>Your new domain is being set up.</body></html>"
PROXY_PAGE = (
    b"<!DOCTYPE html><html><head><title>Access Denied</title></head><body><h1>Blocked</h1>"
    b"<p>Your company's policy does not allow this site.</p></body></html>"
)
DATA_NOT_AVAILABLE_PAGE = b"<html><body><h1>Data Not Available</h1></body></html>"

# Errors of sandboxAuth. INVALID_STATUS is known from the CLI's source; the others are assumed.
SANDBOX_NOT_READY = ("INVALID_STATUS", "The sandbox is not ready for log-in.")
SANDBOX_UNKNOWN = ("NOT_FOUND", "No sandbox of this name was found.")
NOT_THE_CREATOR = ("INSUFFICIENT_ACCESS", "Only the user who created or last refreshed the sandbox may do this.")

VERSIONS = ("64.0", "65.0", "66.0", "67.0")
