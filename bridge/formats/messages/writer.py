"""Messages, events written as a streamed answer.

A block starts when the first thing in it is known: reasoning may come as text under a signature (`thinking`) or as
ciphertext alone (`redacted_thinking`), which only its first growth tells. Reasoning that is a seal and no words waits
for what comes behind it: clients take the last block for the answer. `message_start` goes out with the first part,
since before it a failed try may still be repeated.
Shape: https://docs.claude.com/en/docs/build-with-claude/streaming
"""

from __future__ import annotations

from typing import Any, assert_never

import msgspec

from bridge.call_ids import Distinct
from bridge.errors import BridgeError
from bridge.events import (
    CallHead,
    Cited,
    CompactionHead,
    Event,
    Failed,
    Finished,
    Head,
    PartClosed,
    PartOpened,
    ReasoningHead,
    RefusalHead,
    Sealed,
    Searched,
    SearchHead,
    SectionBegan,
    Started,
    Stop,
    TextGrew,
    TextHead,
    Weighed,
)
from bridge.formats.messages.blocks_out import search_blocks, search_id_of, write_citation
from bridge.formats.messages.errors import write_error_event
from bridge.formats.messages.life import SEALED, sign_of_life
from bridge.formats.messages.stops import write_stop
from bridge.formats.messages.usage import write_usage
from bridge.parts import Seal, SealKind, Source
from bridge.road import Heading
from bridge.tally import Tally

_encode = msgspec.json.Encoder().encode
_GROWTH = {
    TextHead: ("text_delta", "text"),
    RefusalHead: ("text_delta", "text"),
    ReasoningHead: ("thinking_delta", "thinking"),
    CallHead: ("input_json_delta", "partial_json"),
    CompactionHead: ("compaction_delta", "content"),
}


class ReplyWriter:
    """`write` events in order and send what it returns; `dropped` names what the format could not say."""

    def __init__(self, heading: Heading) -> None:
        self._heading = heading
        self._tally: Tally | None = None
        self._begun = heading.started > 0
        self._index = -1
        self._head: Head | None = None
        self._kind: str | None = None
        self._has_block = False
        self._held = False
        self._prefix = b""
        self._has_calls = False
        self._has_refusal = False
        self._searches = 0
        self._ids = Distinct()
        self._seals_waiting: list[Seal] = []
        self._dropped: list[str] = []

    @property
    def dropped(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(self._dropped))

    def write(self, event: Event) -> bytes:
        match event:
            case TextGrew(text):
                return self._opened() + self._prefix + _encode(text) + b"}}\n\n"
            case PartOpened(head):
                return self._message_start() + self._open(head)
            case PartClosed():
                return self._close()
            case Started(tally):
                self._tally = tally
                return b""
            case SectionBegan():
                return self._opened() + self._prefix + b'"\\n\\n"}}\n\n'
            case Sealed(seal):
                return self._seal(seal)
            case Cited(citation):
                return self._delta({"type": "citations_delta", "citation": write_citation(citation)})
            case Searched(query, sources):
                return self._search(query, sources)
            case Weighed():
                self._dropped.append("logprobs")
                return b""
            case Finished():
                return self._message_start() + self._last_seals() + self._end(event)
            case Failed():
                return b""  # told to `fail` as an error, with the caller's sentence
            case _:
                assert_never(event)

    def fail(self, error: BridgeError, sentence: str) -> bytes:
        """The event that ends a broken answer; alone it says as much as behind a half one."""
        return write_error_event(error, sentence)

    def keepalive(self) -> bytes:
        return self._message_start() or sign_of_life(self._index, self._kind)

    def _message_start(self) -> bytes:
        if self._begun:
            return b""
        self._begun = True
        tally = self._tally if self._tally is not None else Tally(input=self._heading.estimate)
        message: dict[str, Any] = {
            "id": f"msg_{self._heading.id}",
            "type": "message",
            "role": "assistant",
            "model": self._heading.model,
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
            "usage": write_usage(tally),
        }
        return frame("message_start", {"type": "message_start", "message": message})

    def _open(self, head: Head) -> bytes:
        self._head, self._has_block, self._held = head, False, False
        match head:
            case TextHead() | RefusalHead():
                self._has_refusal = self._has_refusal or isinstance(head, RefusalHead)
                return self._sealed() + self._start({"type": "text", "text": ""})
            case CallHead(call_id, name):
                self._has_calls = True
                block = {"type": "tool_use", "id": self._ids.fit(call_id), "name": name, "input": {}}
                return self._sealed() + self._start(block)
            case ReasoningHead() | SearchHead() | CompactionHead():
                return b""
            case _:
                assert_never(head)

    def _opened(self) -> bytes:
        """The start of a block that waited for its first growth."""
        if self._has_block:
            return b""
        if isinstance(self._head, CompactionHead):
            return self._sealed() + self._start({"type": "compaction", "content": ""})
        return self._sealed() + self._start({"type": "thinking", "thinking": "", "signature": ""})

    def _start(self, block: dict[str, Any]) -> bytes:
        self._index += 1
        self._has_block = True
        self._kind = block["type"]
        if self._head is not None and type(self._head) in _GROWTH:
            kind, member = _GROWTH[type(self._head)]
            self._prefix = (
                b'event: content_block_delta\ndata: {"type":"content_block_delta","index":%d,"delta":{"type":"%s","%s":'
                % (self._index, kind.encode(), member.encode())
            )
        event = {"type": "content_block_start", "index": self._index, "content_block": block}
        return frame("content_block_start", event)

    def _delta(self, delta: dict[str, Any]) -> bytes:
        event = {"type": "content_block_delta", "index": self._index, "delta": delta}
        return frame("content_block_delta", event)

    def _stop(self) -> bytes:
        self._kind = None
        return b'event: content_block_stop\ndata: {"type":"content_block_stop","index":%d}\n\n' % self._index

    def _seal(self, seal: Seal) -> bytes:
        is_signature = seal.kind is SealKind.SIGNATURE
        if isinstance(self._head, CompactionHead):
            self._dropped.append("compaction")
        elif self._has_block and is_signature:
            self._kind = SEALED
            return self._delta({"type": "signature_delta", "signature": seal.value})
        elif not self._has_block and (is_signature or seal.kind is SealKind.REDACTED):
            self._seals_waiting.append(seal)
            self._held = True
        else:
            self._dropped.append("thinking")
        return b""

    def _sealed(self) -> bytes:
        """The blocks of reasoning that is a seal and no words."""
        if not self._seals_waiting:
            return b""
        seals, self._seals_waiting = self._seals_waiting, []
        return b"".join(self._seal_block(seal) for seal in seals)

    def _seal_block(self, seal: Seal) -> bytes:
        if seal.kind is SealKind.REDACTED:
            return self._start({"type": "redacted_thinking", "data": seal.value}) + self._stop()
        start = self._start({"type": "thinking", "thinking": "", "signature": ""})
        return start + self._delta({"type": "signature_delta", "signature": seal.value}) + self._stop()

    def _last_seals(self) -> bytes:
        """Quirk messages-last-block: behind other blocks a seal is no answer; alone it is all there is."""
        if self._index < 0:
            return self._sealed()
        self._dropped += ["thinking"] if self._seals_waiting else []
        return b""

    def _search(self, query: str, sources: tuple[Source, ...]) -> bytes:
        """Both blocks of a search at once; its input travels as a delta like any other's."""
        self._searches += 1
        search_id = self._head.id if isinstance(self._head, SearchHead) else ""
        wish, found = search_blocks(self._ids.fit(search_id_of(search_id)), query, sources)
        delta = {"type": "input_json_delta", "partial_json": _encode(wish["input"]).decode()}
        told = self._sealed() + self._start({**wish, "input": {}}) + self._delta(delta) + self._stop()
        return told + self._start(found) + self._stop()

    def _close(self) -> bytes:
        if self._has_block:
            return b"" if isinstance(self._head, SearchHead) else self._stop()
        match self._head:
            case SearchHead():
                return self._search("", ())
            case ReasoningHead() if not self._held:
                return self._opened() + self._stop()
            case _:
                return b""

    def _end(self, event: Finished) -> bytes:
        tally = event.tally
        if not event.counted and not tally.input:
            tally = Tally(input=self._heading.estimate, output=tally.output)
        reason = write_stop(event.stop, has_calls=self._has_calls, has_refusal=self._has_refusal)
        delta = {"stop_reason": reason, "stop_sequence": event.sequence if event.stop is Stop.SEQUENCE else None}
        end = {"type": "message_delta", "delta": delta, "usage": write_usage(tally, self._searches)}
        return frame("message_delta", end) + frame("message_stop", {"type": "message_stop"})


def frame(kind: str, event: dict[str, Any]) -> bytes:
    """One event as a frame; clients find it by its `event` line."""
    return b"event: %s\ndata: %s\n\n" % (kind.encode(), _encode(event))
