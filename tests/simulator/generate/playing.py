"""Playing an answer: its frames onto the wire, at the scenario's pace and with the scenario's faults.

A format yields `Step`s lazily; a step is made right before it is sent, so that time stamps inside are true. Content
steps are paced and counted; a fault strikes before the content step whose number (from 0) is `after`, or before the
first closing step when there are fewer.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.simulator.scenario import Fault, Scenario

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.simulator.wire import Wire

_LET_IT_ARRIVE = 0.05
"""Seconds between the last bytes and a reset, which would otherwise overtake them."""
_ENDS = (Fault.CUT, Fault.CLEAN_EOF, Fault.HANG_UP, Fault.ERROR_EVENT, Fault.FAILED)
_MID_STREAM = (*_ENDS, Fault.STALL)


@dataclass(frozen=True, slots=True)
class Step:
    """One packet. `said` and `thought` are the text and the reasoning it carries; `closing` steps end the answer."""

    frame: bytes
    content: bool = False
    said: str = ""
    thought: str = ""
    closing: bool = False


@dataclass(slots=True)
class Played:
    """How far it went: bytes of text and reasoning that left, content steps, whether all was sent, and was billed."""

    said: int = 0
    thought: int = 0
    chunks: int = 0
    complete: bool = False
    billed: bool = False

    def count(self, step: Step) -> None:
        """Note a step that has left."""
        self.chunks += step.content
        self.said += len(step.said.encode())
        self.thought += len(step.thought.encode())

    @property
    def output_tokens(self) -> int:
        return -(-self.said // 4) + self.reasoning_tokens

    @property
    def reasoning_tokens(self) -> int:
        return -(-self.thought // 4)


@dataclass(frozen=True, slots=True)
class Ending:
    """The format's error event, what it sends to keep a connection alive, and what to call when all is said.

    `give_up` is called before the client can see that the answer breaks off.
    """

    error: Callable[[], bytes]
    comment: Callable[[], bytes]
    settle: Callable[[], None]
    give_up: Callable[[], None]


@dataclass(frozen=True, slots=True)
class Pace:
    """Milliseconds before the first content step and between content steps."""

    ttft_ms: float
    delay_ms: float


async def open_stream(wire: Wire, scenario: Scenario, content_type: str) -> bool:
    """Send the head as the scenario wants it; False when there is nothing more to send."""
    if scenario.fault is Fault.SLOW_HEADERS:
        await asyncio.sleep(scenario.seconds)
    if scenario.fault is Fault.RESET_BEFORE_HEADERS:
        wire.reset()
        return False
    if scenario.fault is Fault.RESET_AFTER_HEADERS:
        await wire.start(content_type=content_type)
        await asyncio.sleep(_LET_IT_ARRIVE)
        wire.reset()
        return False
    return True


async def play(
    wire: Wire, steps: Iterator[Step], scenario: Scenario, pace: Pace, ending: Ending, played: Played
) -> None:
    """Send the steps and keep `played` up to date, also when the client leaves in the middle."""
    await asyncio.sleep(pace.ttft_ms / 1000)
    start = time.monotonic()
    pending = scenario.fault in _MID_STREAM
    for step in steps:
        if pending and ((step.content and played.chunks >= scenario.after) or step.closing):
            pending = False
            if await _strike(wire, scenario, ending):
                return
        if step.closing and not played.complete:
            played.complete = True
            ending.settle()
        await _send(wire, step.frame, scenario)
        if wire.broken:
            return
        played.count(step)
        if step.content:
            if scenario.keepalive:
                await wire.send(ending.comment())
            await _until(start + played.chunks * pace.delay_ms / 1000)
    await wire.finish()


async def deliver(wire: Wire, body: bytes, content_type: str, scenario: Scenario) -> None:
    """Send a whole answer, which `cut`, `clean_eof`, `hang_up` and `stall` interrupt at its middle."""
    if scenario.fault not in (*_MID_STREAM, Fault.ONE_BYTE_PER_SECOND):
        await wire.respond(200, body, content_type=content_type)
        return
    half = len(body) // 2
    await wire.start(headers={"content-length": str(len(body))}, content_type=content_type)
    await _send(wire, body[:half], scenario)
    if scenario.fault is Fault.CUT:
        await asyncio.sleep(_LET_IT_ARRIVE)
        wire.reset()
        return
    if scenario.fault in (Fault.CLEAN_EOF, Fault.HANG_UP):
        wire.hang_up()
        return
    await asyncio.sleep(scenario.seconds)
    await _send(wire, body[half:], scenario)
    await wire.finish()


async def _until(due: float) -> None:
    """Sleep until `due` on the monotonic clock; at least let the others run."""
    await asyncio.sleep(max(0.0, due - time.monotonic()))


async def _send(wire: Wire, frame: bytes, scenario: Scenario) -> None:
    if scenario.fault is not Fault.ONE_BYTE_PER_SECOND:
        await wire.send(frame)
        return
    for at in range(len(frame)):
        await wire.send(frame[at : at + 1])
        await asyncio.sleep(scenario.seconds or 1.0)


async def _strike(wire: Wire, scenario: Scenario, ending: Ending) -> bool:
    """Let the fault happen; True when it ends the answer."""
    if scenario.fault in _ENDS:
        ending.give_up()
    match scenario.fault:
        case Fault.CUT:
            await asyncio.sleep(_LET_IT_ARRIVE)
            wire.reset()
        case Fault.CLEAN_EOF:
            await wire.finish()
        case Fault.HANG_UP:
            wire.hang_up()
        case Fault.ERROR_EVENT | Fault.FAILED:
            await wire.send(ending.error())
            await wire.finish()
        case _:
            await asyncio.sleep(scenario.seconds)
            return False
    return True
