"""Connection tests of stored credentials.

check     one org: refresh, read the org's details, record the result
report    many orgs concurrently, for the command and the console; open it second
"""
