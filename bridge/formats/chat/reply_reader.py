"""Chat Completions, an answer of the upstream read as events.

`ChunkReader` says what each chunk adds, the same as on the verbatim road; here the pieces become parts that never
overlap. A delta's pieces are taken in the order thought, seal, words, refusal, calls. Quirk chat-seal-places: a seal
may come anywhere. Where a thought is open it is kept until that closes, where a call is open until that does;
anywhere else it becomes a reasoning part of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bridge.errors import BrokenStream
from bridge.events import (
    CallHead,
    Cited,
    Event,
    Failed,
    Finished,
    Head,
    PartClosed,
    PartOpened,
    ReasoningHead,
    RefusalHead,
    Sealed,
    Started,
    Stop,
    TextGrew,
    TextHead,
    Weighed,
)
from bridge.formats.chat.body import chunk_of_body
from bridge.formats.chat.chunks import ChunkReader, read_chunk
from bridge.formats.chat.marks import read_chances, read_citations
from bridge.parts import CallKind, Citation, Seal, SealKind
from bridge.sse import FrameSplitter, data_of
from bridge.tally import Tally

_STOPS = {"length": Stop.LENGTH, "content_filter": Stop.FILTER}
_THOUGHTS = ("reasoning_text", "reasoning_content", "cot_summary", "thinking")
_SEALS = ("reasoning_opaque", "signature")


class ReplyReader:
    """`feed` packets until `done` or the end of the body, then `end()`."""

    def __init__(self) -> None:
        self._chunks = ChunkReader("", 0, "")
        self._splitter = FrameSplitter()
        self._parts = _Parts()
        self._started = False
        self.done = False

    @classmethod
    def events_of_body(cls, body: bytes) -> list[Event]:
        """The events of an unstreamed JSON answer. Raises BrokenStream when it is no answer."""
        reader = cls()
        events = reader._take(chunk_of_body(body))
        return events if reader.done else events + reader.end()

    @property
    def output_bytes(self) -> int:
        return self._chunks.output_bytes

    @property
    def stop_reason(self) -> str:
        return self._chunks.finish_reason or ""

    @property
    def tally(self) -> Tally:
        return self._chunks.tally

    @property
    def counted(self) -> bool:
        return self._chunks.counted

    def feed(self, packet: bytes) -> list[Event]:
        """The events that `packet` completes. Raises BrokenStream on what is no stream of this format."""
        events: list[Event] = []
        for frame in self._splitter.feed(packet):
            events += self._frame(frame)
        return events

    def end(self) -> list[Event]:
        """The last events. Raises BrokenStream when the stream has no finish reason and no `[DONE]`."""
        if self._chunks.failure is not None:
            return []
        rest = self._splitter.rest
        before = self._frame(rest) if rest and not self.done else []
        if any(isinstance(event, Failed) for event in before):
            return before
        reason = self._chunks.check_end(was_done=self.done)
        self.done = True
        stop = _STOPS.get(reason, Stop.CALLS if self._parts.calls else Stop.END)
        finish = Finished(stop, None, self.tally, self.counted)
        return [*before, *self._start(), *self._parts.close(), finish]

    def _frame(self, frame: bytes) -> list[Event]:
        data = data_of(frame)
        if data is None or self.done:
            return []
        if data.strip() == b"[DONE]":
            self.done = True
            return []
        return self._take(read_chunk(data))

    def _take(self, chunk: Mapping[str, Any]) -> list[Event]:
        if isinstance(answer_id := chunk.get("id"), str) and answer_id:
            self._chunks.calls.spare_id = answer_id
        delta, extra = self._chunks.take(chunk)
        if self._chunks.failure is not None:
            self.done = True
            return [*self._start(), self._chunks.failure]
        if not delta and not extra:
            return []
        return [*self._start(), *self._parts.take(delta, extra)]

    def _start(self) -> list[Event]:
        if self._started:
            return []
        self._started = True
        return [Started()]


class _Parts:
    """The part that is open, and what waits for a place to stand."""

    def __init__(self) -> None:
        self.calls = 0
        self._open: Head | None = None
        self._events: list[Event] = []
        self._seal = ""
        self._last_seal = ""
        self._written = 0
        self._base = 0
        self._citations: list[Citation] = []

    def take(self, delta: Mapping[str, Any], extra: Mapping[str, Any]) -> list[Event]:
        """What one delta adds."""
        self._think(_first_text(delta, _THOUGHTS))
        self._take_seal(_first_text(delta, _SEALS))
        self._say(delta.get("content"))
        self._cite(read_citations(delta.get("annotations")))
        self._weigh(extra.get("logprobs"))
        self._refuse(delta.get("refusal"))
        for call in delta.get("tool_calls", ()):
            self._call(call)
        if isinstance(legacy := delta.get("function_call"), dict):
            self._call_legacy(legacy)
        return self._taken()

    def close(self) -> list[Event]:
        """Nothing more comes."""
        self._close()
        return self._taken()

    def _taken(self) -> list[Event]:
        events, self._events = self._events, []
        return events

    def _switch(self, head: Head) -> None:
        self._close()
        self._open = head
        self._events.append(PartOpened(head))

    def _close(self) -> None:
        """Close what is open; a seal that waited stands last in its thought, or else in a part of its own."""
        if self._open is not None and self._seal and not isinstance(self._open, ReasoningHead):
            self._events.append(PartClosed())
            self._open = None
        if self._seal:
            if self._open is None:
                self._events.append(PartOpened(ReasoningHead()))
            self._events += [Sealed(Seal(SealKind.OPAQUE, self._seal)), PartClosed()]
            self._last_seal, self._seal = self._seal, ""
        elif self._open is not None:
            self._events.append(PartClosed())
        self._open = None

    def _think(self, text: str) -> None:
        if not text:
            return
        if not isinstance(self._open, ReasoningHead):
            self._switch(ReasoningHead())
        self._events.append(TextGrew(text))

    def _take_seal(self, value: str) -> None:
        is_thinking = isinstance(self._open, ReasoningHead)
        if not value or (value == self._last_seal and not is_thinking):
            return
        self._seal = value
        if not is_thinking and not isinstance(self._open, CallHead):
            self._close()

    def _say(self, text: object) -> None:
        if not isinstance(text, str) or not text:
            return
        if not isinstance(self._open, TextHead):
            self._switch(TextHead())
            self._base = self._written
        self._events.append(TextGrew(text))
        self._written += len(text)
        self._cite([])

    def _refuse(self, text: object) -> None:
        if not isinstance(text, str) or not text:
            return
        if not isinstance(self._open, RefusalHead):
            self._switch(RefusalHead())
        self._events.append(TextGrew(text))

    def _cite(self, citations: list[Citation]) -> None:
        """Citations may come before their text; their places are counted from the beginning of the whole answer."""
        self._citations += citations
        if self._citations and isinstance(self._open, TextHead):
            self._events += [Cited(_moved(citation, -self._base)) for citation in self._citations]
            self._citations = []

    def _weigh(self, logprobs: object) -> None:
        chances = read_chances(logprobs)
        if chances and isinstance(self._open, TextHead):
            self._events.append(Weighed(chances))

    def _call(self, call: Mapping[str, Any]) -> None:
        kind, field = (CallKind.CUSTOM, "input") if "custom" in call else (CallKind.FUNCTION, "arguments")
        said = call[kind]
        if call["index"] == self.calls:
            if not said["name"]:
                raise BrokenStream("The upstream sent a tool call without a name. Send the request again.")
            self._switch(CallHead(call["id"], said["name"], kind))
            self.calls += 1
        if not said[field]:
            return
        if not isinstance(self._open, CallHead) or call["index"] != self.calls - 1:
            raise BrokenStream("The upstream mixed up the pieces of two tool calls. Send the request again.")
        self._events.append(TextGrew(said[field]))

    def _call_legacy(self, call: Mapping[str, Any]) -> None:
        """`function_call`, of which an answer holds one at most."""
        name, arguments = call.get("name"), call.get("arguments")
        if isinstance(name, str) and name and not isinstance(self._open, CallHead):
            self._switch(CallHead(f"call_{self.calls}", name))
            self.calls += 1
        if isinstance(arguments, str) and arguments and isinstance(self._open, CallHead):
            self._events.append(TextGrew(arguments))


def _first_text(delta: Mapping[str, Any], names: tuple[str, ...]) -> str:
    for name in names:
        if isinstance(text := delta.get(name), str) and text:
            return text
    return ""


def _moved(citation: Citation, by: int) -> Citation:
    if citation.start is None or citation.end is None or not by:
        return citation
    return Citation(citation.url, citation.title, max(0, citation.start + by), max(0, citation.end + by))
