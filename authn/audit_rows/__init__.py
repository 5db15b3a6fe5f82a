"""What an audit row holds. `authn.audit` writes rows; it is the module that other code calls.

targets        What an action was done to. Open this first.
changes        The fields that a change set, before and after.
fingerprints   Keyed hashes that identify secrets.
models         The table of audit rows.
"""
