"""Streams as Copilot sends them: every frame names the response and its items by other ids than the one before.

Taken from recorded streams; ids and ciphertexts are shortened. `Upstream` writes the frames of one stream.
"""

from __future__ import annotations

import json
from typing import Any

from bridge.asked import Asked
from bridge.formats.responses.verbatim import open_request
from bridge.road import Heading

Json = dict[str, Any]
REQUEST_ID = "0123456789abcdef0123456789abcdef"
MODEL = "gpt-as-asked"
USAGE: Json = {
    "input_tokens": 1500,
    "input_tokens_details": {"cached_tokens": 1000, "cache_write_tokens": 100},
    "output_tokens": 80,
    "output_tokens_details": {"reasoning_tokens": 30},
    "total_tokens": 1580,
}
BILL: Json = {
    "token_details": [
        {"token_type": "input", "token_count": 400, "batch_size": 1000000, "cost_per_batch": 125000000000},
        {"token_type": "cache_read", "token_count": 1000, "batch_size": 1000000, "cost_per_batch": 12500000000},
        {"token_type": "cache_write", "token_count": 100, "batch_size": 1000000, "cost_per_batch": 125000000000},
        {"token_type": "output", "token_count": 80, "batch_size": 1000000, "cost_per_batch": 1000000000000},
    ],
    "total_nano_aiu": 155000000,
}


def asked(**members: Any) -> Asked:
    return open_request(json.dumps({"model": MODEL, "input": "Hi", "stream": True, **members}).encode())


def heading(**members: Any) -> Heading:
    return Heading(asked(**members), REQUEST_ID, 1_760_000_000)


class Upstream:
    """Frames are added by the methods; `wire` is the stream with `line_end` between the lines."""

    def __init__(self, *, event_lines: bool = True) -> None:
        self._event_lines = event_lines
        self._frames: list[str] = []
        self._ids = 0
        self.items: list[Json] = []

    def frame(self, kind: str, **members: Any) -> Upstream:
        data = json.dumps({"type": kind, "sequence_number": len(self._frames), **members}, ensure_ascii=False)
        self._frames.append((f"event: {kind}\n" if self._event_lines else "") + f"data: {data}\n\n")
        return self

    def raw(self, text: str) -> Upstream:
        self._frames.append(text)
        return self

    def begin(self) -> Upstream:
        self.frame("response.created", response=self.response("in_progress"))
        return self.frame("response.in_progress", response=self.response("in_progress"))

    def of(self, index: int, kind: str, **members: Any) -> Upstream:
        return self.frame(kind, item_id=self._id(), output_index=index, **members)

    def added(self, index: int, **item: Any) -> Upstream:
        return self.frame("response.output_item.added", output_index=index, item={"id": self._id(), **item})

    def done(self, index: int, **item: Any) -> Upstream:
        self.items.append(item)
        return self.frame("response.output_item.done", output_index=index, item={"id": self._id(), **item})

    def end(self, status: str = "completed", **members: Any) -> Upstream:
        output = [{"id": self._id(), **item} for item in self.items]
        response = self.response(status) | {"output": output, "usage": USAGE} | members
        return self.frame(f"response.{status}", response=response, copilot_usage=BILL)

    def wire(self, line_end: bytes = b"\n") -> bytes:
        return "".join(self._frames).encode().replace(b"\n", line_end)

    def frames(self) -> list[bytes]:
        return [frame.encode() for frame in self._frames]

    def response(self, status: str) -> Json:
        return {
            "id": self._id(),
            "object": "response",
            "created_at": 1759999999,
            "status": status,
            "error": None,
            "incomplete_details": None,
            "instructions": None,
            "metadata": {},
            "model": "gpt-5.9-2026-08-01",
            "output": [],
            "parallel_tool_calls": True,
            "store": False,
            "tool_choice": "auto",
            "tools": [],
            "usage": None,
            "copilot_region": "east",
        }

    def _id(self) -> str:
        self._ids += 1
        return f"{self._ids:04d}" + "Zm9v" * 5


def reasoning(stream: Upstream, index: int) -> Upstream:
    whole = {"type": "summary_text", "text": "Look first."}
    stream.added(index, type="reasoning", summary=[], content=[], encrypted_content="gAAAAAearly")
    stream.of(
        index, "response.reasoning_summary_part.added", summary_index=0, part={"type": "summary_text", "text": ""}
    )
    for delta in ("Look ", "first."):
        stream.of(index, "response.reasoning_summary_text.delta", summary_index=0, delta=delta, obfuscation="xYz")
    stream.of(index, "response.reasoning_summary_text.done", summary_index=0, text="Look first.")
    stream.of(index, "response.reasoning_summary_part.done", summary_index=0, part=whole)
    return stream.done(index, type="reasoning", summary=[whole], encrypted_content="gAAAAAdone")


def message(stream: Upstream, index: int, text: str = "Grüß dich,\u2028 🙂", phase: str = "final_answer") -> Upstream:
    part = {"type": "output_text", "text": "", "annotations": [], "logprobs": []}
    stream.added(index, type="message", role="assistant", status="in_progress", phase=phase, content=[])
    stream.of(index, "response.content_part.added", content_index=0, part=part)
    for delta in (text[:4], text[4:]):
        stream.of(index, "response.output_text.delta", content_index=0, delta=delta, logprobs=[], obfuscation="aBcDe")
    stream.of(index, "response.output_text.done", content_index=0, text=text, logprobs=[])
    stream.of(index, "response.content_part.done", content_index=0, part=part | {"text": text})
    whole = [part | {"text": text}]
    return stream.done(index, type="message", role="assistant", status="completed", phase=phase, content=whole)


def call(stream: Upstream, index: int, call_id: str = "call_a", arguments: str = '{"path":"a.txt"}') -> Upstream:
    fields = {"type": "function_call", "call_id": call_id, "name": "read_file"}
    stream.added(index, **fields, arguments="", status="in_progress")
    for delta in (arguments[:5], arguments[5:]):
        stream.of(index, "response.function_call_arguments.delta", delta=delta, obfuscation="q")
    stream.of(index, "response.function_call_arguments.done", arguments=arguments)
    return stream.done(index, **fields, arguments=arguments, status="completed")


def custom_call(stream: Upstream, index: int) -> Upstream:
    fields = {"type": "custom_tool_call", "call_id": "call_c", "name": "exec", "namespace": "functions"}
    stream.added(index, **fields, input="", status="in_progress")
    stream.of(index, "response.custom_tool_call_input.delta", delta="ls -l")
    stream.of(index, "response.custom_tool_call_input.done", input="ls -l")
    return stream.done(index, **fields, input="ls -l", status="completed")


def search(stream: Upstream, index: int) -> Upstream:
    action = {"type": "search", "query": "weather", "queries": ["weather"]}
    found = action | {"sources": [{"type": "url", "url": "https://a.example/"}]}
    stream.added(index, type="web_search_call", status="in_progress", action=action)
    for step in ("in_progress", "searching", "completed"):
        stream.of(index, f"response.web_search_call.{step}")
    return stream.done(index, type="web_search_call", status="completed", action=found)


def cited_message(stream: Upstream, index: int) -> Upstream:
    text = "It rains."
    note = {
        "type": "url_citation", "url": "https://a.example/", "title": "A", "start_index": 0, "end_index": 9,
    }  # fmt: skip
    part = {"type": "output_text", "text": text, "annotations": [note], "logprobs": []}
    stream.added(index, type="message", role="assistant", status="in_progress", content=[])
    empty = part | {"text": "", "annotations": []}
    stream.of(index, "response.content_part.added", content_index=0, part=empty)
    stream.of(index, "response.output_text.delta", content_index=0, delta=text, logprobs=[])
    stream.of(index, "response.output_text.annotation.added", content_index=0, annotation_index=0, annotation=note)
    stream.of(index, "response.output_text.done", content_index=0, text=text, logprobs=[])
    stream.of(index, "response.content_part.done", content_index=0, part=part)
    return stream.done(index, type="message", role="assistant", status="completed", content=[part])


def thoughtful() -> Upstream:
    """Reasoning, a text and two calls."""
    stream = reasoning(Upstream().begin(), 0)
    message(stream, 1, phase="commentary")
    call(stream, 2)
    return custom_call(stream, 3).end()


def searching() -> Upstream:
    return cited_message(search(Upstream().begin(), 0), 1).end()


def bare() -> Upstream:
    """No event lines, a keepalive, a comment, and `[DONE]` at the end."""
    stream = Upstream(event_lines=False).begin().raw(": ping\n\n").frame("keepalive")
    return message(stream, 0, phase="final_answer").end().raw("data: [DONE]\n\n")
