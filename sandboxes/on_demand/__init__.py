"""Sessions for sandboxes and scratch orgs that are not registered.

authentication.py   The entry points: authenticate_sandbox and authenticate_scratch_org. Open this first.
sandbox.py          A sandbox session, through the production org; registration.py registers it by its name.
scratch.py          A scratch org session, by the auth URL in the DevHub's record.
grants.py           Stores the credentials so obtained. parents.py and fan_out.py search the registered orgs.
"""
