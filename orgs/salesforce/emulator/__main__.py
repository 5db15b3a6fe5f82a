"""`python -m orgs.salesforce.emulator --port 8001 --state FILE`: the demo's Salesforce."""

import argparse
import signal
import threading
from pathlib import Path

from orgs.salesforce.emulator import demo_data
from orgs.salesforce.emulator.snapshot import load, save


def main() -> None:
    """Serve the demo's orgs until SIGTERM or Ctrl-C, saving each change to the state file."""
    parser = argparse.ArgumentParser(description="An emulated Salesforce for the demo, on loopback.")
    parser.add_argument("--port", type=int, default=8001)
    parser.add_argument("--state", type=Path, required=True)
    options = parser.parse_args()
    emulator = load(options.state) if options.state.exists() else demo_data.demo()
    save(emulator, options.state)
    emulator.on_change = lambda changed: save(changed, options.state)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    emulator.gateway = f"http://localhost:{options.port}"
    with emulator.serve(port=options.port) as server:
        print(f"The Salesforce emulator is ready at {server.url}", flush=True)
        stop.wait()


if __name__ == "__main__":
    main()
