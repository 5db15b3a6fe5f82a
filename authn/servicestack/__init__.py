"""The Authenticate service of ServiceStack v5.6, for tools that already speak it (docs/servicestack.md).

Read it from the top: `urls` names the addresses, `views` serves them. A request's answer format is
chosen in `negotiation`, its message is read by `binding` with the codecs of `formats` into the
messages of `dtos`, and one of `operations` does the deed: `authenticating` with `providers`, or
`refreshing`. `callers` tells who asks, `sessions` and `bearers` hold what a log-in leaves behind,
`origins` judges addresses that a request brings along, `metadata` draws the pages about all this.

What is Frontdesk's own and not the protocol's is asked for in `people` (passwords, tries, bearers,
audit), and kept in the rows that `sessions` and `bearers` write, so that the rest could be lifted
out.
"""
