"""The operators' console: Django's admin for owners, without any write of its own. Open admin_base.py first.

site         The admin site, and the panels of its dashboard.
admin_base   ConsoleAdmin, from which every app's admin pages inherit.
change_forms Forms that change a row: they write what was changed, and refuse what changed meanwhile.
users, application_tokens   Their pages. authn/admin.py imports the modules with pages, which registers them.
forms        The forms of these pages.
audit        The audit's pages. audit_list, audit_filters, audit_search, audit_targets, audit_changes and audit_csv
             are its parts.
dashboard, charts   The panels on the audit.
"""
