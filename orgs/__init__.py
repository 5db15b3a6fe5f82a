"""Registered orgs: what is known of them, and how clients get sessions, auth URLs and links for them.

views, permissions, serializers, responses      the Orgs API; open views.py first
lookup, listing, metadata, models               which org is meant, and what is stored of it
registration, update, deletion                  what owners change, with auth_url_validation, credential_ownership
org_sessions, credential_release                org -> credential -> token, and which secret may leave the desk
credentials/    the credential engine           salesforce/    Salesforce's wire, and its emulator
admin/          the console of orgs
"""
