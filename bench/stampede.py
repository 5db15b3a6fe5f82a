"""Many callers request a token for one org at once: how many calls does Salesforce receive?

Run it from the root of the repository: `.venv/bin/python -m bench.stampede [--callers N] [--json]`.
It measures a credential that rotates, then an org that hangs.
"""

import argparse
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from bench.harness import ACCESS_TOKEN, Sample, circumstances, register, serve_with_emulator, show_json
from orgs.salesforce.emulator import Emulator, Fault
from tests.support.live_server import Desk

TOKEN = "/services/oauth2/token"
MOST_CALLS = 2
TIMEOUT_SECONDS = 10.0
ORG = "ci@acme.example"


def main() -> None:
    """Measure both cases and print. Exits with 1 for too many calls to Salesforce or a lost token."""
    options = _options()
    report: dict[str, Any] = {"before": circumstances()}
    emulator = Emulator()
    app = emulator.add_app("AcmeCI", "s3cret", rotates=True)
    url = emulator.add_org("ci.my.salesforce.com", username=ORG).auth_url(app)
    with serve_with_emulator(emulator, processes=options.processes, WEB_THREADS="192") as desk:
        register(desk, url)
        emulator.token_latency = options.token_latency
        report["rotating"] = _stampede(desk, emulator, options.callers)
        report["family_alive"] = emulator.is_alive(url)
        emulator.inject(Fault.hang(60), path=TOKEN, times=None)
        report["hanging"] = _stampede(desk, emulator, options.callers)
    report |= {"after": circumstances(), "options": vars(options)}
    report["ok"] = _is_within_limits(report, options.callers)
    show_json(report) if options.json else _show(report)
    sys.exit(0 if report["ok"] else 1)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print a JSON document instead of a table")
    parser.add_argument("--callers", type=int, default=120, help="number of concurrent callers (120)")
    parser.add_argument("--processes", type=int, default=2, help="web server processes (2), for up to 140 callers each")
    parser.add_argument(
        "--token-latency", type=float, default=2.0, help="seconds that the emulated Salesforce takes for a refresh (2)"
    )
    return parser.parse_args()


def _stampede(desk: Desk, emulator: Emulator, callers: int) -> dict[str, Any]:
    """Send the requests of all callers at once, and return the figures."""
    emulator.reset_calls()
    sample, barrier = Sample(), threading.Barrier(callers)

    def call(number: int) -> None:
        barrier.wait(60)
        path = f"{ACCESS_TOKEN}?username={ORG}"
        sample.add(desk.send("POST", path, bearer=desk.application, port=desk.ports[number % len(desk.ports)]))

    began = time.monotonic()
    with ThreadPoolExecutor(callers) as pool:
        list(pool.map(call, range(callers)))
    took = time.monotonic() - began
    return {"upstream_calls": len(emulator.calls_to(path=TOKEN)), "total_s": round(took, 2)} | sample.figures()


def _is_within_limits(report: dict[str, Any], callers: int) -> bool:
    rotating, hanging = report["rotating"], report["hanging"]
    return (
        rotating["statuses"] == {"200": callers}
        and report["family_alive"]
        and max(rotating["upstream_calls"], hanging["upstream_calls"]) <= MOST_CALLS
        and set(hanging["statuses"]) <= {"503", "504"}
        and hanging["total_s"] < 1.5 * TIMEOUT_SECONDS
    )


def _show(report: dict[str, Any]) -> None:
    print(f"{'':10}{'callers':>8}{'upstream calls':>16}{'total':>10}{'p50':>12}{'p99':>12}  statuses")
    for kind in ("rotating", "hanging"):
        of = report[kind]
        times = f"{of['total_s']:>8.2f} s{of['p50_ms']:>9.0f} ms{of['p99_ms']:>9.0f} ms"
        print(f"{kind:10}{of['requests']:>8}{of['upstream_calls']:>16}{times}  {of['statuses']}")
    print(f"The rotating refresh token is {'valid' if report['family_alive'] else 'lost'}.")
    print(f"Before {report['before']}, after {report['after']}.")
    print("ok" if report["ok"] else "FAILED")


if __name__ == "__main__":
    main()
