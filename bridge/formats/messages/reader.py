"""Messages, a streamed answer read as events."""

from __future__ import annotations

from bridge.errors import BrokenStream
from bridge.events import Event, Finished, Started, Stop
from bridge.formats.messages.blocks_in import BlocksIn
from bridge.formats.messages.frames import Event as WireEvent
from bridge.formats.messages.frames import events_in_body, read_event, read_failure
from bridge.formats.messages.stops import read_stop
from bridge.formats.messages.usage import Meter
from bridge.sse import FrameSplitter
from bridge.tally import Tally


class ReplyReader:
    """`feed` the upstream's packets, take the events they complete; `end()` gives the last ones.

    `stop_reason` is Anthropic's word, empty while the answer has not ended.
    """

    def __init__(self) -> None:
        self.done = False
        self.stop_reason = ""
        self._sequence: str | None = None
        self._splitter = FrameSplitter()
        self._blocks = BlocksIn()
        self._meter = Meter()
        self._started = False
        self._failed = False

    @classmethod
    def events_of_body(cls, body: bytes) -> list[Event]:
        """The events of a whole unstreamed answer. Raises BrokenStream when it is neither answer nor error."""
        reader = cls()
        events = [event for told in events_in_body(body) for event in reader._read(told)]
        return events + reader.end()

    @property
    def output_bytes(self) -> int:
        return self._blocks.output_bytes

    @property
    def tally(self) -> Tally:
        return self._meter.tally

    @property
    def counted(self) -> bool:
        return self._meter.counted

    def feed(self, packet: bytes) -> list[Event]:
        """The events that `packet` completes. Raises BrokenStream on what is no stream of events."""
        return [event for frame in self._splitter.feed(packet) for event in self._frame(frame)]

    def end(self) -> list[Event]:
        """The last events. Raises BrokenStream when the answer ended in the middle."""
        before = self._frame(self._splitter.rest) if self._splitter.rest else []
        if self._failed:
            return before
        if not self.done and not self.stop_reason:
            raise BrokenStream("The upstream's answer ended in the middle. Send the request again.")
        last = self._begun([*self._blocks.finish()])
        stop = read_stop(self.stop_reason, has_calls=self._blocks.has_calls)
        sequence = self._sequence if stop is Stop.SEQUENCE else None
        return [*before, *last, Finished(stop, sequence, self._meter.tally, self._meter.counted)]

    def _frame(self, frame: bytes) -> list[Event]:
        event = read_event(frame)
        return self._read(event) if event is not None else []

    def _read(self, event: WireEvent) -> list[Event]:
        if self.done or self._failed:
            return []
        match event["type"]:
            case "content_block_delta":
                return self._begun(self._blocks.grow(event.get("index"), event.get("delta")))
            case "content_block_start":
                return self._begun(self._blocks.start(event.get("index"), event.get("content_block")))
            case "content_block_stop":
                return self._begun(self._blocks.stop(event.get("index")))
            case "message_start":
                return self._start(event)
            case "message_delta":
                self._note_end(event)
            case "message_stop":
                self._meter.note_end(None, event.get("copilot_usage"))
                self.done = True
            case "error":
                self._failed = True
                return self._begun([read_failure(event)])
        return []

    def _start(self, event: WireEvent) -> list[Event]:
        message = event.get("message")
        tally = self._meter.note_start(message.get("usage") if isinstance(message, dict) else None)
        if self._started:
            return []
        self._started = True
        return [Started(tally)]

    def _note_end(self, event: WireEvent) -> None:
        self._meter.note_end(event.get("usage"), event.get("copilot_usage"))
        delta = event.get("delta")
        if not isinstance(delta, dict):
            return
        if isinstance(delta.get("stop_reason"), str):
            self.stop_reason = delta["stop_reason"]
        if isinstance(delta.get("stop_sequence"), str):
            self._sequence = delta["stop_sequence"]

    def _begun(self, events: list[Event]) -> list[Event]:
        """With Started before the first event, whatever the upstream began with."""
        if self._started:
            return events
        self._started = True
        return [Started(), *events]
