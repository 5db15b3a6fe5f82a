#!/usr/bin/env python3
"""Runs and tests Frontdesk on this machine. Requires Python with pip, and nothing else.

python3 dev.py run     start Frontdesk with demo data and an emulated Salesforce
python3 dev.py test    run the linter, the type checker and all tests
python3 dev.py key     print a bearer token for the running demo
python3 dev.py init    write .env with new keys, for a desk of your own
python3 dev.py lock    update the requirements files
"""

import argparse
import sys

if sys.version_info < (3, 11):  # noqa: UP036 -- reports it to an older Python
    sys.exit("dev.py: Frontdesk needs Python 3.11 or newer.")

from config import env_file
from dev_commands import desk, environment, say, suite


def main() -> None:
    """Run the command of the command line."""
    if sys.argv[1:2] == ["test"]:  # The other arguments are those of pytest.
        suite.test(sys.argv[2:])
        return
    options = _parser().parse_args()
    if options.command == "run":
        desk.run(port=options.port, emulator_port=options.emulator_port, emulator=not options.no_emulator)
    elif options.command == "key":
        say(desk.bearer(options.who))
    elif options.command == "init":
        env_file.init()
    elif options.command == "lock":
        environment.write_locks()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Run and test Frontdesk on this machine.")
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", help="start Frontdesk with demo data and an emulated Salesforce")
    run.add_argument("--port", type=int, default=8000, help="port of the web server (default: 8000)")
    run.add_argument("--emulator-port", type=int, default=8001, help="port of the Salesforce emulator (default: 8001)")
    run.add_argument("--no-emulator", action="store_true", help="start without demo data, for real Salesforce orgs")
    commands.add_parser("test", help="run the linter, the type checker and all tests; with arguments, run pytest only")
    key = commands.add_parser("key", help="print a bearer token for the running demo")
    key.add_argument("who", choices=["owner", "member", "application"])
    commands.add_parser("init", help="write .env with new keys, for a desk of your own")
    commands.add_parser("lock", help="update the requirements files from pyproject.toml")
    return parser


if __name__ == "__main__":
    main()
