"""One exchange with the upstream: from the first try to the last byte of the answer.

The head of a streamed answer is held until the upstream's status is known (at most `limits.head` seconds) and then
for at most `limits.grace` seconds for its first content, so that refusals keep a real HTTP status. A failure before
the first content may be tried again, even behind a head that was sent; after it, the answer ends with the dialect's
error event, never with a clean close.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import TypeVar

from bridge.copilot.refusals import read_stream_failure
from bridge.copilot.transport import UpstreamReply
from bridge.errors import BridgeError, UpstreamFault
from bridge.formats.chat import ChatRequest, ChunkReader, Gatherer, StreamTap, frames_of_body, write_error_frame
from bridge.tally import Tally
from proxy.attempts import Attempts
from proxy.plan import Plan
from proxy.record import Record
from proxy.runtime import Runtime
from proxy.speech import sentence

logger = logging.getLogger(__name__)

# An upstream that said everything gets this long to close its body, so that the connection can be used again.
FINISH_SECONDS = 0.25
WHOLE_BODY_LIMIT = 64 * 1024 * 1024
BYTES_PER_TOKEN = 4

# What the upstream's packets go into.
Sink = TypeVar("Sink", StreamTap, Gatherer)


class Exchange:
    def __init__(self, runtime: Runtime, plan: Plan, request: ChatRequest, record: Record) -> None:
        self._runtime = runtime
        self._request = request
        self._record = record
        self._attempts = Attempts(runtime, plan, request, record)
        self._answered: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._reader: ChunkReader | None = None
        self._reply: UpstreamReply | None = None
        self._packets: AsyncGenerator[bytes]

    async def stream(self) -> AsyncGenerator[bytes]:
        """The pieces of the answer, once its head may be sent. Raises what ended it before that."""

        def tap(reader: ChunkReader) -> StreamTap:
            return StreamTap(reader, include_usage=self._request.include_usage)

        opening = asyncio.get_running_loop().create_task(self._open(tap))
        try:
            await self._hold_head(opening)
        except asyncio.CancelledError:
            await self._abandon(opening)
            raise
        if opening.done():
            opening.result()
        return self._pieces(opening)

    async def whole(self) -> bytes:
        """The whole answer. Raises what it failed with."""
        try:
            gatherer, _ = await self._open(Gatherer)
            while not gatherer.done and (packet := await anext(self._packets, None)) is not None:
                gatherer.feed(packet)
                self._check_failure()
            body = gatherer.result()
        except BaseException:
            self._count(broke_off=True)
            await asyncio.shield(self._close())
            raise
        self._count()
        await self._record.succeed()
        self._finish()
        return body

    async def _hold_head(self, opening: asyncio.Task[tuple[StreamTap, bytes]]) -> None:
        """Wait for the first content, or for good reason to send the head without it.

        A reply that failed is no reason: the status of the next try is unknown again.
        """
        limits, loop = self._runtime.limits, asyncio.get_running_loop()
        deadline = loop.time() + limits.head
        while not opening.done() and (left := deadline - loop.time()) > 0:
            answered = self._answered
            waiting: set[asyncio.Future[object]] = {opening, answered}  # type: ignore[arg-type]  # waited for, not read
            await asyncio.wait(waiting, timeout=left, return_when=asyncio.FIRST_COMPLETED)
            if not opening.done() and answered.done():
                await asyncio.wait({opening}, timeout=limits.grace)
                if self._answered is answered:
                    return

    async def _open(self, make_sink: Callable[[ChunkReader], Sink]) -> tuple[Sink, bytes]:
        """Try until content comes; returns what takes it and the first bytes for the caller."""
        while True:
            self._reply = reply = await self._attempts.reply()
            self._answered.set_result(True)
            answer_id = f"chatcmpl-{self._record.errand.id.hex}"
            self._reader = reader = ChunkReader(self._request.model, int(time.time()), answer_id)
            self._packets = _packets_of(reply)
            sink = make_sink(reader)
            try:
                return sink, await self._first_content(sink, reader)
            except BridgeError as error:
                await self._close()
                self._answered = asyncio.get_running_loop().create_future()
                if reader.role_sent or not await self._attempts.may_retry(error):
                    raise

    async def _first_content(self, sink: StreamTap | Gatherer, reader: ChunkReader) -> bytes:
        async for packet in self._packets:
            first = sink.feed(packet)
            self._check_failure()
            if first or reader.role_sent or sink.done:
                self._record.first_byte()
                return first
        raise UpstreamFault("GitHub Copilot gave an empty answer. Try again shortly.")

    async def _pieces(self, opening: asyncio.Task[tuple[StreamTap, bytes]]) -> AsyncGenerator[bytes]:
        try:
            tap, first = await opening
            if first:
                yield first
            while not tap.done and (packet := await anext(self._packets, None)) is not None:
                piece = tap.feed(packet)
                if piece:
                    yield piece
                self._check_failure()
            last = tap.end()
            self._count()
            await self._record.succeed()
            self._finish()
            yield last
        except BridgeError as error:
            self._count(broke_off=True)
            await self._record.fail(error)
            await self._close()
            yield self._last_words(error)
        except (asyncio.CancelledError, GeneratorExit) as ended:
            revoked = await asyncio.shield(self._cut_off(opening))
            if revoked is None or isinstance(ended, GeneratorExit):
                raise
            yield self._last_words(revoked)
        except Exception:  # behind a sent head this is the door: nobody above can answer any more
            logger.exception("The stream of request %s failed unforeseen", self._record.errand.id)
            await self._abandon(opening)
            yield self._last_words(await self._record.break_down())

    async def _cut_off(self, opening: asyncio.Task[tuple[StreamTap, bytes]]) -> BridgeError | None:
        """The caller went away, or its key was revoked: let go of the upstream, settle, say which it was."""
        await self._abandon(opening)
        return await self._record.interrupt()

    async def _abandon(self, opening: asyncio.Task[tuple[StreamTap, bytes]]) -> None:
        opening.cancel()
        await asyncio.wait({opening})
        self._count(broke_off=True)
        await self._close()

    def _last_words(self, error: BridgeError) -> bytes:
        return write_error_frame(error, sentence(error, self._record.errand.caller.language))

    def _check_failure(self) -> None:
        failure = self._reader.failure if self._reader is not None else None
        if failure is not None:
            raise read_stream_failure(failure.message, failure.code)

    def _count(self, *, broke_off: bool = False) -> None:
        """Hand the record what the answer used, as far as it came; guessed from sizes when it broke off uncounted."""
        reader = self._reader
        if reader is None:
            return
        tally = reader.tally
        if broke_off and reader.usage is None and reader.copilot_usage is None and reader.role_sent:
            sent = sum(len(raw) for raw in self._request.fields.values())
            tally = Tally(input=sent // BYTES_PER_TOKEN, output=reader.output_bytes // BYTES_PER_TOKEN)
        self._record.tally = tally
        self._record.stop_reason = reader.finish_reason or ""

    def _finish(self) -> None:
        """The answer is whole: let the upstream close its body beside, so that the connection can be used again."""
        reply, self._reply = self._reply, None
        if reply is not None:
            self._runtime.spawn(_drain(reply, self._packets))

    async def _close(self) -> None:
        """Let go of the upstream; an answer that has not ended is cancelled there."""
        reply, self._reply = self._reply, None
        if reply is not None:
            await reply.aclose()


async def _packets_of(reply: UpstreamReply) -> AsyncGenerator[bytes]:
    kind = reply.headers.get("content-type", "")
    if "html" in kind:
        raise UpstreamFault("GitHub Copilot answered with a web page instead of data. Try again shortly.")
    if "json" in kind:
        yield frames_of_body(await reply.read(WHOLE_BODY_LIMIT))
        return
    async with aclosing(reply.body()) as packets:
        async for packet in packets:
            yield packet


async def _drain(reply: UpstreamReply, packets: AsyncGenerator[bytes]) -> None:
    try:
        async with asyncio.timeout(FINISH_SECONDS):
            async for _ in packets:
                pass
    except (TimeoutError, BridgeError):
        pass  # the answer was whole already
    finally:
        await reply.aclose()
