"""The connection below a request: uvicorn's HTTP/1.1 protocol, opened up so that an answer can break it.

`LineProtocol` hands each request a `ConnectionLine` in the scope's extensions. The line can reset or close the
connection, and when the client goes away it cancels the task that is answering.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from tests.simulator.wire import Wire

_LINGER_ZERO = struct.pack("ii", 1, 0)


class ConnectionLine:
    """One connection, as the request being answered on it sees it."""

    def __init__(self, protocol: LineProtocol) -> None:
        self._protocol = protocol
        self._gone = asyncio.Event()
        self._watched: tuple[Wire, asyncio.Task[Any]] | None = None

    def watch(self, wire: Wire, task: asyncio.Task[Any]) -> None:
        """From now on, when the client goes away: tell the wire and cancel the task."""
        self._watched = (wire, task)
        if self._gone.is_set():
            self.lost()

    def unwatch(self) -> None:
        """Leave the task alone: it is done."""
        self._watched = None

    def lost(self) -> None:
        """The connection is gone."""
        self._gone.set()
        if self._watched is None:
            return
        wire, task = self._watched
        self._watched = None
        wire.lost()
        if wire.record.outcome == "cancelled":
            task.cancel()

    def resume_reading(self) -> None:
        """Keep reading from the socket: uvicorn pauses after a large body, and a pause hides the client's FIN."""
        self._protocol.flow.resume_reading()

    def reset(self) -> None:
        """Abort the connection with a TCP RST."""
        transport = self._protocol.transport
        peer = transport.get_extra_info("socket")
        if peer is not None:
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_ZERO)
        transport.abort()

    def close(self) -> None:
        """Send what is buffered, then FIN."""
        self._protocol.transport.close()

    async def wait_lost(self) -> None:
        """Return when the connection is gone."""
        await self._gone.wait()


class LineProtocol(HttpToolsProtocol):
    """uvicorn's protocol, with one `ConnectionLine` for the life of the connection."""

    line: ConnectionLine

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in uvicorn
        """Open the line."""
        super().connection_made(transport)
        self.line = ConnectionLine(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the line."""
        super().connection_lost(exc)
        self.line.lost()

    def on_message_begin(self) -> None:
        """Put the line where the application finds it."""
        super().on_message_begin()
        extensions: dict[str, Any] = {"simulator.line": self.line}
        self.scope["extensions"] = extensions

    def _unsupported_upgrade_warning(self) -> None:
        """Say nothing: the application answers a refused upgrade itself."""
