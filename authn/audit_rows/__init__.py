"""What an audit row holds. `authn.audit` writes rows; it is the module that other code calls.

targets   What an action was done to. Open this first.
models    The table of audit rows.
"""
