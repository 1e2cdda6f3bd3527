"""One exchange with the upstream: from the first try to the last byte of the answer.

The head of a streamed answer is held until the upstream's status is known (at most `limits.head` seconds) and then
for at most `limits.grace` seconds for its first content, so that refusals keep a real HTTP status. A failure before
the first content may be tried again, even behind a head that was sent; after it, the answer ends with the dialect's
error event, never with a clean close.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing, suppress
from dataclasses import replace

from bridge.copilot.refusals import read_stream_failure
from bridge.copilot.transport import UpstreamReply
from bridge.crossing import FORMATS, Crossing
from bridge.errors import BridgeError, BrokenStream, UpstreamFault
from bridge.events import Failed
from bridge.road import Heading, Road
from bridge.sse import write_comment
from bridge.tally import Tally
from bridge.translation import Storable
from bridge.unstreamed import frames_of
from proxy.attempts import Attempts
from proxy.composing import TextComposer
from proxy.counting import estimate_input, learn_count
from proxy.losses import speakable
from proxy.record import Record
from proxy.runtime import Runtime
from proxy.speech import sentence

logger = logging.getLogger(__name__)

# An upstream that said everything gets this long to close its body, so that the connection can be used again.
FINISH_SECONDS = 0.25
WHOLE_BODY_LIMIT = 64 * 1024 * 1024
BYTES_PER_TOKEN = 4
CALIBRATION_LIMIT = 1024 * 1024
KEEPALIVE = write_comment(b"keep-alive")

# What is to be done with the response object of a request that asked to be stored.
Keep = Callable[[bytes], Awaitable[bool]]


class Exchange:
    def __init__(
        self, runtime: Runtime, composer: TextComposer, heading: Heading, record: Record, keep: Keep | None
    ) -> None:
        self._runtime = runtime
        self._composer = composer
        self._heading = heading
        self._record = record
        self._keep = keep
        self._attempts = Attempts(runtime, composer, record)
        self._answered: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._road: Road | None = None
        self._waiting: Road | None = None
        self._reply: UpstreamReply | None = None
        # What the road has made and nobody has sent yet: its next sign of life would overtake that.
        self._first = b""
        self._is_ending = False
        self._packets: AsyncGenerator[bytes]
        self._opening: asyncio.Task[tuple[Road, bytes]] | None = None

    async def stream(self) -> AsyncGenerator[bytes]:
        """The pieces of the answer, once its head may be sent. Raises what ended it before that."""
        self._opening = opening = asyncio.get_running_loop().create_task(self._open())
        try:
            await self._hold_head(opening)
        except asyncio.CancelledError:
            await self._abandon(opening)
            raise
        if opening.done() and opening.exception() is not None:
            await asyncio.shield(
                self._let_go(cut_off=False)
            )  # it may have begun: packets bring content and failure together
            opening.result()
        return self._pieces(opening)

    async def abandon(self) -> None:
        """The caller went away before the head could be sent: the pieces are never asked for."""
        if self._opening is not None:
            await self._cut_off(self._opening)

    async def whole(self) -> bytes:
        """The whole answer. Raises what it failed with."""
        try:
            road, _ = await self._open()
            while not road.done and (packet := await anext(self._packets, None)) is not None:
                road.feed(packet)
                _check_failure(road)
            body = road.end()
            _check_failure(road)
        except BaseException as ended:
            await asyncio.shield(self._let_go(cut_off=isinstance(ended, asyncio.CancelledError)))
            raise
        await self._succeed(road, body)
        return body

    def keepalive(self) -> bytes:
        """What to send into a silence; it may open the reply, which the next try then must not do again."""
        road = self._road or self._waiting_road()
        if road is None or self._first or self._is_ending:
            return KEEPALIVE
        sign = road.keepalive()
        self._heading = replace(self._heading, started=self._heading.started + sign.count(b"event: "))
        return sign

    def _waiting_road(self) -> Road | None:
        """A road for signs of life alone, while the upstream's status is awaited; None before anything was sent."""
        if self._waiting is None and self._composer.crossing is not None:
            self._waiting = self._composer.crossing.road(self._heading)
        return self._waiting

    async def _hold_head(self, opening: asyncio.Task[tuple[Road, bytes]]) -> None:
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

    async def _open(self) -> tuple[Road, bytes]:
        """Try until content comes; returns what takes it and the first bytes for the caller."""
        while True:
            self._reply = reply = await self._attempts.reply()
            self._answered.set_result(True)
            crossing = self._composer.crossing
            assert crossing is not None  # noqa: S101 - what was answered was composed
            self._packets = self._packets_of(reply, crossing)
            self._road = road = crossing.road(self._heading)
            try:
                return road, await self._first_content(road)
            except BridgeError as error:
                self._record.take_back()
                await self._close()
                self._answered = asyncio.get_running_loop().create_future()
                if road.begun or not await self._attempts.may_retry(error):
                    raise

    async def _first_content(self, road: Road) -> bytes:
        async for packet in self._packets:
            self._first = first = road.feed(packet)
            _check_failure(road)
            if first or road.begun or road.done:
                self._record.first_byte()
                return first
        with suppress(BrokenStream):
            road.end()
        _check_failure(road)  # one that waited for its cause
        raise UpstreamFault("GitHub Copilot gave an empty answer. Try again shortly.")

    @staticmethod
    async def _packets_of(reply: UpstreamReply, crossing: Crossing) -> AsyncGenerator[bytes]:
        kind = reply.headers.get("content-type", "")
        if "html" in kind:
            raise UpstreamFault("GitHub Copilot answered with a web page instead of data. Try again shortly.")
        if "json" in kind:
            yield frames_of(await reply.read(WHOLE_BODY_LIMIT), crossing.upstream)
            return
        async with aclosing(reply.body()) as packets:
            async for packet in packets:
                yield packet

    async def _pieces(self, opening: asyncio.Task[tuple[Road, bytes]]) -> AsyncGenerator[bytes]:
        try:
            road, first = await opening
            self._first = b""
            if first:
                yield first
            while not road.done and (packet := await anext(self._packets, None)) is not None:
                piece = road.feed(packet)
                if piece:
                    yield piece
                _check_failure(road)
            last = road.end()
            _check_failure(road)
            self._is_ending = True
            await self._succeed(road, last)
            yield _told_losses(road) + last
        except BridgeError as error:
            await asyncio.shield(self._fail(error))
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

    async def _cut_off(self, opening: asyncio.Task[tuple[Road, bytes]]) -> BridgeError | None:
        """The caller went away, or its key was revoked: let go of the upstream, settle, say which it was."""
        await self._abandon(opening)
        return await self._record.interrupt()

    async def _abandon(self, opening: asyncio.Task[tuple[Road, bytes]]) -> None:
        opening.cancel()
        await asyncio.wait({opening})
        await self._let_go(cut_off=True)

    async def _fail(self, error: BridgeError) -> None:
        """Shielded by whoever calls: the row is settled even when the caller goes away meanwhile."""
        await self._count()
        await self._record.fail(error)
        await self._close()

    async def _let_go(self, *, cut_off: bool) -> None:
        await self._count(cut_off=cut_off)
        await self._close()

    def _last_words(self, error: BridgeError) -> bytes:
        text = sentence(error, self._record.errand.caller.language)
        road = self._road or self._waiting_road()
        if road is None:  # not even a body was made of it
            return FORMATS[self._heading.asked.dialect].writer(self._heading).fail(error, text)
        return self._first + road.fail(error, text)  # which numbers its event behind those

    async def _succeed(self, road: Road, last: bytes) -> None:
        """Everything that must be durable before the last byte."""
        await self._count()
        if self._keep is not None:
            await self._keep(road.response_object if isinstance(road, Storable) else last)
        await self._record.succeed()
        self._finish()
        asked = self._heading.asked
        if road.counted and asked.size < CALIBRATION_LIMIT and self._runtime.may_calibrate(asked.model):
            self._runtime.spawn(learn_count(self._runtime, asked, road.tally))

    async def _count(self, *, cut_off: bool = False) -> None:
        """Hand the record what the answer used: as the upstream counted, else by an estimate of both its ends.

        An answer of Messages tells at its head what was read, so that only what was written is estimated. A request
        that its caller leaves while the upstream is at work on it was read there, though nothing of it came back.
        """
        road = self._road
        told = Tally()
        if road is not None:
            self._record.tally = told = road.tally
            self._record.stop_reason = road.stop_reason
            self._record.lost = road.dropped
        has_begun = road is not None and road.begun
        if (road is not None and road.counted) or not (has_begun or (cut_off and self._record.is_with_upstream)):
            return
        if not (told.input or told.cached or told.cache_write):
            told = replace(told, input=await estimate_input(self._runtime, self._heading.asked))
        written = road.output_bytes // BYTES_PER_TOKEN if road is not None else 0
        self._record.tally = replace(told, output=max(told.output, written))
        self._record.is_estimated = True

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


def _told_losses(road: Road) -> bytes:
    """What the caller's dialect could not say of the answer, as a comment: its header is long gone."""
    lost = speakable(road.dropped)
    return write_comment(f"x-bridge-dropped {', '.join(lost)}".encode()) if lost else b""


def _check_failure(road: Road) -> None:
    failure: Failed | None = road.failure
    if failure is not None:
        raise read_stream_failure(failure.message, failure.code)


async def _drain(reply: UpstreamReply, packets: AsyncGenerator[bytes]) -> None:
    try:
        async with asyncio.timeout(FINISH_SECONDS):
            async for _ in packets:
                pass
    except (TimeoutError, BridgeError):
        pass  # the answer was whole already
    finally:
        await reply.aclose()
