"""Pools of sandboxes and scratch orgs that jobs share, each held by one assignment at a time.

assignment.py    fetch and unassign: the life of an assignment. Open this first.
stock.py         Adds, imports and removes instances.
access.py        Gets a session for an instance: by its own credential, its registered org or its parent.
errors.py        How requests about pools can fail.
serializers.py   Bodies of the API. dashboard.py holds the panels of the console.
"""
