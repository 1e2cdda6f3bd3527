"""The simulator's fast mouth: GitHub and Copilot as load tests need them, from bytes made beforehand.

It knows no accounts, no scenarios and no faults (`python -m tests.simulator` plays those); it answers one
well-behaved seat as fast as one Python process can, so that a load test measures the gateway and not its
upstream. The origins lie where the simulator has them, `/api/...` and `/copilot/...`; what is answered and how
a request asks for its shape is in `fast_answers.py`. `GET /_fast/stats` counts connections and streams.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import re
import signal
from dataclasses import asdict, dataclass
from typing import cast

import uvloop

from tests.simulator import fast_answers

_STREAMED = re.compile(rb'"stream"\s*:\s*true')
_MODEL = re.compile(rb'"model"\s*:\s*"([^"\\]*)"')
_LENGTH = re.compile(rb"\r\ncontent-length:\s*(\d+)", re.IGNORECASE)
_BEARER = re.compile(rb"\r\nauthorization:\s*bearer \S", re.IGNORECASE)
_HEAD_END = b"\r\n\r\n"


@dataclass(slots=True)
class Stats:
    """What has happened since the start."""

    connections: int = 0
    connections_open: int = 0
    connections_peak: int = 0
    requests: int = 0
    streams: int = 0
    streams_open: int = 0
    streams_peak: int = 0
    streams_cancelled: int = 0
    """Streams whose client went away before their end."""

    def connection_opened(self) -> None:
        self.connections += 1
        self.connections_open += 1
        self.connections_peak = max(self.connections_peak, self.connections_open)

    def stream_opened(self) -> None:
        self.streams += 1
        self.streams_open += 1
        self.streams_peak = max(self.streams_peak, self.streams_open)


class FastUpstream:
    """One listening upstream: its pre-built answers and its counters."""

    def __init__(self) -> None:
        self.stats = Stats()
        self.url = ""
        self._pages: dict[bytes, bytes] = {}
        self._frames: dict[tuple[bool, fast_answers.Shape], fast_answers.Frames] = {}
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.Transport] = set()

    async def start(self, port: int = 0) -> None:
        """Listen on loopback; `url` then says where."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Connection(self, loop), "127.0.0.1", port, backlog=4096)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        self._pages = {
            b"/api/user": fast_answers.json_answer(fast_answers.user()),
            b"/api/copilot_internal/user": fast_answers.json_answer(fast_answers.account(self.url)),
            b"/copilot/models": fast_answers.json_answer(fast_answers.models()),
        }

    def stop(self) -> None:
        """Listen no more and cut what is still open."""
        if self._server is not None:
            self._server.close()
        for transport in self._open:
            transport.abort()

    def opened(self, transport: asyncio.Transport) -> None:
        self._open.add(transport)
        self.stats.connection_opened()

    def closed(self, transport: asyncio.Transport) -> None:
        self._open.discard(transport)
        self.stats.connections_open -= 1

    def page(self, path: bytes) -> bytes:
        """The answer to `GET path`."""
        if path == b"/_fast/stats":
            return fast_answers.json_answer(asdict(self.stats))
        if path == b"/api/copilot_internal/v2/token":
            return fast_answers.json_answer(fast_answers.token(self.url))
        return self._pages.get(path) or fast_answers.plain_refusal("404 Not Found", "404 page not found")

    def frames(self, model: bytes, shape: fast_answers.Shape) -> fast_answers.Frames:
        """The bytes for that model in that shape, made once."""
        key = (b"claude" in model, shape)
        if key not in self._frames:
            self._frames[key] = fast_answers.frames_for(*key)
        return self._frames[key]


class _Connection(asyncio.Protocol):
    """One client: a request at a time, its stream paced by the loop and parked while the client is slow."""

    def __init__(self, upstream: FastUpstream, loop: asyncio.AbstractEventLoop) -> None:
        self._upstream = upstream
        self._stats = upstream.stats
        self._loop = loop
        self._transport: asyncio.Transport | None = None
        self._buffer = b""
        self._stream: fast_answers.Frames | None = None
        self._tag = fast_answers.NO_TAG
        self._sent = 0
        self._start = 0.0
        self._next: asyncio.Handle | None = None
        self._paused = False
        self._parked = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is one in all but its bases
        self._upstream.opened(self._transport)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._transport is not None:
            self._upstream.closed(self._transport)
        self._transport = None
        if self._next is not None:
            self._next.cancel()
        if self._stream is not None:
            self._stream = None
            self._stats.streams_open -= 1
            self._stats.streams_cancelled += 1

    def pause_writing(self) -> None:
        self._paused = True

    def resume_writing(self) -> None:
        self._paused = False
        if self._parked:
            self._parked = False
            self._step()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        self._take_requests()

    def _take_requests(self) -> None:
        """Answer what has arrived in full; what comes behind a running stream waits for its end."""
        while self._stream is None and self._transport is not None:
            end = self._buffer.find(_HEAD_END)
            if end < 0:
                return
            head = self._buffer[:end]
            length = _LENGTH.search(head)
            total = end + len(_HEAD_END) + (int(length[1]) if length else 0)
            if len(self._buffer) < total:
                return
            body = self._buffer[end + len(_HEAD_END) : total]
            self._buffer = self._buffer[total:]
            self._answer(self._transport, head, body)

    def _answer(self, transport: asyncio.Transport, head: bytes, body: bytes) -> None:
        self._stats.requests += 1
        method, target, _ = head.split(b" ", 2)
        path = target.partition(b"?")[0]
        if path.startswith(b"/copilot/") and not _BEARER.search(head):
            transport.write(fast_answers.plain_refusal("401 Unauthorized", "unauthorized: no token"))
        elif method == b"POST" and path == b"/copilot/chat/completions":
            self._complete(transport, body)
        elif method == b"GET":
            transport.write(self._upstream.page(path))
        else:
            transport.write(fast_answers.plain_refusal("404 Not Found", "404 page not found"))

    def _complete(self, transport: asyncio.Transport, body: bytes) -> None:
        model = _MODEL.search(body)
        frames = self._upstream.frames(model[1] if model else b"", fast_answers.Shape.asked_for(body))
        self._tag = fast_answers.tag_asked_for(body)
        if not _STREAMED.search(body):
            transport.write(frames.whole(self._tag))
            return
        self._stats.stream_opened()
        self._stream = frames
        self._sent = 0
        self._start = self._loop.time()
        transport.write(frames.opening)
        self._step()

    def _step(self) -> None:
        """Write the chunk that is due, and the end right behind the last one."""
        stream, transport = self._stream, self._transport
        if stream is None or transport is None:
            return
        if self._paused:
            self._parked = True
            return
        if self._sent < stream.shape.chunks:
            transport.write(stream.chunk(self._tag))
            self._sent += 1
        if self._sent < stream.shape.chunks:
            self._next = self._planned(stream.shape.delay)
            return
        transport.write(stream.closing)
        self._stream = self._next = None
        self._stats.streams_open -= 1
        self._take_requests()

    def _planned(self, delay: int) -> asyncio.Handle:
        """The next step: at its time since the start, so that lateness never adds up, or in the next turn."""
        if delay:
            return self._loop.call_at(self._start + self._sent * delay / 1000, self._step)
        return self._loop.call_soon(self._step)


async def serve(port: int) -> None:
    """Serve until SIGTERM or SIGINT, after saying the address on standard output."""
    upstream = FastUpstream()
    await upstream.start(port)
    print(upstream.url, flush=True)
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    gc.freeze()
    await ended.wait()
    upstream.stop()


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    uvloop.run(serve(parser.parse_args().port))


if __name__ == "__main__":
    main()
