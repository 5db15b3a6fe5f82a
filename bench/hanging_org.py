"""While one org hangs under 40 callers, how much slower are requests for other orgs, and /readyz?

Run it from the root of the repository: `.venv/bin/python -m bench.hanging_org [--json]`. Quiet and
hanging phases alternate in one run. The limit applies to their ratio.
"""

import argparse
import sys
from typing import Any

from bench.harness import ACCESS_TOKEN, Load, Sample, circumstances, register, serve_with_emulator, show_json
from orgs.salesforce.emulator import Emulator, Fault
from tests.support.live_server import Desk, Reply

HANGING_HOST = "hanging.my.salesforce.com"
HANGING_ORG = "ci@hanging.example"
LIMIT = 2.0
KINDS = ("access-token", "readyz")
PHASES = ("quiet", "hanging")
# Far more often than a load balancer: enough requests for a 99th percentile.
READYZ_WORKERS, READYZ_PAUSE = 2, 0.025

Samples = dict[str, dict[str, Sample]]


def main() -> None:
    """Measure and print. Exits with 1 if a ratio reaches the limit or a response has no fresh token."""
    options = _options()
    emulator = Emulator(token_latency=options.token_latency)
    before = circumstances()
    with serve_with_emulator(emulator, processes=2) as desk:
        _prepare(desk, emulator, options.orgs)
        samples, hitters = _measure(desk, emulator, options)
        report = _report(samples, hitters, options) | {"before": before, "after": circumstances()}
    show_json(report) if options.json else _show(report)
    sys.exit(0 if report["ok"] else 1)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print a JSON document instead of a table")
    parser.add_argument("--orgs", type=int, default=10, help="number of orgs that respond (10)")
    parser.add_argument("--workers", type=int, default=16, help="callers of these orgs (16)")
    parser.add_argument("--hitters", type=int, default=40, help="callers of the hanging org (40)")
    parser.add_argument("--seconds", type=float, default=15, help="duration of each phase (15)")
    parser.add_argument("--rounds", type=int, default=2, help="number of rounds of both phases (2)")
    parser.add_argument(
        "--token-latency",
        type=float,
        default=0.1,
        help="seconds that the emulated Salesforce takes for a refresh (0.1)",
    )
    return parser.parse_args()


def _prepare(desk: Desk, emulator: Emulator, orgs: int) -> None:
    """Register the orgs, and warm up every process for three seconds."""
    register(desk, emulator.add_org(HANGING_HOST, username=HANGING_ORG).auth_url())
    for number in range(orgs):
        register(desk, emulator.add_org(f"well{number}.my.salesforce.com", username=_username(number)).auth_url())
    warm_up = Load()
    _add_callers(warm_up, desk, orgs, 2 * len(desk.ports), {kind: Sample() for kind in KINDS})
    warm_up.run(3)


def _measure(desk: Desk, emulator: Emulator, options: argparse.Namespace) -> tuple[Samples, Sample]:
    samples: Samples = {phase: {kind: Sample() for kind in KINDS} for phase in PHASES}
    hitters = Sample()
    for _ in range(options.rounds):
        load = Load()
        _add_callers(load, desk, options.orgs, options.workers, samples["quiet"])
        load.run(options.seconds)

        end_hanging = emulator.inject(Fault.hang(60), host=HANGING_HOST, times=None)
        load, hitting = Load(), Load()
        hitting.add(options.hitters, lambda number: _request_token(desk, HANGING_ORG, number), hitters)
        _add_callers(load, desk, options.orgs, options.workers, samples["hanging"])
        load.run(options.seconds)
        hitting.run(0)  # Waits until their requests time out, so that the next phase is quiet.
        end_hanging()
    return samples, hitters


def _add_callers(load: Load, desk: Desk, orgs: int, workers: int, samples: dict[str, Sample]) -> None:
    load.add(
        workers, lambda number: _request_token(desk, _username(number * 7 % orgs), number), samples["access-token"]
    )
    load.add(
        READYZ_WORKERS,
        lambda number: desk.send("GET", "/readyz", bearer="", port=_port(desk, number)),
        samples["readyz"],
        pause=READYZ_PAUSE,
    )


def _request_token(desk: Desk, username: str, number: int) -> Reply:
    path = f"{ACCESS_TOKEN}?username={username}"
    return desk.send("POST", path, bearer=desk.application, port=_port(desk, number))


def _port(desk: Desk, number: int) -> int:
    """Return the port of the next process, so that neither an org nor a worker stays with one process."""
    return desk.ports[(number + number // 16) % len(desk.ports)]


def _username(number: int) -> str:
    return f"ci@well{number}.example"


def _report(samples: Samples, hitters: Sample, options: argparse.Namespace) -> dict[str, Any]:
    figures = {phase: {kind: samples[phase][kind].figures() for kind in KINDS} for phase in PHASES}
    ratios = {
        kind: {
            name: round(figures["hanging"][kind][name] / figures["quiet"][kind][name], 2)
            for name in ("p50_ms", "p99_ms")
        }
        for kind in KINDS
    }
    all_samples = [samples[phase][kind] for phase in PHASES for kind in KINDS]
    all_fresh = all(set(sample.statuses) == {200} and not sample.reused for sample in all_samples)
    below = all(ratio["p99_ms"] < LIMIT for ratio in ratios.values())
    return {
        "ok": all_fresh and below,
        **figures,
        "ratios": ratios,
        "callers_of_the_hanging_org": hitters.figures(),
        "options": {name: value for name, value in vars(options).items() if name != "json"},
    }


def _show(report: dict[str, Any]) -> None:
    print(f"{'':14}{'':>6}{'quiet':>12}{'hanging':>12}{'ratio':>8}")
    for kind in KINDS:
        for name in ("p50_ms", "p99_ms"):
            quiet, hanging = (report[phase][kind][name] for phase in PHASES)
            ratio = report["ratios"][kind][name]
            print(f"{kind:14}{name[:3]:>6}{quiet:>9.1f} ms{hanging:>9.1f} ms{ratio:>8.2f}")
        requests = [report[phase][kind]["requests"] for phase in PHASES]
        print(f"{kind:14}{'n':>6}{requests[0]:>12}{requests[1]:>12}")
    print(f"Statuses of the hanging org: {report['callers_of_the_hanging_org']['statuses']}")
    print(f"Before {report['before']}, after {report['after']}.")
    print(
        "ok"
        if report["ok"]
        else f"FAILED: a p99 ratio is {LIMIT} or more, or a response was not a 200 with a fresh token."
    )


if __name__ == "__main__":
    main()
