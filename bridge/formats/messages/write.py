"""Messages, a Prompt written for a model that speaks Messages.

Shape: https://docs.claude.com/en/api/messages. What a Prompt can say and this format cannot is named in `dropped`.
"""

from __future__ import annotations

from typing import Any

from bridge.asked import Written
from bridge.formats.messages.breakpoints import holders_of, mark_last, surplus
from bridge.formats.messages.edit import written
from bridge.formats.messages.notes import NO_WEB_SEARCH, Block, schema_wish, text_block
from bridge.formats.messages.order import thought_is_missing
from bridge.formats.messages.settings import Settings, fit_settings
from bridge.formats.messages.tools import fit_schema
from bridge.formats.messages.write_turns import mark, write_turns
from bridge.prompt import Choice, Prompt, Thinking, Tool
from bridge.target import Target

_USUAL_OUTPUT = 16_000
_CHOICES = {Choice.AUTO: "auto", Choice.REQUIRED: "any", Choice.NAMED: "tool", Choice.NONE: "none"}
_NOT_SAID = ("presence_penalty", "frequency_penalty", "seed", "logit_bias")


def write_request(prompt: Prompt, target: Target) -> Written:
    """The body for the upstream: streamed, within what `target` takes."""
    dropped = list(prompt.dropped)
    messages = write_turns(prompt.turns, target, dropped)
    tools = [_tool(tool, dropped) for tool in prompt.tools]
    settings = _settings(prompt, target, dropped)
    missing = thought_is_missing([(message["role"], message["content"]) for message in messages[-2:]])
    fit_settings(settings, target, dropped, thought_is_missing=missing)
    system = [mark(text_block(text.text), text.cache) for text in prompt.system if text.text.strip()]
    system += _extra_system(prompt, target, settings, dropped)
    _set_breakpoints(tools, system, messages)
    body: dict[str, Any] = {
        "model": target.model,
        "system": system,
        "tools": tools,
        "messages": messages,
        **settings,
        "stream": True,
    }
    return written(body, dropped)


def _tool(tool: Tool, dropped: list[str]) -> Block:
    block: Block = {"name": tool.name, "input_schema": fit_schema(tool.schema)}
    if tool.description:
        block["description"] = tool.description
    if tool.strict:
        dropped.append("strict")
    return mark(block, tool.cache)


def _settings(prompt: Prompt, target: Target, dropped: list[str]) -> Settings:
    wanted = prompt.sampling
    dropped += [name for name in _NOT_SAID if getattr(wanted, name)]
    dropped += [
        name
        for name, asked in (("logprobs", prompt.top_logprobs), ("verbosity", prompt.verbosity))
        if asked not in (None, "")
    ]
    settings: Settings = {
        "max_tokens": prompt.max_output or target.max_output_tokens or _USUAL_OUTPUT,
        "temperature": wanted.temperature,
        "top_p": wanted.top_p,
        "top_k": wanted.top_k,
        "stop_sequences": _stops(prompt, dropped),
        "tool_choice": _tool_choice(prompt) if prompt.tools else None,
        **_thinking(prompt, target),
    }
    if wanted.temperature is not None and wanted.temperature > 1:
        settings["temperature"] = 1
        dropped.append("temperature")
    return {name: value for name, value in settings.items() if value is not None}


def _stops(prompt: Prompt, dropped: list[str]) -> list[str] | None:
    """Quirk messages-blank-stops: a stop sequence of nothing but white space is refused."""
    stops = [stop for stop in prompt.stop if stop.strip()]
    if len(stops) < len(prompt.stop):
        dropped.append("stop")
    return stops or None


def _tool_choice(prompt: Prompt) -> Block | None:
    choice: Block | None = None
    if prompt.tool_choice is not None:
        choice = {"type": _CHOICES[prompt.tool_choice.choice]}
        if prompt.tool_choice.choice is Choice.NAMED:
            choice["name"] = prompt.tool_choice.name
    if prompt.parallel_calls is False and (choice is None or choice["type"] != "none"):
        choice = {**(choice or {"type": "auto"}), "disable_parallel_tool_use": True}
    return choice


def _thinking(prompt: Prompt, target: Target) -> Settings:
    """The wish to think, in the words of any model; `fit_settings` makes them those of this one."""
    wish = prompt.reasoning
    if wish.thinking is Thinking.DISABLED or wish.effort == "none":
        return {"thinking": {"type": "disabled"}}
    if wish.thinking is None and wish.budget is None and not wish.effort:
        return {}
    thinking: Block = {"type": "enabled" if wish.budget is not None else "adaptive"}
    if wish.budget is not None:
        thinking["budget_tokens"] = wish.budget
    if wish.summary:
        thinking["display"] = "omitted" if wish.summary == "omitted" else "summarized"
    settings: Settings = {"thinking": thinking}
    if wish.effort:
        effort = "low" if wish.effort == "minimal" else wish.effort
        settings["output_config"] = {"effort": effort}
    return settings


def _extra_system(prompt: Prompt, target: Target, settings: Settings, dropped: list[str]) -> list[Block]:
    """What must be said in words. Structured output is a setting where the model takes it as one."""
    extra: list[Block] = []
    if prompt.web_search is not None:
        dropped.append("web_search")
        extra.append(text_block(NO_WEB_SEARCH))
    output = prompt.output
    if output is None:
        return extra
    if output.schema is not None and target.structured_outputs and "output_config" not in target.refused:
        form = {"type": "json_schema", "schema": output.schema}
        settings["output_config"] = {**(settings.get("output_config") or {}), "format": form}
        return extra
    return [*extra, text_block(schema_wish(output.schema))]


def _set_breakpoints(tools: list[Block], system: list[Block], messages: list[Block]) -> None:
    """Quirk messages-cache-hints: nothing is cached that no breakpoint asks for, and other dialects have none."""
    held = [holder for message in messages for holder in holders_of(message["content"])]
    shared = [list(holders_of(tools)), list(holders_of(system))]
    if not any((held, *shared)):
        users = [message["content"] for message in messages if message["role"] == "user"]
        for blocks in (tools, system, *users[-2:]):
            mark_last(blocks)
    for holder in surplus(shared[0], shared[1], held):
        del holder["cache_control"]
