"""The output items of a response, and the response object around them.

Every time an item is written it gets a fresh id, and ciphertexts are bound to the id they stand next to: that is how
the real service behaves, and why only `output_index` and `call_id` identify anything.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.simulator.generate.seals import Kind, digest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.simulator.generate.choose import Call
    from tests.simulator.generate.job import Job
    from tests.simulator.generate.usage import Tokens

_PREFIX: Mapping[str, str] = {
    "reasoning": "rs",
    "message": "msg",
    "function_call": "fc",
    "custom_tool_call": "ctc",
    "web_search_call": "ws",
    "compaction": "cmp",
}
_NO_COMPACTION = ("gpt-5-mini", "gpt-5", "gpt-5.1", "gpt-5.2")
_CITED = "https://example.com/simulated-source"


@dataclass(frozen=True, slots=True)
class Item:
    """One output item: its type and the fields that do not change from frame to frame."""

    kind: str
    fields: Mapping[str, Any]
    call: Call | None = None


# OpenAI counts the tokens of images that a tool made; there are none here.
_NO_IMAGES = {
    "input_tokens": 0,
    "input_tokens_details": {"image_tokens": 0, "text_tokens": 0},
    "output_tokens": 0,
    "output_tokens_details": {"image_tokens": 0, "text_tokens": 0},
    "total_tokens": 0,
}


def items_of(job: Job, body: Mapping[str, Any]) -> list[Item]:
    """The items of this answer in order."""
    if any(item.get("type") == "compaction_trigger" for item in body["input"] if isinstance(item, dict)):
        return [Item("compaction", {})] * (2 if job.model.id == "gpt-5-mini" else 1)
    if job.scenario.empty:
        return []
    script = job.script
    items = [Item("compaction", {})] if _compacts(job, body) else []
    if script.reasoning:
        items.append(Item("reasoning", {"summary": _summary(job)}))
    items += [Item("web_search_call", {"action": _search(query), "status": "completed"}) for query in script.searches]
    if script.text or job.scenario.bench or not script.calls:
        items.append(Item("message", {"phase": "commentary" if script.calls else "final_answer", "role": "assistant"}))
    return items + [_call_item(job, call) for call in script.calls]


def fresh_id(job: Job, kind: str, number: int) -> str:
    """The id of an item for one frame: new each time, or always the same when the scenario wants stable ids."""
    if job.scenario.rotating_ids is False:
        return f"{_PREFIX[kind]}_{digest(f'{job.request.number}:{number}').hex() * 3}"
    return job.seals.item_id()


def cipher(job: Job, item_id: str) -> str:
    """Encrypted content bound to `item_id`."""
    return job.seals.seal(Kind.CIPHER, digest(item_id), fill=320)


def cited(text: str) -> dict[str, Any]:
    """A URL citation over the first words of `text`."""
    return {
        "end_index": min(20, len(text)),
        "start_index": 0,
        "title": "A simulated source",
        "type": "url_citation",
        "url": _CITED,
    }


def response_object(job: Job, body: Mapping[str, Any], status: str) -> dict[str, Any]:
    """The response as every lifecycle event shows it, without output."""
    reasoning = body.get("reasoning") or {}
    text = body.get("text") or {}
    created = job.created
    return {
        "background": False,
        "completed_at": created if status == "completed" else None,
        "created_at": created,
        "error": None,
        "frequency_penalty": 0.0,
        "id": _response_id(job),
        "incomplete_details": None,
        "instructions": body.get("instructions"),
        "max_output_tokens": body.get("max_output_tokens"),
        "max_tool_calls": None,
        "metadata": body.get("metadata") or {},
        "model": job.model_name,
        "moderation": None,
        "object": "response",
        "output": [],
        "parallel_tool_calls": job.ask.parallel,
        "presence_penalty": 0.0,
        "previous_response_id": None,
        "prompt_cache_key": body.get("prompt_cache_key"),
        "prompt_cache_retention": None,
        "reasoning": {"effort": reasoning.get("effort", "medium"), "summary": reasoning.get("summary")},
        "safety_identifier": body.get("safety_identifier"),
        "service_tier": "default",
        "status": status,
        "store": False,
        "temperature": 1.0,
        "text": {"format": text.get("format") or {"type": "text"}, "verbosity": text.get("verbosity", "medium")},
        "tool_choice": body.get("tool_choice", "auto"),
        "tool_usage": {"image_gen": _NO_IMAGES, "web_search": {"num_requests": len(job.script.searches)}},
        "tools": list(body.get("tools") or ()),
        "top_logprobs": 0,
        "top_p": 1.0,
        "truncation": body.get("truncation", "disabled"),
        "usage": None,
        "user": None,
    }


def usage_of(tokens: Tokens) -> dict[str, Any]:
    """Usage with cached tokens as a part of the input."""
    return {
        "input_tokens": tokens.input,
        "input_tokens_details": {"cache_write_tokens": tokens.written, "cached_tokens": tokens.cached},
        "output_tokens": tokens.output,
        "output_tokens_details": {"reasoning_tokens": tokens.reasoning},
        "total_tokens": tokens.total,
    }


def _response_id(job: Job) -> str:
    if job.scenario.rotating_ids is False:
        return f"resp_{digest(str(job.request.number)).hex() * 3}"
    return job.seals.item_id()


def _summary(job: Job) -> list[dict[str, Any]]:
    if not job.ask.shows_thoughts:
        return []
    return [{"text": job.script.reasoning, "type": "summary_text"}]


def _search(query: str) -> dict[str, Any]:
    return {"queries": [query], "query": query, "type": "search"}


def _call_item(job: Job, call: Call) -> Item:
    custom = call.kind == "custom"
    fields: dict[str, Any] = {
        "call_id": f"call_{job.seals.letters(24)}",
        "name": call.tool,
        "input" if custom else "arguments": call.arguments,
    }
    if call.namespace:
        fields["namespace"] = call.namespace
    return Item("custom_tool_call" if custom else "function_call", fields, call)


def _compacts(job: Job, body: Mapping[str, Any]) -> bool:
    if job.model.id in _NO_COMPACTION:
        return False
    return any(
        edit.get("type") == "compaction" and job.prompt.input > edit.get("compact_threshold", 1 << 62)
        for edit in body.get("context_management") or ()
    )
