"""The Authenticate service of ServiceStack v5.6, for tools that already speak it (docs/servicestack.md).

Read it from the top: `urls` names the addresses, `views` serves them. A request's answer format is
chosen in `negotiation`, its message is read by `binding` with the codecs of `formats` into the
messages of `dtos`, and one of `operations` does the deed: `authenticating` with `providers`, or
`refreshing`. `callers` tells who asks, `sessions` and `bearers` hold what a log-in leaves behind,
`origins` judges addresses that a request brings along, `metadata` draws the pages about all this.

What is Frontdesk's own and not the protocol's is asked for in `people` (passwords, tries, bearers,
audit), and kept in the rows of `authn.models` that `sessions` and `bearers` write. These three would
have to be written anew to lift the rest out. It would take along two modules that know nothing of
Frontdesk: `authn.web.strict_json` (`binding`, `callers`, `formats.json`) and `authn.web.prefetch` (`views`);
the pages need the templates below `templates/servicestack/` and the settings PUBLIC_URL, DEMO and
SESSION_COOKIE_SECURE. tests/test_imports.py holds this list.
"""
