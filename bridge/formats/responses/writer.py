"""Events written as a Responses stream, and a whole reply as the response object it ends in.

`response.created` and `in_progress` go out with the first part, so that a try which failed before can be repeated.
A model's own words of refusal do not end an answer otherwise than usual; a filtered answer is incomplete, whatever
came of it.
Shape: https://platform.openai.com/docs/api-reference/responses-streaming
"""

from __future__ import annotations

from typing import Any, assert_never

import msgspec
from msgspec import Raw

from bridge.assembly import Reply, events_of
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
from bridge.formats.responses.envelope import response_object
from bridge.formats.responses.errors import failure_of
from bridge.formats.responses.item_writers import (
    CallWriter,
    CompactionWriter,
    ItemWriter,
    Place,
    ReasoningWriter,
    SearchWriter,
    ShellWriter,
)
from bridge.formats.responses.line import KEEPALIVE, Line
from bridge.formats.responses.message_writer import MessageWriter
from bridge.formats.responses.usage import write_usage
from bridge.parts import Citation, Seal, SealKind
from bridge.road import Heading

_REASONS = {
    Stop.LENGTH: "max_output_tokens",
    Stop.CONTEXT: "max_output_tokens",
    Stop.FILTER: "content_filter",
}
_encode = msgspec.json.Encoder().encode


class ReplyWriter:
    """`response_object` is the final response as JSON once Finished was written; `dropped` what it cannot say."""

    def __init__(self, heading: Heading) -> None:
        self.response_object = b""
        self._heading = heading
        self._line = Line(heading.started)
        self._output: list[Raw] = []
        self._item: ItemWriter | None = None
        self._has_shell = _has_shell(heading)
        self._dropped: dict[str, None] = {}

    @property
    def dropped(self) -> tuple[str, ...]:
        return tuple(self._dropped)

    def write(self, event: Event) -> bytes:
        match event:
            case TextGrew(text):
                return self._item.grow(text) if self._item is not None else b""
            case PartOpened(head):
                return self._begin() + self._open(head)
            case PartClosed():
                return self._item.close_part() if isinstance(self._item, MessageWriter) else self._settle()
            case SectionBegan():
                return self._item.begin_section() if isinstance(self._item, ReasoningWriter) else b""
            case Sealed(seal):
                self._seal(seal)
                return b""
            case Cited(citation):
                return self._cite(citation)
            case Weighed(chances):
                return self._item.weigh(chances) if isinstance(self._item, MessageWriter) else b""
            case Searched(query, sources):
                if isinstance(self._item, SearchWriter):
                    self._item.tell(query, sources)
                return b""
            case Finished():
                return self._begin() + self._settle() + self._finish(event)
            case Started() | Failed():
                return b""
            case _:
                assert_never(event)

    def fail(self, error: BridgeError, sentence: str) -> bytes:
        """The event that ends a stream which broke off, whatever was open."""
        told = failure_of(error, sentence)
        response = response_object(self._heading, "failed", self._output, error=told)
        return self._begin() + self._line.event("response.failed", response=response)

    def keepalive(self) -> bytes:
        """Quirk responses-keepalive: an event, for comments alone do not keep Codex waiting; at first the opening."""
        return self._begin() or self._line.event(KEEPALIVE)

    def _begin(self) -> bytes:
        if self._line.sequence:
            return b""
        response = Raw(_encode(response_object(self._heading, "in_progress", [])))
        created = self._line.event("response.created", response=response)
        return created + self._line.event("response.in_progress", response=response)

    def _open(self, head: Head) -> bytes:
        if isinstance(head, TextHead | RefusalHead):
            return self._open_text(head)
        settled = self._settle()
        place = Place(self._heading.id, self._line, len(self._output))
        match head:
            case ReasoningHead():
                self._item = reasoning = ReasoningWriter(place)
                return settled + reasoning.open()
            case CallHead(_, "local_shell") if self._has_shell:
                self._item = ShellWriter(place, head)
                return settled
            case CallHead():
                self._item = call = CallWriter(place, head)
                return settled + call.open()
            case SearchHead():
                self._item = search = SearchWriter(place)
                return settled + search.open()
            case CompactionHead():
                self._item = CompactionWriter(place)
                return settled
            case _:
                assert_never(head)

    def _open_text(self, head: TextHead | RefusalHead) -> bytes:
        phase = head.phase if isinstance(head, TextHead) else ""
        message = self._item
        if isinstance(message, MessageWriter) and (isinstance(head, RefusalHead) or message.phase == phase):
            return message.open_part(head)
        settled = self._settle()
        self._item = message = MessageWriter(Place(self._heading.id, self._line, len(self._output)), phase)
        return settled + message.open() + message.open_part(head)

    def _settle(self) -> bytes:
        """Close the item that is open."""
        item, self._item = self._item, None
        if item is None:
            return b""
        closed = item.close()
        if item.done is not None:
            self._output.append(item.done)
        elif isinstance(item, CompactionWriter):
            self._dropped["compaction"] = None
        return closed

    def _seal(self, seal: Seal) -> None:
        if isinstance(self._item, ReasoningWriter | CompactionWriter) and seal.kind is SealKind.CIPHERTEXT:
            self._item.seal = seal.value

    def _cite(self, citation: Citation) -> bytes:
        if citation.url and isinstance(self._item, MessageWriter):
            return self._item.cite(citation)
        self._dropped["citations"] = None
        return b""

    def _finish(self, finished: Finished) -> bytes:
        reason = _REASONS.get(finished.stop, "")
        status = "incomplete" if reason else "completed"
        usage = write_usage(finished.tally)
        whole: dict[str, Any] = response_object(self._heading, status, self._output, usage=usage, incomplete=reason)
        self.response_object = _encode(whole)
        return self._line.event(f"response.{status}", response=Raw(self.response_object))


def write_reply(reply: Reply, heading: Heading) -> bytes:
    """The whole answer, unstreamed."""
    writer = ReplyWriter(heading)
    for event in events_of(reply):
        writer.write(event)
    return writer.response_object


def _has_shell(heading: Heading) -> bool:
    tools = heading.asked.fields.get("tools")
    return tools is not None and b'"local_shell"' in bytes(tools)
