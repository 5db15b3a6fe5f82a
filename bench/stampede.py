"""Many callers at once on one credential without a usable session: how often is Salesforce asked?

Run it from the project's folder: `.venv/bin/python -m bench.stampede [--callers N] [--json]`. Once
with a token that rotates, and once with an org that hangs.
"""

import argparse
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from bench.harness import ACCESS_TOKEN, Sample, a_desk_with_salesforce, circumstances, register, show_json
from orgs.salesforce.emulator import Emulator, Fault
from tests.support.live_server import Desk

TOKEN = "/services/oauth2/token"
MOST_CALLS = 2
TIMEOUT_SECONDS = 10.0
ORG = "ci@acme.example"


def main() -> None:
    """Let all go at once, twice; print, and end with 1 when Salesforce was asked too often or a token was lost."""
    options = _options()
    report: dict[str, Any] = {"before": circumstances()}
    world = Emulator()
    app = world.add_app("AcmeCI", "s3cret", rotates=True)
    url = world.add_org("ci.my.salesforce.com", username=ORG).auth_url(app)
    with a_desk_with_salesforce(world, processes=options.processes, WEB_THREADS="192") as desk:
        register(desk, url)
        world.token_latency = options.token_latency
        report["rotating"] = _stampede(desk, world, options.callers)
        report["family_alive"] = world.is_alive(url)
        world.inject(Fault.hang(60), path=TOKEN, times=None)
        report["hanging"] = _stampede(desk, world, options.callers)
    report |= {"after": circumstances(), "options": vars(options)}
    report["ok"] = _is_good(report, options.callers)
    show_json(report) if options.json else _show(report)
    sys.exit(0 if report["ok"] else 1)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON document in place of a table")
    parser.add_argument("--callers", type=int, default=120, help="in all (120)")
    parser.add_argument("--processes", type=int, default=2, help="of the desk (2); each takes up to 140 callers")
    parser.add_argument("--token-latency", type=float, default=2.0, help="of the emulated Salesforce (2)")
    return parser.parse_args()


def _stampede(desk: Desk, world: Emulator, callers: int) -> dict[str, Any]:
    """Let all callers go at once; returns the figures."""
    world.reset_calls()
    sample, barrier = Sample(), threading.Barrier(callers)

    def call(number: int) -> None:
        barrier.wait(60)
        path = f"{ACCESS_TOKEN}?username={ORG}"
        sample.add(desk.send("POST", path, bearer=desk.application, port=desk.ports[number % len(desk.ports)]))

    began = time.monotonic()
    with ThreadPoolExecutor(callers) as pool:
        list(pool.map(call, range(callers)))
    took = time.monotonic() - began
    return {"upstream_calls": len(world.calls_to(path=TOKEN)), "total_s": round(took, 2)} | sample.figures()


def _is_good(report: dict[str, Any], callers: int) -> bool:
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
    print(f"The family of the rotating token is {'alive' if report['family_alive'] else 'dead'}.")
    print(f"Before {report['before']}, after {report['after']}.")
    print("Good." if report["ok"] else "Not good.")


if __name__ == "__main__":
    main()
