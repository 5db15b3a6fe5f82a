"""The HTML pages for log-in, passwords and continue links. Open views.py first.

views, forms, urls              Log-in, log-out, password change, password by link.
password_links                  One-time links by which a user sets a password.
continuation, continue_view     Links that log a user in and then run an action, such as opening an org.
context, messages               What every template gets, and the messages of the next page.
"""
