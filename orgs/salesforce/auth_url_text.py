"""Finds the auth URL in text that people paste, and names the mistake in text without one.

Text comes as a `.env` line, a table of the CLI, a JSON document after a notice, with quotes or colours. Every
expression here takes linear time. The URL itself is judged by auth_url.py.
"""

import base64
import binascii
import json
import re
from dataclasses import dataclass

SCHEME = "force://"
FORM = "force://CLIENT_ID:SECRET:REFRESH_TOKEN@HOST"
REDACTED = "[REDACTED]"

_COLOURS = re.compile(r"(?:\x1b|\\u001[bB])\[[0-9;:?]*[ -/]*[@-~]")
# What JSON encoders write for "/" and "=".
_ESCAPES = (("\\/", "/"), ("\\u003d", "="), ("\\u003D", "="))
# White space, quotes, brackets, separators, lines of tables, and marks that take no room.
_END = r"\s\"'`<>,;|()\[\]{}\\\u2500-\u257f\u2018-\u201d\u00ab\u00bb\u200b-\u200d\u2060\ufeff"
_URL = re.compile(rf"force://[^{_END}]*")
_REST_OF_URL = re.compile(r"[^\s\"'`,|]*")
# A backslash ends a URL only as the start of an escape such as \" or \n. A line that starts so continues the URL.
_BROKEN = re.compile(r"\\(?![\"'nrtu\\])|[ \t]*\r?\n[ \t]*[.:@]")

# GitHub writes asterisks, GitLab the word; password fields show bullets.
_MASK = re.compile(r"\*\*\*|\[MASKED\]|\u2022{3}")
_HOST = r"[a-zA-Z0-9.-]+"
_NEXT_WORD = re.compile(rf"\s+({_HOST})")


@dataclass(frozen=True, slots=True)
class Mistake:
    """What is wrong with a text, and what to do. An empty action means that of any invalid auth URL."""

    message: str
    action: str = ""
    is_redacted: bool = False


_REDACTED = Mistake("This is the placeholder that the Salesforce CLI prints instead of the auth URL.", is_redacted=True)
_EMPTY = Mistake("The auth URL is empty.")
_MASKED = Mistake(
    "The auth URL is masked, as CI systems mask secrets in their logs.",
    "Send the secret itself. A log or a page of settings does not show it.",
)
_VARIABLE = Mistake(
    "The text contains the name of a variable instead of its value.",
    "Let the shell or the CI system expand the variable: in a shell, single quotes prevent that.",
)
_ADDRESS = Mistake(
    "The auth URL has https:// or http:// before its host.",
    f"Remove https:// or http:// after the @: an auth URL reads {FORM}.",
)
_PORT = Mistake("The auth URL has a port after its host.", "Remove the colon and the port at its end.")
_PATH = Mistake("The auth URL has a path or query after its host.", "Remove everything after the host.")
_UNDEFINED = Mistake(
    'The client id or the refresh token of the auth URL is "undefined" or "null".',
    "Authorize the org again with `sf org login web`: orgs authorized by JWT have no auth URL.",
)
_NO_CLIENT = Mistake(
    "The auth URL has a refresh token, but no client id.",
    f"An auth URL reads {FORM}. If yours is of an older CLI, authorize the org again with `sf org login web`.",
)
_NO_SECRET_PLACE = Mistake(
    "The auth URL has only one colon before its refresh token.", f"It must read {FORM}; an empty secret leaves `::`."
)
_CUT_OFF = Mistake(
    "The auth URL ends before its host. It was cut off, or broken by a line break or blank.",
    "Send it whole, in one line.",
)
_BROKEN_LINE = Mistake("The auth URL is broken by a line break or a backslash.", _CUT_OFF.action)
_ENCODED = Mistake("The auth URL is percent-encoded.", "Send it decoded: it starts with force://.")
_HTML = Mistake(
    "The auth URL is HTML-encoded, as in the source of a web page.", 'Replace the entities: &quot; is ", &#64; is @.'
)
_BASE64 = Mistake("The text is Base64, not the auth URL itself.", "Decode it first: base64 --decode.")
_UPPER_CASE = Mistake("The auth URL does not start with force:// in lower case.", "Write force:// in lower case.")
_REFRESH_TOKEN = Mistake("This is a refresh token, not an auth URL.", f"An auth URL reads {FORM}.")
_ACCESS_TOKEN = Mistake("This is an access token, not an auth URL.")
_WEB_ADDRESS = Mistake("This is a web address, not an auth URL.")
_NO_JSON = Mistake("The text is not valid JSON, and contains no auth URL.")
_JSON_WITHOUT = Mistake("The JSON has no sfdxAuthUrl.")
_OTHER = Mistake(f"This is not an auth URL of the form {FORM}.")

# The first that occurs in the URL, as far as it goes without blank or quote, is the mistake.
_IN_URL: tuple[tuple[re.Pattern[str], Mistake], ...] = (
    (re.compile(re.escape(REDACTED)), _REDACTED),
    (_MASK, _MASKED),
    (re.compile(r"\Aforce://[^<>]*&(?:#x?[0-9A-Fa-f]+|quot|apos|amp|lt|gt);", re.IGNORECASE), _HTML),
    (re.compile(r"\$|\{\{|%[A-Za-z_]+%"), _VARIABLE),
    (re.compile(r"@https?:"), _ADDRESS),
    (re.compile(r"%[0-9A-Fa-f]{2}"), _ENCODED),
    (re.compile(rf"force://(?::|[^:@]*@{_HOST})"), _NO_CLIENT),
    (re.compile(rf"force://[^:@]+:[^:@]+@{_HOST}"), _NO_SECRET_PLACE),
    (re.compile(r"force://[^@]*@?\Z"), _CUT_OFF),
    (re.compile(rf"force://[^@]*@{_HOST}:[0-9]+/?\Z"), _PORT),
    (re.compile(rf"force://[^@]*@{_HOST}(?::443)?[/?#]"), _PATH),
)
# Those that only the text after the URL may show.
_IN_REST = (_REDACTED, _MASKED, _VARIABLE, _HTML)
# The same for a text without force://.
_IN_TEXT: tuple[tuple[re.Pattern[str], Mistake], ...] = (
    (re.compile(re.escape(REDACTED)), _REDACTED),
    (_MASK, _MASKED),
    (re.compile(r"force://", re.IGNORECASE), _UPPER_CASE),
    (re.compile(r"force%3a(?:%2f|/){2}", re.IGNORECASE), _ENCODED),
    (re.compile(r"\A\W{0,8}00D[0-9A-Za-z]{12,15}!"), _ACCESS_TOKEN),
    (re.compile(r"\A\W{0,8}5Aep[0-9A-Za-z._]+\W{0,8}\Z"), _REFRESH_TOKEN),
    (re.compile(r"\A\W{0,8}https?://"), _WEB_ADDRESS),
)
_VARIABLE_NAME = re.compile(r"\$[A-Za-z_{(]|%[A-Za-z_]+%|\{\{")
_MAX_VARIABLE_LENGTH = 200
_BASE64_TEXT = re.compile(r"[A-Za-z0-9+/_-]{16,}={0,2}", re.ASCII)


def find_url(text: str) -> str | Mistake:
    """Return the one `force://` URL in a text, not judged yet; or the mistake of a text with none or several."""
    text = _without_escapes(text)
    count = text.count(SCHEME)
    if count == 0:
        return _mistake_without_url(text)
    if count > 1:
        return Mistake(f"The text contains {count} auth URLs.", "Send one auth URL.")
    found = _URL.search(text)
    if found is None:
        return _OTHER
    rest = _REST_OF_URL.match(text, found.end())
    if rest and rest[0] and (inner := _mistake_in(found[0] + rest[0])) in _IN_REST:
        return inner
    return _BROKEN_LINE if _BROKEN.match(text, found.end()) else found[0]


def next_word(text: str, url: str) -> str:
    """Return the word after a URL that `find_url` returned: a line break or blank in its host may precede it."""
    word = _NEXT_WORD.match(_without_escapes(text).partition(url)[2])
    return word[1] if word else ""


def mistake_of(url: str) -> Mistake:
    """Return the mistake in a text that starts with force:// and is no auth URL; of any other text, its own."""
    return _mistake_in(url) if url.startswith(SCHEME) else _mistake_without_url(url)


def broken_line() -> Mistake:
    """Return the mistake of an auth URL that a line break or blank divides."""
    return _BROKEN_LINE


def undefined_part() -> Mistake:
    """Return the mistake of an auth URL in which JavaScript wrote a missing value."""
    return _UNDEFINED


def _without_escapes(text: str) -> str:
    for escape, character in _ESCAPES:
        text = text.replace(escape, character)
    return _COLOURS.sub("", text)


def _mistake_in(url: str) -> Mistake:
    return next((mistake for pattern, mistake in _IN_URL if pattern.search(url)), _OTHER)


def _mistake_without_url(text: str) -> Mistake:
    stripped = text.strip().lstrip("\ufeff").strip()
    if not stripped:
        return _EMPTY
    for pattern, mistake in _IN_TEXT:
        if pattern.search(stripped):
            return mistake
    if len(stripped) <= _MAX_VARIABLE_LENGTH and _VARIABLE_NAME.search(stripped):
        return _VARIABLE
    if stripped.startswith("{"):
        return _mistake_in_json(stripped)
    return _BASE64 if _is_base64(stripped) else _OTHER


def _mistake_in_json(text: str) -> Mistake:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return _NO_JSON
    return _JSON_WITHOUT


def _is_base64(text: str) -> bool:
    """Return True if a text is Base64, in one line or several, of a text with an auth URL."""
    joined = "".join(text.split()).strip("\"'")
    if not _BASE64_TEXT.fullmatch(joined):
        return False
    try:
        content = base64.urlsafe_b64decode(joined.rstrip("=").replace("+", "-").replace("/", "_") + "==")
    except binascii.Error:
        return False
    return SCHEME.encode() in content
