"""The home page: the orgs that a user may open in a browser.

views.py          `/`, the searchable lists, and `/open`, which opens any other org by its name. Open this first.
visible_orgs.py   Which registered orgs and pool instances a user may open.

Every line is a continue link (sandboxes/continue_action.py), which can be shared: it holds no secret.
"""
