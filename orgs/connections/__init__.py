"""Whether stored credentials work.

check     one org: refresh, read the org's facts, record the result
report    many orgs side by side, for the command and the console; open it second
"""
