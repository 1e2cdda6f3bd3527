"""The events of a streamed response.

    created in_progress
      (item.added  part.added delta* done part.done  item.done)*
    completed | incomplete | failed

Ids of the response and of its items differ on every frame, the ciphertext of reasoning differs between `added`, `done`
and the terminal event; `output_index` and `call_id` are stable. `sequence_number` counts without gaps.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.simulator.generate import sse
from tests.simulator.generate.playing import Step
from tests.simulator.generate.prose import pieces_of
from tests.simulator.generate.response_items import Item, cipher, cited, fresh_id, items_of, response_object, usage_of
from tests.simulator.generate.script import Stop, argument_pieces
from tests.simulator.scenario import Body, Fault

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.simulator.generate.job import Job
    from tests.simulator.generate.usage import Bill


class ResponseStream:
    """Writes one answer, streamed (`steps`) or whole (`whole`)."""

    def __init__(self, job: Job, body: dict[str, Any]) -> None:
        items = body["input"] if isinstance(body["input"], list) else []
        self._job = job
        self._body: Mapping[str, Any] = {**body, "input": items}
        self._sequence = 0
        self._items = items_of(job, self._body)
        self._encrypts = "reasoning.encrypted_content" in (body.get("include") or ())
        self._text = job.script.text

    def steps(self) -> Iterator[Step]:
        """All events in order."""
        yield self._life("response.created", "in_progress")
        if self._job.scenario.fault is Fault.EARLY_FAILURE:
            yield self._life("response.failed", "failed")
            yield Step(self._error_event())
            return
        yield self._life("response.in_progress", "in_progress")
        for number, item in enumerate(self._items):
            yield from self._item(number, item)
        yield self._terminal()
        if self._job.scenario.done:
            yield Step(sse.DONE, closing=True)

    def whole(self) -> dict[str, Any]:
        """The answer to a request that is not streamed."""
        billed = self._job.final()
        body = self._final_object(billed)
        return body | {"copilot_usage": billed.usage} if self._job.bills_tokens else body

    def error(self) -> bytes:
        """The event for a fault in the middle: `response.failed` or a standalone `error`."""
        scenario = self._job.scenario
        if scenario.fault is not Fault.FAILED:
            return self._error_event()
        failed = response_object(self._job, self._body, "failed")
        failed["error"] = {"code": scenario.code or "server_error", "message": scenario.message or "stream error"}
        return self._frame("response.failed", response=failed)

    def keepalive(self) -> bytes:
        """What is sent during a silence."""
        return self._frame("keepalive")

    def _error_event(self) -> bytes:
        scenario = self._job.scenario
        error = {"code": scenario.code or "server_error", "message": scenario.message or "stream error", "param": None}
        if scenario.body is Body.NESTED:
            return self._frame("error", error={**error, "type": scenario.error_type or "server_error"})
        return self._frame("error", **error)

    def _frame(self, kind: str, **fields: Any) -> bytes:
        value = {"sequence_number": self._sequence, "type": kind, **fields}
        self._sequence += 1
        return sse.event(value, named=self._job.scenario.event_lines)

    def _life(self, kind: str, status: str) -> Step:
        return Step(self._frame(kind, response=response_object(self._job, self._body, status)))

    def _item(self, number: int, item: Item) -> Iterator[Step]:
        writers = {
            "reasoning": self._reasoning,
            "message": self._message,
            "web_search_call": self._web_search,
            "function_call": self._call,
            "custom_tool_call": self._call,
        }
        yield self._step("response.output_item.added", number, item=self._written(item, number, done=False))
        if item.kind in writers:
            yield from writers[item.kind](number, item)
        hidden = self._job.script.reasoning if item.kind == "reasoning" and not item.fields["summary"] else ""
        done = self._frame(
            "response.output_item.done", item=self._written(item, number, done=True), output_index=number
        )
        yield Step(done, thought=hidden)

    def _written(self, item: Item, number: int, *, done: bool) -> dict[str, Any]:
        """The item as a frame shows it, with an id of its own."""
        item_id = fresh_id(self._job, item.kind, number)
        shown: dict[str, Any] = {"id": item_id, "type": item.kind, **item.fields}
        match item.kind:
            case "reasoning":
                shown |= {"content": [], "summary": item.fields["summary"] if done else []}
                shown["encrypted_content"] = cipher(self._job, item_id) if self._encrypts else None
            case "compaction":
                shown["encrypted_content"] = cipher(self._job, item_id)
            case "message":
                shown |= {"content": [self._part()] if done else [], "status": "completed" if done else "in_progress"}
            case "function_call" | "custom_tool_call":
                shown["status"] = "completed" if done else "in_progress"
                if not done:
                    shown["arguments" if "arguments" in shown else "input"] = ""
            case "web_search_call":
                shown["status"] = "completed" if done else "in_progress"
        return shown

    def _part(self) -> dict[str, Any]:
        notes = [cited(self._text)] if self._job.script.searches else []
        return {"annotations": notes, "logprobs": [], "text": self._text, "type": "output_text"}

    def _reasoning(self, number: int, item: Item) -> Iterator[Step]:
        for summary in item.fields["summary"]:
            text: str = summary["text"]
            place: dict[str, Any] = {"summary_index": 0}
            part = {"text": "", "type": "summary_text"}
            yield self._of(item, "response.reasoning_summary_part.added", number, **place, part=part)
            for piece in pieces_of(text):
                delta = {"delta": piece, **place}
                yield self._grown(item, "response.reasoning_summary_text.delta", number, delta, thought=piece)
            yield self._of(item, "response.reasoning_summary_text.done", number, **place, text=text)
            yield self._of(item, "response.reasoning_summary_part.done", number, **place, part=summary)

    def _message(self, number: int, item: Item) -> Iterator[Step]:
        place: dict[str, Any] = {"content_index": 0}
        empty = {"annotations": [], "logprobs": [], "text": "", "type": "output_text"}
        yield self._of(item, "response.content_part.added", number, **place, part=empty)
        overhead = len(self._delta(item, number, "").frame)
        self._sequence -= 1
        said: list[str] = []
        for piece in self._job.pieces(overhead):
            said.append(piece)
            yield self._delta(item, number, piece)
        self._text = "".join(said)
        if self._job.script.searches:
            note = {"annotation": cited(self._text), "annotation_index": 0, **place}
            yield self._of(item, "response.output_text.annotation.added", number, **note)
        yield self._of(item, "response.output_text.done", number, **place, logprobs=[], text=self._text)
        yield self._of(item, "response.content_part.done", number, **place, part=self._part())

    def _delta(self, item: Item, number: int, piece: str) -> Step:
        delta = {"content_index": 0, "delta": piece, "logprobs": []}
        return self._grown(item, "response.output_text.delta", number, delta, said=piece)

    def _web_search(self, number: int, item: Item) -> Iterator[Step]:
        for phase in ("in_progress", "searching", "completed"):
            yield self._of(item, f"response.web_search_call.{phase}", number)

    def _call(self, number: int, item: Item) -> Iterator[Step]:
        custom = item.kind == "custom_tool_call"
        name = "input" if custom else "arguments"
        kind = "response.custom_tool_call_input" if custom else "response.function_call_arguments"
        said = item.fields["name"]
        for piece in argument_pieces(item.fields[name]):
            yield self._grown(item, f"{kind}.delta", number, {"delta": piece}, said=said + piece)
            said = ""
        yield self._of(item, f"{kind}.done", number, **{name: item.fields[name]})

    def _of(self, item: Item, kind: str, number: int, **fields: Any) -> Step:
        """An event that belongs to an item."""
        return Step(self._item_frame(item, kind, number, fields))

    def _grown(
        self, item: Item, kind: str, number: int, fields: dict[str, Any], *, said: str = "", thought: str = ""
    ) -> Step:
        """A delta: an event that belongs to an item and carries content."""
        noisy = {**fields, "obfuscation": self._job.seals.letters(10)}
        return Step(self._item_frame(item, kind, number, noisy), content=True, said=said, thought=thought)

    def _item_frame(self, item: Item, kind: str, number: int, fields: dict[str, Any]) -> bytes:
        item_id = fresh_id(self._job, item.kind, number)
        return self._frame(kind, item_id=item_id, output_index=number, **fields)

    def _step(self, kind: str, number: int, **fields: Any) -> Step:
        return Step(self._frame(kind, output_index=number, **fields))

    def _terminal(self) -> Step:
        billed = self._job.final()
        response = self._final_object(billed)
        extra = {"copilot_usage": billed.usage} if self._job.bills_tokens else {}
        return Step(self._frame(f"response.{response['status']}", response=response, **extra), closing=True)

    def _final_object(self, billed: Bill) -> dict[str, Any]:
        stop, finish = self._job.script.stop, self._job.scenario.finish
        reason = {Stop.LENGTH: "max_output_tokens", Stop.FILTER: "content_filter"}.get(stop)
        if finish in ("max_output_tokens", "length"):
            reason = "max_output_tokens"
        status = finish if finish in ("failed", "cancelled") else "incomplete" if reason else "completed"
        final = response_object(self._job, self._body, status)
        final["output"] = [self._written(item, number, done=True) for number, item in enumerate(self._items)]
        final["usage"] = usage_of(billed.tokens)
        if reason:
            final["incomplete_details"] = {"reason": reason}
        if stop is Stop.FILTER:
            final["content_filters"] = [_FILTERED]
        return final


_FILTERED = {
    "blocked": True,
    "content_filter_raw": [],
    "content_filter_results": {"violence": {"filtered": True, "severity": "high"}},
    "source_type": "completion",
    "type": "TextCopyright",
}
