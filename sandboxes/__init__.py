"""Access to sandboxes and scratch orgs through their production org or DevHub, and pools of them.

on_demand/   Sessions for orgs that are not registered. Open on_demand/authentication.py first.
pools/       Orgs that jobs share, each held by one assignment at a time.
frontdoor.py One-time links that log a browser in to an org. home/ is the page that lists these orgs.
admin/       The console pages of pool instances.

views.py holds the API; models.py the on-demand grants and the pool instances.
"""
