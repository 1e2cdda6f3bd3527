"""The two ends of one exchange with the simulator: the request as it came, and the way back to the client.

`Wire` is the only thing that writes to a connection. It adds the headers the real service puts on every answer, sends
refusals the way the real service does (plain text, sorted JSON, a newline at the end), and can do what a well-behaved
server never does: cut the bytes of an answer anywhere, hang up in the middle of a chunk, or reset the connection.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Protocol

import msgspec

TYPE_JSON = "application/json; charset=utf-8"
TYPE_TEXT = "text/plain; charset=utf-8"
TYPE_STREAM = "text/event-stream"

Body = bytes | str | dict[str, Any] | list[Any]
Message = MutableMapping[str, Any]
Send = Callable[[Message], Awaitable[None]]
Receive = Callable[[], Awaitable[Message]]
NO_HEADERS: Mapping[str, str] = MappingProxyType({})


def encode(value: Any) -> bytes:
    """Return compact JSON with its keys in alphabetical order, as the real service writes it."""
    return msgspec.json.encode(value, order="sorted")


class Refusal(Exception):
    """An answer that ends the handling of a request; the application sends it. Raise it anywhere before `start`."""

    def __init__(
        self,
        status: int,
        body: bytes,
        headers: Mapping[str, str] = NO_HEADERS,
        content_type: str = TYPE_TEXT,
    ) -> None:
        super().__init__(f"{status} {body[:200]!r}")
        self.status = status
        self.body = body
        self.headers = dict(headers)
        self.content_type = content_type


@dataclass(frozen=True, slots=True)
class Request:
    """One received HTTP request. Header names are in lower case; the path is the part below the origin's prefix."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes
    origin: str  # "github" | "api" | "copilot" | "_sim"
    tier: str  # "" | "individual" | "business" | "enterprise" | "ghe:TENANT"
    number: int
    world: int = 0
    """Which life of the world it belongs to: one that is still answered after a reset belongs to the old one."""
    _decoded: list[Any] = field(default_factory=list, repr=False, compare=False)

    def json(self) -> Any:
        """Return the decoded body (decoded once). Raises Refusal(400) when it is not JSON."""
        if not self._decoded:
            try:
                self._decoded.append(msgspec.json.decode(self.body))
            except msgspec.DecodeError as error:
                raise Refusal(400, b"Bad Request\n") from error
        return self._decoded[0]


@dataclass(slots=True)
class Received:
    """What is remembered of one request and of what became of it."""

    request: Request
    at: float
    account: str | None = None
    model: str | None = None
    status: int | None = None
    outcome: str = "open"  # open | completed | cancelled (by the client) | reset | hung_up
    ended_at: float | None = None
    sent: int = 0  # bytes of body handed to the connection


class Line(Protocol):
    """The connection below a `Wire`; the server's protocol class provides it."""

    def reset(self) -> None:
        """Abort the connection with a TCP RST."""

    def close(self) -> None:
        """Send what is buffered, then FIN."""

    async def wait_lost(self) -> None:
        """Return when the connection is gone."""


class Wire:
    """The way back to the client of one request.

    `head` is put on every answer, `good_head` on answers with a status below 300 and `bad_head` on the others; the
    application sets them (request ids, quota headers, security headers). `shape` asks for hostile packet borders.
    """

    def __init__(self, send: Send, line: Line, record: Received, now: Callable[[], float]) -> None:
        self._send = send
        self._line = line
        self._now = now
        self._cut = 0
        self._crlf = False
        self.record = record
        self.head: dict[str, str] = {}
        self.good_head: dict[str, str] = {}
        self.bad_head: dict[str, str] = {}
        self.started = False
        self.broken = False

    def shape(self, *, cut: int = 0, crlf: bool = False) -> None:
        """Cut every later packet into pieces of `cut` bytes (0 = whole); write line ends as CR LF when `crlf`."""
        self._cut = cut
        self._crlf = crlf

    async def respond(
        self,
        status: int,
        body: Body,
        *,
        headers: Mapping[str, str] = NO_HEADERS,
        content_type: str | None = None,
    ) -> None:
        """Send a whole answer. A dict or list becomes sorted JSON; a JSON refusal goes out as text with a newline."""
        payload, kind = _payload(status, body)
        length = {"content-length": str(len(payload))}
        await self._head(status, content_type or kind, {**headers, **length})
        await self._pieces(payload, last=True)
        if not self.broken:
            self._end("completed")

    async def refuse(self, refusal: Refusal) -> None:
        """Send a refusal as it was built."""
        await self.respond(refusal.status, refusal.body, headers=refusal.headers, content_type=refusal.content_type)

    async def start(
        self, status: int = 200, *, headers: Mapping[str, str] = NO_HEADERS, content_type: str = TYPE_STREAM
    ) -> None:
        """Send the head of a streamed answer."""
        await self._head(status, content_type, headers)

    async def send(self, packet: bytes) -> None:
        """Send some bytes of a streamed answer: one write, or many when `shape` asked for cuts."""
        if self._crlf:
            packet = packet.replace(b"\n", b"\r\n")
        await self._pieces(packet, last=False)

    async def finish(self) -> None:
        """End a streamed answer properly."""
        if not self.broken:
            await self._send({"type": "http.response.body", "body": b"", "more_body": False})
            self._end("completed")

    def reset(self) -> None:
        """Break the connection with a TCP RST, now; before or after the head. Return from the handler afterwards."""
        self._break("reset")
        self._line.reset()

    def hang_up(self) -> None:
        """Close the connection without the end of the body (FIN). Return from the handler afterwards."""
        self._break("hung_up")
        self._line.close()

    async def wait_lost(self) -> None:
        """Return when the client or `reset`/`hang_up` has ended the connection."""
        await self._line.wait_lost()

    def lost(self) -> None:
        """Note that the client went away before the answer was complete."""
        if self.record.outcome == "open":
            self._break("cancelled")

    def _break(self, outcome: str) -> None:
        self.broken = True
        self._end(outcome)

    def _end(self, outcome: str) -> None:
        self.record.outcome = outcome
        self.record.ended_at = self._now()

    async def _head(self, status: int, content_type: str, headers: Mapping[str, str]) -> None:
        if self.broken:
            return
        self.started = True
        self.record.status = status
        extra = self.good_head if status < 300 else self.bad_head
        fields = {"content-type": content_type, **self.head, **extra, **headers}
        await self._send(
            {
                "type": "http.response.start",
                "status": status,
                "headers": [(name.encode("latin-1"), value.encode("latin-1")) for name, value in fields.items()],
            }
        )

    async def _pieces(self, data: bytes, *, last: bool) -> None:
        self.record.sent += len(data)
        size = self._cut or len(data) or 1
        edge = max(0, len(data) - 1) // size * size
        for start in range(0, edge, size):
            await self._piece(data[start : start + size], more=True)
            await asyncio.sleep(0)
        await self._piece(data[edge:], more=not last)

    async def _piece(self, piece: bytes, *, more: bool) -> None:
        if not self.broken:
            await self._send({"type": "http.response.body", "body": piece, "more_body": more})


def _payload(status: int, body: Body) -> tuple[bytes, str]:
    if isinstance(body, bytes):
        return body, TYPE_TEXT
    if isinstance(body, str):
        return body.encode(), TYPE_TEXT
    if status >= 400:
        return encode(body) + b"\n", TYPE_TEXT
    return encode(body), TYPE_JSON
