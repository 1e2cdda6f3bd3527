"""Translation: the road of a reply through the hub, from one format's reader to another's writer.

    packets → reader → events → passes → writer → bytes

For a whole answer the writer is one that keeps everything to itself until the end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Protocol, runtime_checkable

from bridge.assembly import Collector, Reply
from bridge.errors import BridgeError, BrokenStream
from bridge.events import Event, Failed, Finished, Started
from bridge.road import Heading
from bridge.sealing import SealWrapper
from bridge.tally import Tally


class Reader(Protocol):
    """A room's ReplyReader."""

    @property
    def done(self) -> bool: ...
    @property
    def output_bytes(self) -> int: ...
    @property
    def stop_reason(self) -> str: ...
    @property
    def tally(self) -> Tally: ...
    @property
    def counted(self) -> bool: ...
    def feed(self, packet: bytes) -> list[Event]: ...
    def end(self) -> list[Event]: ...


class Writer(Protocol):
    """A room's ReplyWriter."""

    @property
    def dropped(self) -> tuple[str, ...]: ...
    def write(self, event: Event) -> bytes: ...
    def fail(self, error: BridgeError, sentence: str) -> bytes: ...
    def keepalive(self) -> bytes: ...


class Pass(Protocol):
    """Something that events go through on their way to the writer."""

    def feed(self, event: Event) -> list[Event]: ...


@runtime_checkable
class Storable(Protocol):
    """A road or writer of a dialect whose stream ends in the whole answer (Responses)."""

    @property
    def response_object(self) -> bytes:
        """The answer as one JSON object, once its end was written."""


class Whole:
    """A writer that keeps everything to itself until the reply is whole."""

    def __init__(self, heading: Heading, write_reply: Callable[[Reply, Heading], bytes], writer: Writer) -> None:
        self._heading = heading
        self._write_reply = write_reply
        self._losses = writer
        self._collector = Collector()

    @property
    def dropped(self) -> tuple[str, ...]:
        return self._losses.dropped

    def write(self, event: Event) -> bytes:
        self._losses.write(event)
        self._collector.add(event)
        reply = self._collector.reply
        return b"" if reply is None else self._write_reply(reply, self._heading)

    def fail(self, error: BridgeError, sentence: str) -> bytes:
        return self._losses.fail(error, sentence)

    def keepalive(self) -> bytes:
        return self._losses.keepalive()


class Translation:
    """A road through the hub; see `bridge.road.Road`."""

    def __init__(self, reader: Reader, seals: SealWrapper, passes: Iterable[Pass], writer: Writer) -> None:
        self._reader = reader
        self._seals = seals
        self._passes = (seals, *passes)
        self._writer = writer
        self._finish: Finished | None = None
        self.begun = False
        self.failure: Failed | None = None
        self.response_object = b""

    @property
    def done(self) -> bool:
        return self._reader.done

    @property
    def tally(self) -> Tally:
        return self._reader.tally

    @property
    def counted(self) -> bool:
        return self._reader.counted

    @property
    def output_bytes(self) -> int:
        return self._reader.output_bytes

    @property
    def stop_reason(self) -> str:
        return self._reader.stop_reason

    @property
    def dropped(self) -> tuple[str, ...]:
        return self._writer.dropped + self._seals.dropped

    def feed(self, packet: bytes) -> bytes:
        return b"".join([self._take(event) for event in self._reader.feed(packet)])

    def end(self) -> bytes:
        before = b"".join([self._take(event) for event in self._reader.end()])
        if self._finish is None:
            raise BrokenStream("The upstream's answer ended in the middle. Send the request again.")
        last = self._writer.write(self._finish)
        self.response_object = self._writer.response_object if isinstance(self._writer, Storable) else last
        return before + last

    def fail(self, error: BridgeError, sentence: str) -> bytes:
        return self._writer.fail(error, sentence)

    def keepalive(self) -> bytes:
        return self._writer.keepalive()

    def _take(self, event: Event) -> bytes:
        events = [event]
        for each in self._passes:
            events = [after for before in events for after in each.feed(before)]
        return b"".join([self._pass_on(each) for each in events])

    def _pass_on(self, event: Event) -> bytes:
        match event:
            case Failed():
                self.failure = event
                return b""
            case Finished():
                self._finish = event
                return b""
            case Started():
                return self._writer.write(event)
            case _:
                self.begun = True
                return self._writer.write(event)
