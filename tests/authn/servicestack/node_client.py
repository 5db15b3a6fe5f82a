"""Runs the published npm client in a child process and drives it line by line."""

import json
import subprocess
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "node"


class NodeClient:
    """A JsonServiceClient or JsonApiClient in Node."""

    def __init__(self, node: str, kind: str, url: str) -> None:
        self.kind = kind
        self._process = subprocess.Popen(
            [node, "client.mjs", kind, url], cwd=FOLDER, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def run(self, command: str, **members: Any) -> Any:
        """Run a command in the client and return its result: a response or an error."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"do": command, "with": members}) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())

    def close(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(20)
        self._process.stdout.close()
