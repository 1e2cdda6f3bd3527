"""The reply of a model that speaks Responses, for a caller who does: pass it on with a tap on it, pin what rotates.

Every frame is read one level deep; its item's id and its sequence number are replaced and it is written again with an
`event:` line, all else in it staying the bytes it was. The opening (`created`, `in_progress`) is held back until
something follows it, the terminal event until `end()`.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec
from msgspec import Raw

from bridge.errors import BridgeError, BrokenStream
from bridge.events import Failed
from bridge.formats.responses.ending import ENDINGS, Ending
from bridge.formats.responses.envelope import pinned_response, response_object
from bridge.formats.responses.errors import failure_of
from bridge.formats.responses.frames import DONE, data_in, decoded, read_json, write_event
from bridge.formats.responses.line import KEEPALIVE
from bridge.formats.responses.pins import PinnedItem
from bridge.formats.responses.telling import told_item
from bridge.formats.responses.text_delta import TEXT_DELTA, read_text_delta, write_text_delta
from bridge.formats.responses.usage import write_usage
from bridge.road import Heading
from bridge.sse import FrameSplitter
from bridge.tally import Tally

Members = dict[str, Raw]

_decode = msgspec.json.Decoder(dict[str, Raw]).decode
_decode_list = msgspec.json.Decoder(list[Raw]).decode
_encode = msgspec.json.Encoder().encode
_PREAMBLE = frozenset({"response.created", "response.in_progress", "response.queued"})
_OPENING_EVENTS = ("response.created", "response.in_progress")
_WORD = re.compile(rb'"[a-z_.]+"')
_LONGEST_INDEX = 5
_ITEM_DONE = "response.output_item.done"
_NOISE = (b'"obfuscation"', b'"copilot_')
_NO_MEMBERS = Raw(b"{}")


class StreamTap:
    """Fulfils bridge.road.Road. `response_object` is the final response as JSON, once `end()` gave it."""

    def __init__(self, heading: Heading) -> None:
        self.begun = False
        self.output_bytes = 0
        self.response_object = b""
        self.dropped: tuple[str, ...] = ()
        self._heading = heading
        self._splitter = FrameSplitter()
        self._ending = Ending()
        self._items: dict[int, PinnedItem] = {}
        self._first: Raw | None = None
        self._held: list[tuple[str, Members]] = []
        self._opened = heading.started > 0
        self._sequence = heading.started
        self._unsent: list[bytes] = []
        self._terminal: Members = {}

    @property
    def done(self) -> bool:
        return self._ending.is_over

    @property
    def failure(self) -> Failed | None:
        return self._ending.failure

    @property
    def tally(self) -> Tally:
        return self._ending.tally

    @property
    def counted(self) -> bool:
        return self._ending.counted

    @property
    def stop_reason(self) -> str:
        return self._ending.stop_reason

    def feed(self, packet: bytes) -> bytes:
        for frame in self._splitter.feed(packet):
            self._unsent.append(self._frame(frame))
        return self._sent()

    def end(self) -> bytes:
        """What was not sent yet, and the terminal event."""
        if rest := self._splitter.rest:
            self._unsent.append(self._frame(rest))
        self._ending.close()
        if (failure := self._ending.failure) is not None:
            raise BrokenStream("The upstream gave the answer up: %(message)s", {"message": failure.message})
        self._unsent.append(self._open())
        output = self._output()
        self.response_object = _encode(self._response(output))
        kind = f"response.{self._ending.status}"
        self._unsent.append(self._event(kind, {"response": Raw(self.response_object)}))
        return self._sent()

    def fail(self, error: BridgeError, sentence: str) -> bytes:
        self._unsent.append(self._open())
        finished = [item.done for _, item in sorted(self._items.items()) if item.done is not None]
        response = response_object(self._heading, "failed", finished, error=failure_of(error, sentence))
        self._unsent.append(self._event("response.failed", {"response": Raw(_encode(response))}))
        return self._sent()

    def keepalive(self) -> bytes:
        """Quirk responses-keepalive: an event, for comments alone do not keep Codex waiting; at first the opening."""
        return self._event(KEEPALIVE, {}) if self._opened else self._open()

    def _sent(self) -> bytes:
        """All that is to be sent by now. What was numbered before a fault is sent with the event that tells of it."""
        out, self._unsent = b"".join(self._unsent), []
        return out

    def _frame(self, frame: bytes) -> bytes:
        if self.done:
            return b""
        data = data_in(frame)
        if data is None:
            return b""
        if TEXT_DELTA in data and (passed := self._text(data)):
            return passed
        if data.strip() == DONE:
            self._ending.close()
            return b""
        fields = decoded(frame, data, _decode)
        kind = _type_of(fields)
        if kind in ENDINGS:
            self._ending.read(_encode(fields))
            self._terminal = fields
        elif kind in _PREAMBLE:
            self._first = self._opening(fields.get("response", _NO_MEMBERS))
        elif kind and kind != KEEPALIVE:
            return self._passed(kind, fields, is_noisy=any(mark in data for mark in _NOISE))
        return b""

    def _passed(self, kind: str, fields: Members, *, is_noisy: bool) -> bytes:
        """What is of no item, and comes before the first, is held back with the preamble."""
        if is_noisy:
            fields = {name: value for name, value in fields.items() if name != "obfuscation" and name[:8] != "copilot_"}
        if "output_index" in fields:
            self._pin(kind, fields)
        elif not self.begun:
            self._held.append((kind, fields))
            return b""
        if self.begun:
            return self._event(kind, fields)
        head = self._open()
        self.begun = True
        return head + self._event(kind, fields)

    def _text(self, data: bytes) -> bytes:
        """The frame of a piece of text, written from its few members; empty when it is not of the usual kind."""
        frame = read_text_delta(data) if self.begun else None
        item = self._items.get(frame.output_index) if frame is not None else None
        if frame is None or item is None:
            return b""
        delta = bytes(frame.delta)
        self.output_bytes += len(delta) - 2
        item.grow(b"%d" % frame.content_index, delta)
        number, self._sequence = self._sequence, self._sequence + 1
        return write_text_delta(frame, item.quoted_id, number)

    def _pin(self, kind: str, fields: Members) -> None:
        index = _index(fields["output_index"])
        shown = fields.get("item")
        item = self._items.get(index)
        if item is None:
            item = self._items[index] = PinnedItem(self._heading, index, kind, shown)
        if "item_id" in fields:
            fields["item_id"] = item.raw_id
        if shown is not None:
            pinned = fields["item"] = item.pin(shown)
            if kind == _ITEM_DONE:
                item.done = pinned
                # Sealed reasoning is as long as its seal, which tells nothing of the tokens behind it.
                self.output_bytes += 0 if item.has_grown or item.type == "reasoning" else len(pinned)
            elif item.added is None:
                item.added = pinned
        elif (delta := fields.get("delta")) is not None:
            self.output_bytes += len(delta) - 2
            place = fields.get("content_index") or fields.get("summary_index")
            item.grow(bytes(place) if place is not None else b"0", bytes(delta))

    def _open(self) -> bytes:
        """The opening and what was held back behind it, if they were not sent yet."""
        events: list[bytes] = []
        if not self._opened:
            response = self._first or self._opening(_NO_MEMBERS)
            self._opened = True
            events += [self._event(kind, {"response": response}) for kind in _OPENING_EVENTS]
        held, self._held = self._held, []
        events += [self._event(kind, fields) for kind, fields in held]
        return b"".join(events)

    def _opening(self, upstream: Raw) -> Raw:
        nothing_yet: dict[str, Any] = {
            "status": "in_progress",
            "output": [],
            "error": None,
            "usage": None,
            "incomplete_details": None,
        }
        return Raw(_encode(pinned_response(upstream, self._heading) | nothing_yet))

    def _event(self, kind: str, fields: Members) -> bytes:
        if "type" not in fields:
            fields = {"type": Raw(b'"%b"' % kind.encode()), **fields}
        fields["sequence_number"] = Raw(b"%d" % self._sequence)
        self._sequence += 1
        return write_event(kind, fields)

    def _output(self) -> list[Raw]:
        """All items in full; what the upstream told of them in the terminal event alone is told on the way."""
        listed = self._listed()
        for index, raw in enumerate(listed):
            if index not in self._items:
                self._items[index] = PinnedItem(self._heading, index, "", raw)
        output: list[Raw] = []
        for index, item in sorted(self._items.items()):
            whole = item.pin(listed[index]) if item.done is None and index < len(listed) else item.told()
            if item.done is None:
                self._unsent.append(self._tell(index, item, whole))
            output.append(whole)
        return output

    def _tell(self, index: int, item: PinnedItem, whole: Raw) -> bytes:
        """An item that was never said to be done; one of which nothing was told is told from its start."""
        place = Raw(b"%d" % index)
        if item.added is not None:
            return self._event(_ITEM_DONE, {"output_index": place, "item": whole})
        frames = []
        for kind, told in told_item(msgspec.json.decode(whole)):
            owner = {} if "item" in told else {"item_id": item.raw_id}
            fields = {name: Raw(_encode(value)) for name, value in told.items()}
            frames.append(self._event(kind, owner | {"output_index": place} | fields))
        return b"".join(frames)

    def _listed(self) -> list[Raw]:
        response = self._terminal.get("response")
        output = read_json(response, _decode, "a response that is no object").get("output") if response else None
        is_list = output is not None and bytes(output).startswith(b"[")
        return read_json(output, _decode_list, "an output that is no list") if output is not None and is_list else []

    def _response(self, output: list[Raw]) -> dict[str, Any]:
        response = pinned_response(self._terminal.get("response", _NO_MEMBERS), self._heading)
        ending = self._ending
        response["status"] = ending.status
        response["output"] = output
        response["usage"] = write_usage(ending.tally)
        response["incomplete_details"] = {"reason": ending.reason} if ending.reason else None
        return response


def _type_of(fields: Members) -> str:
    """The event's type; empty when it is no plain word."""
    raw = bytes(fields.get("type", b""))
    return raw[1:-1].decode() if _WORD.fullmatch(raw) else ""


def _index(raw: Raw) -> int:
    value = bytes(raw)
    if not value.isdigit() or len(value) > _LONGEST_INDEX:
        raise BrokenStream("The upstream sent an event of no item. Send the request again.")
    return int(value)
