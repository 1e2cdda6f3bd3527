"""A small HTTP server on loopback that answers as it is told, connection by connection."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field


@dataclass(slots=True)
class Request:
    """One request as the server got it."""

    head: bytes
    body: bytes
    connection: int


@dataclass(slots=True)
class Server:
    """Answers each request by `answer`, which returns whether the connection stays open."""

    answer: Callable[[int, asyncio.StreamWriter], Awaitable[bool]]
    requests: list[Request] = field(default_factory=list)
    gone: asyncio.Event = field(default_factory=asyncio.Event)
    connections: int = 0
    url: str = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        connection = self.connections
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = next(
                    int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")
                )
                self.requests.append(Request(head, await reader.readexactly(length), connection))
                keep = await self.answer(len(self.requests), writer)
                await writer.drain()
                if not keep:
                    break
        self.gone.set()
        writer.close()


@contextlib.asynccontextmanager
async def serving(answer: Callable[[int, asyncio.StreamWriter], Awaitable[bool]]) -> AsyncIterator[Server]:
    server = Server(answer)
    listener = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    server.url = f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}/chat/completions"
    async with listener:
        yield server
