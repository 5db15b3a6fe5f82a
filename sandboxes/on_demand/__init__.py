"""Sessions of sandboxes and scratch orgs that are not registered.

authentication.py   The entry points: authenticate_sandbox and authenticate_scratch_org. Open this first.
sandbox.py          Sessions of a sandbox, through its production org; registration.py registers it by its name.
scratch.py          Sessions of a scratch org, by the auth URL in its DevHub's record (scratch_records.py).
grants.py           Stores the credentials. parents.py and fan_out.py search the registered orgs.
"""
