"""A wire with an ear: forwards a loopback port to another and keeps the bytes of both directions, unread."""

from __future__ import annotations

import socket
import socketserver
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

_PIECE = 1 << 16


@dataclass(frozen=True, slots=True)
class Exchange:
    """One connection: what the client said and what it was told."""

    asked: bytearray = field(default_factory=bytearray)
    answered: bytearray = field(default_factory=bytearray)


class Tee:
    """Use it as a context manager; `url` is where clients go instead of the port itself."""

    def __init__(self, port: int) -> None:
        self._exchanges: list[Exchange] = []
        self._server = _Server(port, self._exchanges)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), name="tee", daemon=True)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def taken(self) -> list[Exchange]:
        """The connections that began since this was last asked."""
        taken = list(self._exchanges)
        del self._exchanges[: len(taken)]
        return taken

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def __init__(self, target: int, exchanges: list[Exchange]) -> None:
        self.target = target
        self.exchanges = exchanges
        super().__init__(("127.0.0.1", 0), _Connection)


class _Connection(socketserver.BaseRequestHandler):
    server: _Server

    def handle(self) -> None:
        exchange = Exchange()
        self.server.exchanges.append(exchange)
        client: socket.socket = self.request
        with socket.create_connection(("127.0.0.1", self.server.target)) as gateway:
            for end in (client, gateway):
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            back = threading.Thread(target=_carry, args=(gateway, client, exchange.answered), daemon=True)
            back.start()
            _carry(client, gateway, exchange.asked)
            back.join()


def _carry(source: socket.socket, sink: socket.socket, kept: bytearray) -> None:
    """Until the source ends; a reset on either side ends it too, and the other side is told."""
    with suppress(OSError):
        while piece := source.recv(_PIECE):
            kept += piece
            sink.sendall(piece)
    with suppress(OSError):
        sink.shutdown(socket.SHUT_WR)
