"""The Authenticate service of ServiceStack v5.6, for tools that already speak it (docs/servicestack.md).

    urls ──▶ views ──▶ negotiation, binding, formats    format, then request DTO (`dtos`)
               ├─────▶ operations ──▶ authentication (providers), token_refresh
               │                        └─▶ callers, sessions, login_tokens, origins, identity
               └─────▶ rendering, cookies               response DTO, then format

Start with `views`. `metadata` serves the pages about the service. `identity` is the adapter to
Frontdesk's users, passwords, rate limits and audit; besides it, only `sessions` and `login_tokens`
import its models. tests/test_imports.py lists every import of the project around this package.
"""
