"""Benchmarks with limits. Each exits with 1 if a limit is exceeded; bench/README.md describes them.

stampede.py         Many callers of one credential: calls to Salesforce. Open this first.
hanging_org.py      One org hangs: latency of requests for other orgs.
hostile_bodies.py   ServiceStack bodies: time in proportion to size. strict_json.py: strict JSON against json.loads.
harness.py          The server with an emulated Salesforce, load threads and percentiles.
"""
