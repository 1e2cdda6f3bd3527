"""Chat Completions, events written as the stream a client of the standard expects.

The role stands in the first delta, a call's id, kind and name in its first one; one chunk has the finish reason, then
comes the usage if it was asked for, then `[DONE]`.
Shape: https://platform.openai.com/docs/api-reference/chat-streaming
"""

from __future__ import annotations

from typing import Any, assert_never

import msgspec

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
from bridge.formats.chat.errors import write_error_frame
from bridge.formats.chat.marks import write_chances, write_citation
from bridge.formats.chat.tap import DONE, KEEPALIVE
from bridge.formats.chat.usage import write_usage
from bridge.parts import CallKind, Citation, SealKind
from bridge.road import Heading

_encode = msgspec.json.Encoder().encode


class ReplyWriter:
    """`write` events in order and send what it returns; see `bridge/events.py` for their grammar."""

    def __init__(self, heading: Heading) -> None:
        members = {
            "id": f"chatcmpl-{heading.id}",
            "object": "chat.completion.chunk",
            "created": heading.created,
            "model": heading.model,
        }
        self._opening = b"data: " + _encode(members)[:-1] + b',"choices":['
        self._include_usage = heading.asked.include_usage
        self._head: Head = TextHead()
        self._has_role = False
        self._calls = 0
        self._is_bare_call = False
        self._base = 0
        self._length = 0
        self._citations: list[Citation] = []
        self._losses = Losses()

    @property
    def dropped(self) -> tuple[str, ...]:
        return self._losses.names

    def write(self, event: Event) -> bytes:
        match event:
            case TextGrew(text):
                return self._grow(text)
            case PartOpened(head):
                return self._open(head)
            case PartClosed():
                return self._close()
            case SectionBegan():
                return self._grow("\n\n")
            case Sealed(seal):
                return self._delta({"reasoning_opaque": seal.value}) if seal.kind is SealKind.OPAQUE else b""
            case Cited(citation):
                self._citations.append(citation)
                self._losses.cited = True
                return b""
            case Weighed(chances):
                return self._delta({}, {"content": write_chances(chances), "refusal": None})
            case Finished():
                return self._finish(event)
            case Started() | Searched() | Failed():
                return b""
            case _:
                assert_never(event)

    def fail(self, error: BridgeError, sentence: str) -> bytes:
        return write_error_frame(error, sentence)

    def keepalive(self) -> bytes:
        return KEEPALIVE

    def _open(self, head: Head) -> bytes:
        self._head = head
        self._losses.note(head)
        match head:
            case TextHead():
                self._base, self._length = self._base + self._length, 0
            case CallHead(call_id, name, kind):
                self._calls += 1
                self._is_bare_call = kind is CallKind.FUNCTION
                custom, field = ("custom", "input") if kind is CallKind.CUSTOM else ("function", "arguments")
                call = {"index": self._calls - 1, "id": call_id, "type": custom, custom: {"name": name, field: ""}}
                return self._delta({"tool_calls": [call]})
            case RefusalHead() | ReasoningHead() | SearchHead() | CompactionHead():
                pass
            case _:
                assert_never(head)
        return b""

    def _grow(self, text: str) -> bytes:
        match self._head:
            case TextHead():
                self._length += len(text)
                return self._delta({"content": text})
            case ReasoningHead():
                return self._delta({"reasoning_content": text, "reasoning_text": text})
            case RefusalHead():
                return self._delta({"refusal": text})
            case CallHead(kind=kind):
                self._is_bare_call = False
                custom, field = ("custom", "input") if kind is CallKind.CUSTOM else ("function", "arguments")
                return self._delta({"tool_calls": [{"index": self._calls - 1, custom: {field: text}}]})
            case SearchHead() | CompactionHead():
                return b""
            case _:
                assert_never(self._head)

    def _close(self) -> bytes:
        """Citations wait for the end of their text, which those without a place cover as a whole.

        A call without arguments gets an empty object: clients parse what they have got.
        """
        if self._is_bare_call:
            return self._grow("{}")
        if not self._citations:
            return b""
        annotations = [write_citation(citation, self._base, self._length) for citation in self._citations]
        self._citations = []
        return self._delta({"annotations": annotations})

    def _delta(self, delta: dict[str, Any], logprobs: dict[str, Any] | None = None) -> bytes:
        if not self._has_role:
            self._has_role = True
            delta = {"role": "assistant", "content": None, **delta}
        choice: dict[str, Any] = {"index": 0, "delta": delta, "finish_reason": None}
        if logprobs is not None:
            choice["logprobs"] = logprobs
        return self._opening + _encode(choice) + b"]}\n\n"

    def _finish(self, finished: Finished) -> bytes:
        delta: dict[str, Any] = {} if self._has_role else {"role": "assistant", "content": ""}
        reason = finish_reason(finished.stop, has_calls=self._calls > 0)
        parts = [self._opening + _encode({"index": 0, "delta": delta, "finish_reason": reason}) + b"]}\n\n"]
        if self._include_usage:
            parts.append(self._opening + b'],"usage":' + _encode(write_usage(finished.tally)) + b"}\n\n")
        return b"".join([*parts, DONE])


class Losses:
    """What of a reply this format cannot say. A search is said well enough by the citations that came of it."""

    def __init__(self) -> None:
        self.cited = False
        self._searched = False
        self._compacted = False

    @property
    def names(self) -> tuple[str, ...]:
        search = ("web_search_call",) if self._searched and not self.cited else ()
        return (*search, "compaction") if self._compacted else search

    def note(self, head: Head) -> None:
        self._searched |= isinstance(head, SearchHead)
        self._compacted |= isinstance(head, CompactionHead)


def finish_reason(stop: Stop, *, has_calls: bool) -> str:
    """Chat's word for why a reply ended."""
    match stop:
        case Stop.LENGTH | Stop.CONTEXT:
            return "length"
        case Stop.FILTER:
            return "content_filter"
        case Stop.END | Stop.CALLS | Stop.SEQUENCE | Stop.PAUSE:
            return "tool_calls" if has_calls else "stop"
        case _:
            assert_never(stop)
