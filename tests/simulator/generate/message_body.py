"""An Anthropic message as one JSON body, and the blocks and usage it shares with the stream."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from tests.simulator.generate.families import claude_version
from tests.simulator.generate.script import Stop
from tests.simulator.generate.seals import Kind, digest
from tests.simulator.scenario import Backend, ReasoningShape

if TYPE_CHECKING:
    from tests.simulator.generate.job import Job
    from tests.simulator.generate.usage import Bill, Tokens

_SILENT_SINCE = 4.7
STOPS = {
    Stop.END: "end_turn",
    Stop.SEQUENCE: "stop_sequence",
    Stop.CALLS: "tool_use",
    Stop.LENGTH: "max_tokens",
    Stop.FILTER: "refusal",
}


def infix(job: Job) -> str:
    """What the backend writes into its ids: `bdrk_`, `vrtx_` or nothing."""
    return "" if job.backend is Backend.ANTHROPIC else f"{job.backend}_"


def message_id(job: Job) -> str:
    return f"msg_{infix(job)}01{job.seals.letters(22)}"


def blocks_of(job: Job) -> list[dict[str, Any]]:
    """The content blocks of the answer: thinking, text, one per call."""
    script = job.script
    blocks: list[dict[str, Any]] = []
    if script.reasoning and job.scenario.reasoning is ReasoningShape.REDACTED:
        blocks.append({"data": job.seals.seal(Kind.SIGNATURE), "type": "redacted_thinking"})
    elif script.reasoning:
        shown = shown_thoughts(job)
        blocks.append({"signature": sign(job, shown), "thinking": shown, "type": "thinking"})
    if script.text:
        blocks.append({"text": script.text, "type": "text"})
    for call in script.calls:
        call_id = f"toolu_{infix(job)}01{job.seals.letters(22)}"
        blocks.append({"id": call_id, "input": _input(call.arguments), "name": call.tool, "type": "tool_use"})
    return blocks


def shown_thoughts(job: Job) -> str:
    """The thoughts in words; from 4.7 on models leave them out unless asked for a summary."""
    shows = job.ask.shows_thoughts
    if shows is None:
        shows = claude_version(job.model)[0] < _SILENT_SINCE
    return job.script.reasoning if shows else ""


def sign(job: Job, thinking: str) -> str:
    """A signature bound to this text and this account."""
    return job.seals.seal(Kind.SIGNATURE, digest(thinking))


def message_body(job: Job) -> dict[str, Any]:
    """The whole answer."""
    billed = job.final()
    body: dict[str, Any] = {
        **opening(job, billed.tokens),
        "content": [] if job.scenario.empty else blocks_of(job),
        **ending(job),
        "usage": {**usage_of(billed.tokens), **thinking_tokens(billed.tokens)},
    }
    return body | around(job, billed)


def around(job: Job, billed: Bill) -> dict[str, Any]:
    """What stands beside the message: the bill, and the edits of its context when some were asked for."""
    fields: dict[str, Any] = {"copilot_usage": billed.usage} if job.bills_tokens else {}
    if "context_management" in job.request.json():
        fields["context_management"] = {"applied_edits": []}
    return fields


def opening(job: Job, tokens: Tokens) -> dict[str, Any]:
    """The message as `message_start` shows it."""
    return {
        "content": [],
        "id": message_id(job),
        "model": job.model_name,
        "role": "assistant",
        "stop_details": None,
        "stop_reason": None,
        "stop_sequence": None,
        "type": "message",
        "usage": {**usage_of(tokens), "output_tokens": 1},
    }


def ending(job: Job) -> dict[str, Any]:
    """Why the answer stops."""
    script = job.script
    reason = job.scenario.finish or STOPS[script.stop]
    details = {"category": "policy", "type": "refusal"} if reason == "refusal" else None
    ends = {"stop_details": details, "stop_reason": reason, "stop_sequence": script.sequence}
    if reason == "missing":
        ends["stop_reason"] = None
    return ends


def usage_of(tokens: Tokens) -> dict[str, Any]:
    """Anthropic's usage: input without what was read from or written to the cache."""
    return {
        "cache_creation": {"ephemeral_1h_input_tokens": 0, "ephemeral_5m_input_tokens": tokens.written},
        "cache_creation_input_tokens": tokens.written,
        "cache_read_input_tokens": tokens.cached,
        "input_tokens": tokens.fresh,
        "output_tokens": tokens.output,
    }


def thinking_tokens(tokens: Tokens) -> dict[str, Any]:
    return {"output_tokens_details": {"thinking_tokens": tokens.reasoning}} if tokens.reasoning else {}


def _input(arguments: str) -> Any:
    try:
        return msgspec.json.decode(arguments)
    except msgspec.DecodeError:
        return {}
