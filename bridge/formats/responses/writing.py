"""A Prompt written as the body of a Responses request, in the habits of the model's backend (`Target.profile`).

Instructions of the head go into `instructions`, which every profile understands. Stop sequences are not in the format
and are minded elsewhere; caching needs no hints, only the conversation's key.
"""

from __future__ import annotations

from typing import Any

import msgspec

from bridge.asked import Written
from bridge.effort import EFFORTS, effort_of_budget, nearest_effort
from bridge.formats.responses.editing import bounded_output, cache_key
from bridge.formats.responses.families import SAMPLING, takes_reasoning, takes_sampling
from bridge.formats.responses.writing_items import ItemsWriter
from bridge.formats.responses.writing_tools import write_choice, write_tools, write_web_search
from bridge.prompt import OutputWish, Prompt, ReasoningWish, Thinking
from bridge.target import Target, WireProfile

_NEEDED = frozenset({"model", "stream", "store", "input", "instructions", "tools"})
_UNSAYABLE = ("top_k", "presence_penalty", "frequency_penalty", "seed", "logit_bias")
_encode = msgspec.json.Encoder().encode


def write_request(prompt: Prompt, target: Target) -> Written:
    """The body for the upstream, always streamed, and the names of what it does not carry."""
    dropped: list[str] = []
    body: dict[str, Any] = {"model": target.model, "stream": True, "store": False}
    instructions = _instructions(prompt, target)
    items = ItemsWriter(target)
    for turn in prompt.turns:
        items.write(turn)
    if not items.items:
        items.write_instructions(instructions)
    elif instructions:
        body["instructions"] = instructions
    body["input"] = items.items
    dropped += items.dropped
    _write_tools(body, prompt, target, dropped)
    _write_limits(body, prompt, target, dropped)
    _write_reasoning(body, prompt.reasoning, target, dropped)
    _write_text(body, prompt, target)
    body["include"] = _include(body, prompt)
    if prompt.top_logprobs:
        body["top_logprobs"] = prompt.top_logprobs
    if key := cache_key(prompt.cache_key or target.cache_key):
        body["prompt_cache_key"] = key
    for name in sorted(target.refused & body.keys() - _NEEDED):
        del body[name]
        dropped.append(name)
    return Written(_encode(body), tuple(dict.fromkeys(dropped)))


def _instructions(prompt: Prompt, target: Target) -> str:
    texts = [part.text for part in prompt.system if part.text]
    if prompt.output is not None and not target.structured_outputs:
        texts.append(_wish_in_words(prompt.output))
    return "\n\n".join(texts)


def _wish_in_words(wish: OutputWish) -> str:
    if wish.schema is None:
        return "Answer with one JSON object only, without a code fence around it."
    schema = _encode(wish.schema).decode()
    return f"Answer with JSON only, without a code fence around it, that is valid under this JSON schema:\n{schema}"


def _write_tools(body: dict[str, Any], prompt: Prompt, target: Target, dropped: list[str]) -> None:
    tools = write_tools(prompt.tools)
    hosted: list[dict[str, Any]] = []
    if prompt.web_search is not None and target.profile is WireProfile.FOREIGN:
        dropped.append("web_search")
    elif prompt.web_search is not None:
        hosted.append(write_web_search(prompt.web_search, dropped))
        if prompt.web_search.max_uses is not None:  # the only tool that runs at the upstream's side
            body["max_tool_calls"] = max(1, prompt.web_search.max_uses)
    if tools and target.profile is WireProfile.LITE:
        body["input"].insert(0, {"type": "additional_tools", "role": "developer", "tools": tools})
    top = hosted if target.profile is WireProfile.LITE else tools + hosted
    if top:
        body["tools"] = top
    if not (tools or hosted):
        return
    if prompt.tool_choice is not None:
        body["tool_choice"] = write_choice(prompt.tool_choice)
    if prompt.parallel_calls is not None and target.parallel_calls:
        body["parallel_tool_calls"] = prompt.parallel_calls


def _write_limits(body: dict[str, Any], prompt: Prompt, target: Target, dropped: list[str]) -> None:
    if prompt.max_output is not None:
        body["max_output_tokens"] = bounded_output(prompt.max_output, target)
    sampling = prompt.sampling
    said = {name: getattr(sampling, name) for name in _UNSAYABLE}
    dropped += [name for name, value in said.items() if value not in (None, {}) and (value or name == "seed")]
    for name in SAMPLING:
        value = getattr(sampling, name)
        if value is None:
            continue
        if takes_sampling(target):
            body[name] = value
        elif value != 1:
            dropped.append(name)


def _write_reasoning(body: dict[str, Any], wish: ReasoningWish, target: Target, dropped: list[str]) -> None:
    if not takes_reasoning(target):
        if wish.effort not in ("", "none") or wish.thinking is Thinking.ENABLED:
            dropped.append("reasoning")
        return
    reasoning: dict[str, Any] = {}
    if effort := _effort(wish, target):
        reasoning["effort"] = effort
    if wish.summary in ("auto", "concise", "detailed"):
        reasoning["summary"] = wish.summary
    elif wish.summary != "omitted" and wish.thinking is not Thinking.DISABLED:
        reasoning["summary"] = "auto"
    if target.profile is WireProfile.LITE:
        reasoning["context"] = "all_turns"
    if reasoning:
        body["reasoning"] = reasoning


def _effort(wish: ReasoningWish, target: Target) -> str | None:
    """The effort to ask for; None leaves the model its own habit."""
    listed = target.efforts
    wanted = wish.effort
    if wish.thinking is Thinking.DISABLED:
        least = [each for each in EFFORTS if each in listed] if listed else []
        return least[0] if least else None
    if not wanted and wish.thinking is Thinking.ENABLED and wish.budget is not None:
        wanted = effort_of_budget(wish.budget)
    if not wanted:
        return None
    return wanted if listed is None else nearest_effort(wanted, listed)


def _write_text(body: dict[str, Any], prompt: Prompt, target: Target) -> None:
    text: dict[str, Any] = {}
    wish = prompt.output
    if wish is not None and target.structured_outputs:
        text["format"] = _format(wish)
    if prompt.verbosity:
        text["verbosity"] = prompt.verbosity
    if text:
        body["text"] = text


def _format(wish: OutputWish) -> dict[str, Any]:
    if wish.schema is None:
        return {"type": "json_object"}
    form: dict[str, Any] = {"type": "json_schema", "name": wish.name or "answer", "schema": wish.schema}
    if wish.description:
        form["description"] = wish.description
    if wish.strict is not None:
        form["strict"] = wish.strict
    return form


def _include(body: dict[str, Any], prompt: Prompt) -> list[str]:
    include = ["reasoning.encrypted_content"]
    if any(tool["type"] == "web_search" for tool in body.get("tools", ())):
        include.append("web_search_call.action.sources")
    if prompt.top_logprobs is not None:
        include.append("message.output_text.logprobs")
    return include
