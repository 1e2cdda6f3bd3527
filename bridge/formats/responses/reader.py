"""The reply of a model that speaks Responses, read into events.

The upstream's items may grow side by side and come out of order; parts of ours never overlap. So one item at a time
is read out, and what is said of the others meanwhile waits in line. Items are told apart by `output_index` alone
(quirk responses-rotating-ids).
"""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Raw

from bridge.events import Event, Finished, Started, Stop, TextGrew
from bridge.formats.responses.ending import ENDINGS, Ending
from bridge.formats.responses.frames import DONE, data_in, decoded, read_json
from bridge.formats.responses.item_frames import ITEM_DONE, Frame, ItemReader
from bridge.formats.responses.item_readers import reader_of
from bridge.sse import FrameSplitter
from bridge.tally import Tally

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Frame).decode
_decode_members = msgspec.json.Decoder(dict[str, Raw]).decode


class _Output(msgspec.Struct):
    output: Any = None


class _Terminal(msgspec.Struct):
    response: _Output | None = None


_decode_terminal = msgspec.json.Decoder(_Terminal).decode
_decode_output = msgspec.json.Decoder(_Output).decode


class ReplyReader:
    """`feed` packets until `done` or the end of the body, then take what `end()` tells."""

    def __init__(self) -> None:
        self._splitter = FrameSplitter()
        self._ending = Ending()
        self._started = False
        self._items: dict[int, ItemReader] = {}
        self._waiting: dict[int, list[Frame]] = {}
        self._current: int | None = None
        self._output_bytes = 0

    @property
    def done(self) -> bool:
        return self._ending.is_over

    @property
    def output_bytes(self) -> int:
        return self._output_bytes

    @property
    def stop_reason(self) -> str:
        return self._ending.stop_reason

    @property
    def tally(self) -> Tally:
        return self._ending.tally

    @property
    def counted(self) -> bool:
        return self._ending.counted

    def feed(self, packet: bytes) -> list[Event]:
        """The events that `packet` completes. Raises BrokenStream on what is no stream of this format."""
        events: list[Event] = []
        for frame in self._splitter.feed(packet):
            self._frame(frame, events)
        return self._measured(events)

    def end(self) -> list[Event]:
        """The last events; raises BrokenStream when the answer was cut."""
        events: list[Event] = []
        if rest := self._splitter.rest:
            self._frame(rest, events)
        self._ending.close()
        return self._measured(events)

    @classmethod
    def events_of_body(cls, body: bytes) -> list[Event]:
        """The events that a whole response object tells. Raises BrokenStream when it is none."""
        reader = cls()
        reader._ending.read_body(body)
        reader._ending.close()
        events: list[Event] = []
        reader._conclude(read_json(body, _decode_output, "an answer that is no response"), events)
        return events

    def _measured(self, events: list[Event]) -> list[Event]:
        self._output_bytes += sum(len(event.text.encode()) for event in events if isinstance(event, TextGrew))
        return events

    def _frame(self, raw: bytes, events: list[Event]) -> None:
        if self.done:
            return
        data = data_in(raw)
        if data is None:
            return
        if data.strip() == DONE:
            self._ending.close()
            return
        frame = decoded(raw, data, _decode)
        if frame.type in ENDINGS:
            self._end(_encode(decoded(raw, data, _decode_members)), events)
        elif frame.output_index is not None:
            self._start(events)
            self._take(frame.output_index, frame, events)

    def _start(self, events: list[Event]) -> None:
        if not self._started:
            self._started = True
            events.append(Started())

    def _take(self, index: int, frame: Frame, events: list[Event]) -> None:
        """Read the frame out, or let it wait until its item's turn has come."""
        item = self._items.get(index)
        if item is not None and item.is_done:
            return
        if self._current is None:
            self._current = index
        if self._current != index:
            self._waiting.setdefault(index, []).append(frame)
            return
        self._read(index, frame, events)
        while self._current is not None and self._items[self._current].is_done:
            self._go_on(events)

    def _go_on(self, events: list[Event]) -> None:
        """The current item is done: read out what was said of the next one that waits."""
        self._current = min(self._waiting, default=None)
        if self._current is not None:
            for frame in self._waiting.pop(self._current):
                self._read(self._current, frame, events)

    def _read(self, index: int, frame: Frame, events: list[Event]) -> None:
        item = self._items.get(index)
        if item is None:
            item = self._items[index] = reader_of(frame)
        if not item.is_done:
            item.read(frame, events)

    def _end(self, data: bytes, events: list[Event]) -> None:
        self._ending.read(data)
        if self._ending.is_over:
            terminal = read_json(data, _decode_terminal, "an answer that is no response")
            self._conclude(terminal.response or _Output(), events)

    def _conclude(self, response: _Output, events: list[Event]) -> None:
        self._start(events)
        if self._ending.failure is not None:
            events.append(self._ending.failure)
        else:
            self._finish(response.output if isinstance(response.output, list) else [], events)

    def _finish(self, output: list[Any], events: list[Event]) -> None:
        """Close what is open with the terminal event's word for it, and tell the items that only it holds."""
        while self._current is not None:
            self._close(self._current, output, events)
            self._go_on(events)
        for index in range(len(output)):
            if index not in self._items:
                self._close(index, output, events)
        ending = self._ending
        events.append(Finished(self._stop(), None, ending.tally, ending.counted))

    def _close(self, index: int, output: list[Any], events: list[Event]) -> None:
        item = self._items.get(index)
        if item is None or not item.is_done:
            shown = output[index] if index < len(output) else None
            self._read(index, Frame(ITEM_DONE, index, item=shown), events)

    def _stop(self) -> Stop:
        if self._ending.reason:
            return Stop.FILTER if self._ending.reason == "content_filter" else Stop.LENGTH
        return Stop.CALLS if any(item.calls for item in self._items.values()) else Stop.END
