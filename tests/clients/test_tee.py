"""The wire with an ear: bytes pass as they are, and are kept."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import pytest

from tests.clients.tee import Tee


@pytest.fixture
def shouting() -> Iterator[int]:
    """The port of a server that answers each connection with what it got, in capitals, once that has ended."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=_shout, args=(server,))
        thread.start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)
        thread.join()


def _shout(server: socket.socket) -> None:
    while True:
        try:
            connection, _ = server.accept()
        except OSError:
            return
        with connection:
            said = b""
            while piece := connection.recv(4096):
                said += piece
            connection.sendall(said.upper())


def _asked(tee: Tee, words: bytes) -> bytes:
    port = int(tee.url.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port)) as client:
        client.sendall(words)
        client.shutdown(socket.SHUT_WR)
        answer = b""
        while piece := client.recv(4096):
            answer += piece
    return answer


def test_both_directions_pass_and_are_kept(shouting: int) -> None:
    with Tee(shouting) as tee:
        assert _asked(tee, b"hello") == b"HELLO"
        (exchange,) = tee.taken()
    assert (bytes(exchange.asked), bytes(exchange.answered)) == (b"hello", b"HELLO")


def test_what_was_taken_is_not_taken_again(shouting: int) -> None:
    with Tee(shouting) as tee:
        _asked(tee, b"one")
        tee.taken()
        _asked(tee, b"two")
        assert [bytes(exchange.asked) for exchange in tee.taken()] == [b"two"]
