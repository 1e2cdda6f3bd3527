"""The load generator: one process, raw connections, every answer checked.

`python -m tests.bench.load` reads a `Job` as JSON from standard input and writes what it `Measured` to standard
output. It speaks to loopback only and ends by itself: at the job's last second, at its last question, or when its
patience with unfinished answers is over.

Each question carries a tag of its own, and the upstream writes tag and time into every chunk of the answer
(`tests/simulator/fast_answers.py`). So an answer is right only if it is complete, in order, ended properly, no
older than its question, and the answer to this question and no other.
"""

from __future__ import annotations

import asyncio
import gc
import re
import sys
import time
from collections import Counter
from functools import partial
from itertools import count
from typing import cast

import httptools
import msgspec
import uvloop

from tests.bench.jobs import Job, Measured, Spread

_STAMP = re.compile(rb"@T(\d{18})@#(\d{8})#")
_CARRY = 64
"""Bytes kept from one packet to the next; more than a stamp or the end mark is long."""
_DONE = b"data: [DONE]"
_RETRY_SECONDS = 0.05


async def run(job: Job) -> Measured:
    """Do the job and say what was seen."""
    loop = asyncio.get_running_loop()
    tally = _Tally(job)
    asking = [asyncio.create_task(_keep_asking(tally, index)) for index in range(job.connections)]
    _, late = await asyncio.wait(asking, timeout=tally.last_call - loop.time() + job.patience)
    for task in late:
        task.cancel()
    await asyncio.gather(*late, return_exceptions=True)
    return tally.measured()


class _Tally:
    """What the connections of one job share: the questions left to ask and everything seen."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self._loop = asyncio.get_running_loop()
        self._cpu = time.process_time()
        self.start = self._loop.time()
        self.last_call = self.start + job.seconds
        self._end = self.start
        self._left = job.limit
        self._tags = count(1)
        self._before, self._after = _question(job)
        self.open = self._peak = self._served = 0
        self._wrong: Counter[str] = Counter()
        self._firsts: list[int] = []
        self._wholes: list[int] = []
        self.delays: list[int] = []

    def may_ask(self) -> bool:
        return self._left > 0 and self._loop.time() < self.last_call

    def question(self) -> tuple[bytes, bytes]:
        """The next question and its tag."""
        self._left -= 1
        self.open += 1
        self._peak = max(self._peak, self.open)
        tag = b"%08d" % next(self._tags)
        return self._before + tag + self._after, tag

    def right(self, first: int, whole: int) -> None:
        self._settle()
        self._served += 1
        self._firsts.append(first)
        self._wholes.append(whole)

    def wrong(self, what: str) -> None:
        self._settle()
        self._wrong[what] += 1

    def not_connected(self) -> None:
        self._wrong["no connection"] += 1

    def measured(self) -> Measured:
        if not self._served and not self._wrong:
            self._wrong["nothing was answered"] = 1
        return Measured(
            served=self._served,
            chunks=len(self.delays),
            seconds=self._end - self.start,
            wrong=dict(self._wrong),
            first=Spread.of(self._firsts),
            delay=Spread.of(self.delays),
            whole=Spread.of(self._wholes),
            peak=self._peak,
            cpu=time.process_time() - self._cpu,
        )

    def _settle(self) -> None:
        self.open -= 1
        self._end = self._loop.time()


class _Client(asyncio.Protocol):
    """One connection. httptools calls the `on_` methods from within `data_received`."""

    def __init__(self, tally: _Tally) -> None:
        self.closed = asyncio.get_running_loop().create_future()
        self._tally = tally
        self._streamed = tally.job.streamed
        self._transport: asyncio.Transport | None = None
        self._parser = httptools.HttpResponseParser(self)
        self._busy = False
        self._arrived = self._asked = self._first = self._latest = self._chunks = 0
        self._tag = self._carry = b""
        self._done = False
        self._fault = ""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is one in all but its bases
        self._ask(self._transport)

    def data_received(self, data: bytes) -> None:
        self._arrived = time.monotonic_ns()
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            self._give_up("not HTTP")

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._give_up("connection lost")
        if not self.closed.done():
            self.closed.set_result(None)

    def give_up_waiting(self) -> None:
        self._give_up("unfinished")

    def on_body(self, piece: bytes) -> None:
        text = self._carry + piece
        end = 0
        for stamp in _STAMP.finditer(text):
            self._take(int(stamp[1]), stamp[2])
            end = stamp.end()
        if self._streamed and _DONE in text:
            self._done = True
        self._carry = text[max(end, len(text) - _CARRY) :]

    def on_message_complete(self) -> None:
        if not self._busy:  # an answer nobody asked for
            return
        self._busy = False
        what = self._what_is_wrong()
        if what:
            self._tally.wrong(what)
        else:
            self._tally.right(self._first - self._asked, self._arrived - self._asked)
        assert self._transport is not None
        if self._parser.should_keep_alive():
            self._ask(self._transport)
        else:
            self._transport.close()

    def _ask(self, transport: asyncio.Transport) -> None:
        if not self._tally.may_ask():
            transport.close()
            return
        question, self._tag = self._tally.question()
        self._busy = True
        self._chunks = self._first = self._latest = 0
        self._carry = b""
        self._done = False
        self._fault = ""
        self._asked = time.monotonic_ns()
        transport.write(question)

    def _take(self, stamp: int, tag: bytes) -> None:
        """Note one chunk of the answer."""
        if tag != self._tag:
            self._fault = "another's answer"
        elif stamp < self._asked:
            self._fault = "older than its question"
        elif stamp < self._latest:
            self._fault = "out of order"
        if self._chunks == 0:
            self._first = self._arrived
        self._latest = stamp
        self._chunks += 1
        self._tally.delays.append(self._arrived - stamp)

    def _what_is_wrong(self) -> str:
        status, chunks = self._parser.get_status_code(), self._tally.job.shape.chunks
        if status != 200:
            return f"status {status}"
        if self._fault:
            return self._fault
        if self._chunks != chunks:
            return "chunks missing" if self._chunks < chunks else "too many chunks"
        return "no [DONE]" if self._streamed and not self._done else ""

    def _give_up(self, what: str) -> None:
        if self._busy:
            self._busy = False
            self._tally.wrong(what)
        if self._transport is not None:
            self._transport.abort()


async def _keep_asking(tally: _Tally, index: int) -> None:
    """One connection after the other until nothing may be asked any more."""
    loop = asyncio.get_running_loop()
    await asyncio.sleep(tally.start + tally.job.ramp * index / tally.job.connections - loop.time())
    while tally.may_ask():
        try:
            _, client = await loop.create_connection(partial(_Client, tally), "127.0.0.1", tally.job.port)
        except OSError:
            tally.not_connected()
            await asyncio.sleep(_RETRY_SECONDS)
            continue
        try:
            await client.closed
        except asyncio.CancelledError:
            client.give_up_waiting()
            raise


def _question(job: Job) -> tuple[bytes, bytes]:
    """The bytes of a question before and behind its tag."""
    mark = "<tag>"
    system = "You are a helpful assistant. " * 10
    words = f"{job.shape} @@tag={mark}@@ Write a story. " + "word " * 60
    messages = [{"role": "system", "content": system}, {"role": "user", "content": words}]
    body = msgspec.json.encode({"model": job.model, "stream": job.streamed, "messages": messages})
    head = (
        f"POST {job.path} HTTP/1.1\r\nHost: 127.0.0.1:{job.port}\r\nAuthorization: Bearer {job.key}\r\n"
        f"Content-Type: application/json\r\nAccept: */*\r\nUser-Agent: bench\r\n"
        f"Content-Length: {len(body) - len(mark) + 8}\r\n\r\n"
    )
    before, after = (head.encode() + body).split(mark.encode())
    return before, after


def main() -> None:
    job = msgspec.json.decode(sys.stdin.buffer.read(), type=Job)
    gc.disable()  # a collection in the middle would be measured as the gateway's
    sys.stdout.buffer.write(msgspec.json.encode(uvloop.run(run(job))))


if __name__ == "__main__":
    main()
