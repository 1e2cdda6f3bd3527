"""The events of a streamed Anthropic message, as they come through Copilot.

    message_start  (content_block_start  content_block_delta*  content_block_stop)*  message_delta  message_stop

`copilot_usage` rides on message_delta; message_stop carries Bedrock's metrics when Bedrock served the request.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.simulator.generate import sse
from tests.simulator.generate.message_body import (
    around,
    ending,
    infix,
    opening,
    shown_thoughts,
    sign,
    thinking_tokens,
    usage_of,
)
from tests.simulator.generate.playing import Step
from tests.simulator.generate.prose import pieces_of
from tests.simulator.generate.script import argument_pieces
from tests.simulator.generate.seals import Kind
from tests.simulator.scenario import Backend, ReasoningShape

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.simulator.generate.choose import Call
    from tests.simulator.generate.job import Job

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


def message_steps(job: Job) -> Iterator[Step]:
    """All events in order."""
    yield _step({"message": opening(job, job.final().tokens), "type": "message_start"})
    if not job.scenario.empty:
        for index, block in enumerate(_blocks(job)):
            yield from _framed(index, *block)
    yield from _end(job)


def _blocks(job: Job) -> Iterator[tuple[dict[str, Any], Iterator[tuple[dict[str, Any], str, str]]]]:
    """Each block as its first state and its deltas: (delta, said, thought)."""
    script = job.script
    if script.reasoning and job.scenario.reasoning is ReasoningShape.REDACTED:
        yield {"data": job.seals.seal(Kind.SIGNATURE), "type": "redacted_thinking"}, iter(())
    elif script.reasoning:
        yield {"signature": "", "thinking": "", "type": "thinking"}, _thinking(job)
    if script.text or job.scenario.bench:
        yield {"text": "", "type": "text"}, _text(job)
    for call in script.calls:
        call_id = f"toolu_{infix(job)}01{job.seals.letters(22)}"
        yield {"id": call_id, "input": {}, "name": call.tool, "type": "tool_use"}, _arguments(call)


def _thinking(job: Job) -> Iterator[tuple[dict[str, Any], str, str]]:
    shown = shown_thoughts(job)
    for piece in pieces_of(shown):
        yield {"thinking": piece, "type": "thinking_delta"}, "", piece
    yield {"signature": sign(job, shown), "type": "signature_delta"}, "", "" if shown else job.script.reasoning


def _text(job: Job) -> Iterator[tuple[dict[str, Any], str, str]]:
    overhead = len(sse.event(_delta(0, {"text": "", "type": "text_delta"})))
    for number, piece in enumerate(job.pieces(overhead)):
        delta: dict[str, Any] = {"text": piece, "type": "text_delta"}
        if number == 0 and job.scenario.annotations:
            delta["annotate"] = True
        yield delta, piece, ""


def _arguments(call: Call) -> Iterator[tuple[dict[str, Any], str, str]]:
    yield {"partial_json": "", "type": "input_json_delta"}, call.tool, ""
    for piece in argument_pieces(call.arguments):
        yield {"partial_json": piece, "type": "input_json_delta"}, piece, ""


def _framed(index: int, first: dict[str, Any], deltas: Iterator[tuple[dict[str, Any], str, str]]) -> Iterator[Step]:
    yield _step({"content_block": first, "index": index, "type": "content_block_start"})
    for delta, said, thought in deltas:
        annotated = delta.pop("annotate", False)
        value = _delta(index, delta)
        if annotated:
            value["copilot_annotations"] = {"IPCodeCitations": [_CITATION]}
        yield Step(sse.event(value), content=True, said=said, thought=thought)
    yield _step({"index": index, "type": "content_block_stop"})


def _delta(index: int, delta: dict[str, Any]) -> dict[str, Any]:
    return {"delta": delta, "index": index, "type": "content_block_delta"}


def _end(job: Job) -> Iterator[Step]:
    billed = job.final()
    last: dict[str, Any] = {
        "delta": ending(job),
        "type": "message_delta",
        "usage": {**usage_of(billed.tokens), **thinking_tokens(billed.tokens)},
    }
    del last["usage"]["cache_creation"]
    yield _step(last | around(job, billed), closing=True)
    stop: dict[str, Any] = {"type": "message_stop"}
    if job.backend is Backend.BEDROCK:
        stop["amazon-bedrock-invocationMetrics"] = {
            "firstByteLatency": 400 + job.seals.pick(200, "first"),
            "inputTokenCount": billed.tokens.fresh,
            "invocationLatency": 900 + job.seals.pick(200, "last"),
            "outputTokenCount": billed.tokens.output,
        }
    yield _step(stop, closing=True)
    if job.scenario.done:
        yield Step(sse.DONE, closing=True)


def _step(value: dict[str, Any], *, closing: bool = False) -> Step:
    return Step(sse.event(value), closing=closing)
