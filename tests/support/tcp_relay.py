"""A TCP relay to a server that can be shut or silenced.

A shut relay closes every connection and accepts none. A silent relay keeps connections open and reads every byte, but
forwards none, as a machine does whose kernel runs and whose server does not.
"""

import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass


@dataclass(eq=False, slots=True)
class Line:
    """A client connection and its server connection, which is None if it was opened during a silence."""

    caller: socket.socket
    server: socket.socket | None
    silent: bool = False

    def ends(self) -> list[socket.socket]:
        return [end for end in (self.caller, self.server) if end is not None]


class Relay:
    """Passes connections on to a server on loopback while it is open. `port` is its own."""

    def __init__(self, host: str, port: int) -> None:
        self._target = (host, port)
        self._open = True
        self._silent = False
        self._lines: set[Line] = set()
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.port: int = self._listener.getsockname()[1]
        self._threads: list[threading.Thread] = []
        self._run(self._accept)

    def shut(self) -> None:
        """Close every connection and accept no new one."""
        with self._lock:
            self._open = False
            for line in self._lines:
                _hang_up(line)

    def open(self) -> None:
        """Accept connections again."""
        with self._lock:
            self._open = True

    def silence(self) -> None:
        """Forward nothing on open connections, and on new ones until `speak`."""
        with self._lock:
            self._silent = True
            for line in self._lines:
                line.silent = True

    def speak(self) -> None:
        """Serve new connections again. Silent connections stay silent."""
        with self._lock:
            self._silent = False

    def close(self) -> None:
        self.shut()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(5)

    def _run(self, work: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=work, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                caller, _ = self._listener.accept()
            except OSError:
                return
            with self._lock:
                if not self._open:
                    caller.close()
                    continue
                server = None if self._silent else socket.create_connection(self._target)
                line = Line(caller, server, self._silent)
                self._lines.add(line)
            for source, sink in ((caller, server), (server, caller)):
                if source is not None:
                    self._run(self._pass_on, line, source, sink)

    def _pass_on(self, line: Line, source: socket.socket, sink: socket.socket | None) -> None:
        with suppress(OSError):
            while data := source.recv(65_536):
                if sink is not None and not line.silent:
                    sink.sendall(data)
        _hang_up(line)
        with self._lock:
            self._lines.discard(line)
        source.close()


def _hang_up(line: Line) -> None:
    for end in line.ends():
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
