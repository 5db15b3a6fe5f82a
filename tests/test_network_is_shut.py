"""No test reaches another machine (pyproject.toml, addopts); loopback and unix sockets stay open."""

import socket

import pytest


@pytest.mark.parametrize("address", ["192.0.2.1", "169.254.169.254", "198.51.100.7"])
@pytest.mark.filterwarnings("ignore:A test tried to use socket")
def test_another_machine_cannot_be_reached(address):
    with pytest.raises(RuntimeError, match=address), socket.socket() as line:
        line.connect((address, 443))


def test_loopback_is_open():
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as line:
        assert line.getpeername() == server.getsockname()


def test_unix_sockets_are_open(tmp_path):
    with socket.socket(socket.AF_UNIX) as server, socket.socket(socket.AF_UNIX) as line:
        server.bind(str(tmp_path / "s"))
        server.listen()
        line.connect(str(tmp_path / "s"))
