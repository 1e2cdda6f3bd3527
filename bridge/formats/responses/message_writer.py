"""A message of the assistant, written as events: one item of one or more content parts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from bridge.events import RefusalHead, TextHead
from bridge.formats.responses.item_writers import ItemWriter, Place
from bridge.formats.responses.line import head_of
from bridge.formats.responses.logprobs import write_chances
from bridge.formats.responses.writing_items import write_citation
from bridge.parts import Citation, TokenChance

_encode = msgspec.json.Encoder().encode


class MessageWriter(ItemWriter):
    """Texts of one phase that follow each other are parts of one message: it stays open until something else comes."""

    def __init__(self, place: Place, phase: str) -> None:
        super().__init__(place, "message")
        self.phase = phase
        self._fields: dict[str, Any] = {"role": "assistant"} | ({"phase": phase} if phase else {})
        self._content: list[dict[str, Any]] = []
        self._said: list[str] = []
        self._notes: list[dict[str, Any]] = []
        self._chances: list[dict[str, Any]] = []
        self._refuses = False
        self._head = b""

    def open(self) -> bytes:
        return self._added(**self._fields, content=[], status="in_progress")

    def open_part(self, head: TextHead | RefusalHead) -> bytes:
        self._said, self._notes, self._chances = [], [], []
        self._refuses = isinstance(head, RefusalHead)
        kind = "refusal" if self._refuses else "output_text"
        more = f'"content_index":{len(self._content)},' + ("" if self._refuses else '"logprobs":[],')
        self._head = head_of(f"response.{kind}.delta", self.id, self._index, more)
        return self._part_event("response.content_part.added", part=self._part(""))

    def grow(self, text: str) -> bytes:
        self._said.append(text)
        return self._line.grown(self._head, _encode(text))

    def cite(self, citation: Citation) -> bytes:
        note = write_citation(citation, sum(map(len, self._said)))
        self._notes.append(note)
        kind = "response.output_text.annotation.added"
        return self._part_event(kind, annotation_index=len(self._notes) - 1, annotation=note)

    def weigh(self, chances: Sequence[TokenChance]) -> bytes:
        """Log probabilities of text that is on its way already: they follow it beside an empty piece."""
        written = write_chances(chances)
        self._chances += written
        return self._part_event("response.output_text.delta", delta="", logprobs=written)

    def close_part(self) -> bytes:
        text = "".join(self._said)
        part = self._part(text)
        if self._refuses:
            done = self._part_event("response.refusal.done", refusal=text)
        else:
            done = self._part_event("response.output_text.done", text=text, logprobs=self._chances)
        done += self._part_event("response.content_part.done", part=part)
        self._content.append(part)
        return done

    def close(self) -> bytes:
        return self._finished(**self._fields, content=self._content, status="completed")

    def _part(self, text: str) -> dict[str, Any]:
        if self._refuses:
            return {"type": "refusal", "refusal": text}
        return {"type": "output_text", "text": text, "annotations": self._notes, "logprobs": self._chances}

    def _part_event(self, kind: str, **fields: Any) -> bytes:
        return self._event(kind, content_index=len(self._content), **fields)
