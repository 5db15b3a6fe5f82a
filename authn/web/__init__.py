"""HTTP helpers without models: this package imports nothing of the project.

client_address, same_origin, redirects, prefetch  Where a request comes from, and where it may lead.
request_id                                        The id that a response, its logs and its audit rows share.
strict_json, safe_text, secret_text               Rules for what a request contains.
Open same_origin.py and redirects.py first: they guard every log-in page.
"""
