"""The frames of a streamed chat completion, family by family.

OpenAI   prompt filter chunk, role-only delta, text, calls, finish, usage chunk of its own
Claude   text with the role on every delta, calls numbered oddly, usage on the finish chunk
Gemini   reasoning_text, whole calls, usage on every chunk (zeros until the last), finish on the last content
others   as OpenAI without the filter chunk, with reasoning_text
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.simulator.generate import sse
from tests.simulator.generate.chat_manners import Manners, call_ids, filter_results, opaque_blob, usage_of
from tests.simulator.generate.families import Family
from tests.simulator.generate.playing import Step
from tests.simulator.generate.prose import pieces_of
from tests.simulator.generate.script import Stop, argument_pieces
from tests.simulator.generate.usage import Tokens
from tests.simulator.scenario import OpaquePlace, ReasoningShape, ToolShape, UsagePlace

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.simulator.generate.choose import Call
    from tests.simulator.generate.job import Job

REASONS = {
    Stop.END: "stop",
    Stop.SEQUENCE: "stop",
    Stop.CALLS: "tool_calls",
    Stop.LENGTH: "length",
    Stop.FILTER: "content_filter",
}
_CITATION = {
    "citations": {
        "ip_type": "LICENSE",
        "license": "MIT",
        "snippet": "for i in range(10)",
        "url": "https://github.com/octo-org/octo-repo",
    },
    "details": {"code": "for i in range(10)"},
    "end_offset": 20,
    "id": 0,
    "start_offset": 0,
}


@dataclass(slots=True)
class ChatStream:
    """Writes one streamed answer; `opaque` is the blob still to be placed."""

    job: Job
    manners: Manners
    opaque: str | None = None

    def steps(self) -> Iterator[Step]:
        """All frames in order."""
        job, manners = self.job, self.manners
        if manners.is_openai:
            yield Step(sse.data(self._prompt_filter()))
        if job.scenario.annotations:
            yield Step(sse.data({**manners.envelope, "choices": None, "copilot_references": [_reference()]}))
        if not job.scenario.empty:
            yield from self._choice()
        if manners.usage is UsagePlace.SEPARATE or job.scenario.empty:
            yield Step(sse.data(self._chunk(None, **self._usage())), closing=True)
        yield Step(sse.DONE if job.scenario.done is not False else b"", closing=True)

    def _choice(self) -> Iterator[Step]:
        job, manners = self.job, self.manners
        shows = manners.reasoning is not ReasoningShape.NONE and bool(job.script.reasoning)
        if shows or manners.family is Family.GEMINI:
            self.opaque = opaque_blob(job)
        if shows:
            yield from self._reasoning()
        elif manners.is_openai:
            role = {"content": "", "role": "assistant"}
            yield Step(sse.data(self._chunk(self._delta(role))), thought=job.script.reasoning)
        yield from self._text()
        for number, (call, call_id) in enumerate(zip(job.script.calls, call_ids(job), strict=True)):
            last = number == len(job.script.calls) - 1
            yield from self._call(number, call, call_id, last=last)
        yield from self._finish()

    def _reasoning(self) -> Iterator[Step]:
        text, manners = self.job.script.reasoning, self.manners
        fields = {ReasoningShape.COT: "cot_summary", ReasoningShape.THINKING: "thinking"}
        name = fields.get(manners.reasoning, "reasoning_text")
        if manners.reasoning not in (ReasoningShape.OPAQUE_ONLY, ReasoningShape.REDACTED):
            pieces = [text] if manners.family is Family.GEMINI else pieces_of(text)
            for piece in pieces:
                delta = {"content": None, "role": "assistant", name: piece}
                yield Step(sse.data(self._chunk(self._delta(delta))), content=True, thought=piece)
        if manners.reasoning is ReasoningShape.COT:
            self.opaque = None
        elif manners.reasoning is ReasoningShape.THINKING or manners.opaque is OpaquePlace.WITH_REASONING:
            name = "signature" if manners.reasoning is ReasoningShape.THINKING else "reasoning_opaque"
            delta = {"content": None, "role": "assistant", name: self.opaque}
            self.opaque = None
            yield Step(sse.data(self._chunk(self._delta(delta))))

    def _text(self) -> Iterator[Step]:
        extra: dict[str, Any] = {}
        if self.manners.family in (Family.CLAUDE, Family.GEMINI):
            extra["role"] = "assistant"
        elif self.manners.family is Family.GPT_OLD:
            extra["role"] = None
        template = sse.Template.of(self._chunk(self._delta({"content": sse.HOLE, **extra})))
        first = True
        for piece in self.job.pieces(template.overhead):
            if first and (marks := self._marks(OpaquePlace.WITH_CONTENT)):
                frame = sse.data(self._chunk(self._delta({"content": piece, **extra, **marks})))
            else:
                frame = template.fill(piece)
            first = False
            yield Step(frame, content=True, said=piece)

    def _marks(self, place: OpaquePlace) -> dict[str, Any]:
        """What rides on a delta besides its text: annotations, and the opaque blob when this is its place."""
        marks: dict[str, Any] = {}
        if self.job.scenario.annotations and place is OpaquePlace.WITH_CONTENT:
            found = {"CodeVulnerability": [], "IPCodeCitations": [_CITATION]}
            marks |= {"annotations": found, "copilot_annotations": found}
        if self.opaque is not None and place in (self.manners.opaque, OpaquePlace.WITH_FINISH):
            marks["reasoning_opaque"] = self.opaque
            self.opaque = None
        return marks

    def _call(self, number: int, call: Call, call_id: str, *, last: bool) -> Iterator[Step]:
        shape = self.manners.tools
        index = {ToolShape.ALL_ZERO: 0, ToolShape.FROM_ONE: number + 1}.get(shape, number)
        odd = shape in (ToolShape.ALL_ZERO, ToolShape.FROM_ONE)
        head: dict[str, Any] = {"id": call_id, "index": index, "type": "function"}
        marks = self._marks(OpaquePlace.WITH_CALL)
        if shape is ToolShape.WHOLE:
            head["function"] = {"arguments": call.arguments, "name": call.tool}
            yield self._tool_step(head, call.tool + call.arguments, marks, finish=last and self._finishes_early())
            return
        head["function"] = {"name": call.tool} if odd else {"arguments": "", "name": call.tool}
        yield self._tool_step(head, call.tool, marks)
        later: dict[str, Any] = {"index": index, "type": "function"} if odd else {"index": index}
        for piece in ["", *argument_pieces(call.arguments)] if odd else argument_pieces(call.arguments):
            yield self._tool_step({**later, "function": {"arguments": piece}}, piece, {})

    def _tool_step(self, tool: dict[str, Any], said: str, marks: dict[str, Any], *, finish: bool = False) -> Step:
        delta: dict[str, Any] = {"content": None, "tool_calls": [tool], **marks}
        if "id" in tool and self.manners.family is not Family.CLAUDE:
            delta["role"] = "assistant"
        if self.manners.family is Family.GEMINI:
            delta["role"] = "assistant"
        if not finish:
            return Step(sse.data(self._chunk(self._delta(delta))), content=True, said=said)
        delta |= self._marks(OpaquePlace.WITH_FINISH)
        return Step(sse.data(self._finish_chunk(delta)), content=True, said=said)

    def _finishes_early(self) -> bool:
        """Gemini puts the finish reason on the chunk of the last call."""
        return self.manners.family is Family.GEMINI and self.job.script.stop is Stop.CALLS

    def _finish(self) -> Iterator[Step]:
        job, manners = self.job, self.manners
        if self._finishes_early() and manners.tools is ToolShape.WHOLE and job.script.calls:
            return
        delta: dict[str, Any] = {} if manners.family is Family.GPT else {"content": None}
        if manners.family is Family.GPT_OLD:
            delta["role"] = None
        if manners.family is Family.GEMINI:
            delta |= {"content": "", "role": "assistant"}
        delta |= self._marks(OpaquePlace.WITH_FINISH)
        if job.scenario.content_filter:
            delta["copilot_annotations"] = {"TextCopyright": [{"details": {}, "id": 0}]}
        yield Step(sse.data(self._finish_chunk(delta)), closing=True)
        if manners.reasoning is ReasoningShape.COT and job.script.reasoning:
            tail = {"content": None, "cot_id": f"cot_{job.seals.uuid()}", "role": None}
            yield Step(sse.data(self._chunk(self._delta(tail))), closing=True)

    def _finish_chunk(self, delta: dict[str, Any]) -> dict[str, Any]:
        choice = self._delta(delta)
        reason = self.job.scenario.finish or REASONS[self.job.script.stop]
        choice.pop("finish_reason", None)
        if reason != "missing":
            choice["finish_reason"] = reason
        if self.job.scenario.content_filter:
            choice["content_filter_results"] = filter_results(self.manners.family, filtered=True)
        here = self.manners.usage in (UsagePlace.ON_FINISH, UsagePlace.EVERY_CHUNK)
        return self._chunk(choice, **(self._usage() if here else {}))

    def _delta(self, delta: dict[str, Any]) -> dict[str, Any]:
        family = self.manners.family
        choice: dict[str, Any] = {"delta": delta, "index": 0}
        if family is Family.GPT_OLD:
            choice["content_filter_offsets"] = {"check_offset": 0, "end_offset": 0, "start_offset": 0}
        if self.manners.is_openai:
            choice["content_filter_results"] = filter_results(family) if delta.get("content") else {}
        elif family is Family.CLAUDE and isinstance(delta.get("content"), str):
            choice["content_filter_results"] = filter_results(family)
        if family in (Family.GPT, Family.GROK, Family.KIMI, Family.OTHER):
            choice |= {"finish_reason": None, "logprobs": None}
        return choice

    def _chunk(self, choice: dict[str, Any] | None, **more: Any) -> dict[str, Any]:
        chunk: dict[str, Any] = {**self.manners.envelope, "choices": [choice] if choice else []}
        if self.manners.object_field:
            chunk["object"] = "chat.completion.chunk"
        if self.manners.usage is UsagePlace.EVERY_CHUNK:
            chunk["usage"] = usage_of(Tokens(), self.manners.family)
        elif self.manners.family is Family.GPT and self.manners.usage is UsagePlace.SEPARATE:
            chunk["usage"] = None
        return chunk | more

    def _usage(self) -> dict[str, Any]:
        if self.manners.usage is UsagePlace.ABSENT:
            return {}
        billed = self.job.final()
        fields: dict[str, Any] = {"usage": usage_of(billed.tokens, self.manners.family)}
        if self.job.bills_tokens:
            fields["copilot_usage"] = billed.usage
        return fields

    def _prompt_filter(self) -> dict[str, Any]:
        results = [{"content_filter_results": filter_results(self.manners.family), "prompt_index": 0}]
        return {"choices": [], "created": 0, "id": "", "prompt_filter_results": results}


def _reference() -> dict[str, Any]:
    return {
        "data": {"type": "snippet"},
        "id": "octo-org/octo-repo",
        "is_implicit": False,
        "metadata": {},
        "type": "github.repository",
    }
