#!/usr/bin/env python3
"""Runs and tests Frontdesk on one machine that has Python and pip, and needs nothing else installed.

python3 dev.py run     open a desk with a demo company behind it
python3 dev.py test    run lint, types and every test
python3 dev.py key     print a bearer for the running demo
python3 dev.py lock    rewrite the requirements files
"""

import argparse
import sys

if sys.version_info < (3, 11):  # noqa: UP036 -- the very place that tells an older Python so
    sys.exit("dev.py: Frontdesk needs Python 3.11 or newer.")

from dev_commands import desk, environment, say, suite


def main() -> None:
    """Do what the command line says."""
    if sys.argv[1:2] == ["test"]:  # Whatever follows is pytest's to understand.
        suite.test(sys.argv[2:])
        return
    options = _parser().parse_args()
    if options.command == "run":
        desk.run(port=options.port, emulator_port=options.emulator_port, emulator=not options.no_emulator)
    elif options.command == "key":
        say(desk.bearer(options.who))
    elif options.command == "lock":
        environment.write_locks()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Run and test Frontdesk on this machine.")
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", help="open a desk with a demo company behind it")
    run.add_argument("--port", type=int, default=8000, help="of the desk (8000)")
    run.add_argument("--emulator-port", type=int, default=8001, help="of the Salesforce emulator (8001)")
    run.add_argument("--no-emulator", action="store_true", help="leave the demo out; Salesforce is the real one")
    commands.add_parser("test", help="run lint, types and every test; arguments go to pytest alone")
    key = commands.add_parser("key", help="print a bearer for the running demo, alone on standard output")
    key.add_argument("who", choices=["owner", "member", "application"])
    commands.add_parser("lock", help="rewrite the requirements files from pyproject.toml")
    return parser


if __name__ == "__main__":
    main()
