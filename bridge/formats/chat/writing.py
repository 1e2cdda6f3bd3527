"""Chat Completions, request side: the hub's Prompt written as a body for the upstream.

Which fields a model takes is decided in one place, `_Body`; the rules have ids in `bridge/QUIRKS.md`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import msgspec

from bridge.asked import Written
from bridge.effort import budget_of_effort, effort_of_budget, nearest_effort
from bridge.formats.chat.families import refused_by, speaks_openai
from bridge.formats.chat.write_turns import write_messages
from bridge.parts import Text
from bridge.prompt import Choice, OutputWish, Prompt, ReasoningWish, Sampling, Thinking, Tool, ToolChoice
from bridge.target import Target

STOPS_LIMIT = 4
_NEEDED = frozenset({"model", "messages", "stream", "stream_options", "tools"})
_NO_SEARCH = "Web search is not available here. Where an answer would need it, say so plainly."
_ANY_JSON = "Answer with one JSON object only, without any text or code fence around it."
_BY_SCHEMA = "Answer with JSON only, without any text or code fence around it. It must match this JSON schema:\n%s"


def write_request(prompt: Prompt, target: Target) -> Written:
    """The body for the upstream, always streamed and with usage, and the names of what could not be carried."""
    body = _Body(target)
    body.bound_output(prompt.max_output)
    body.sample(prompt.sampling)
    body.stop_at(prompt.stop)
    body.offer(prompt.tools, prompt.tool_choice, prompt.parallel_calls)
    body.reason(prompt.reasoning)
    body.form(prompt.output)
    body.weigh(prompt.top_logprobs)
    body.hint(prompt.verbosity, prompt.cache_key)
    if prompt.web_search is not None:
        body.dropped.append("web_search")
        body.instructions.append(_NO_SEARCH)
    system = (*prompt.system, *(Text(each) for each in body.instructions))
    messages, dropped = write_messages(system, prompt.turns, target)
    whole = {
        "model": target.model,
        "messages": messages,
        "stream": True,
        "stream_options": {"include_usage": True},
        **body.without_refused(),
    }
    return Written(msgspec.json.encode(whole), tuple(dict.fromkeys([*body.dropped, *dropped])))


@dataclass(slots=True)
class _Body:
    """The fields beside the conversation; `instructions` say in words what no field can."""

    target: Target
    fields: dict[str, Any] = field(default_factory=dict)
    instructions: list[str] = field(default_factory=list)
    dropped: list[str] = field(default_factory=list)

    def bound_output(self, asked: int | None) -> None:
        """Quirk chat-max-tokens."""
        if asked is None:
            return
        is_new = "max_tokens" in refused_by(self.target)
        limit = min(asked, self.target.max_output_tokens or asked)
        self.fields["max_completion_tokens" if is_new else "max_tokens"] = limit

    def sample(self, sampling: Sampling) -> None:
        wishes = {name: value for name, value in msgspec.structs.asdict(sampling).items() if value is not None}
        if wishes.pop("top_k", None) is not None:
            self.dropped.append("top_k")
        self.fields |= wishes

    def stop_at(self, stop: tuple[str, ...]) -> None:
        if stop:
            self.fields["stop"] = list(stop[:STOPS_LIMIT])
        if len(stop) > STOPS_LIMIT:
            self.dropped.append("stop")

    def offer(self, tools: tuple[Tool, ...], choice: ToolChoice | None, parallel: bool | None) -> None:
        """Tools, and what is said of them only where there are some."""
        if not tools:
            return
        self.fields["tools"] = [_tool(tool) for tool in tools]
        if choice is not None:
            self.fields["tool_choice"] = _choice(choice)
        if parallel is not None and self.target.parallel_calls:
            self.fields["parallel_tool_calls"] = parallel

    def reason(self, wish: ReasoningWish) -> None:
        """An effort where the model lists efforts, a budget where it takes one; quirk effort-list."""
        target = self.target
        if target.efforts:
            self._make_effort(wish, target.efforts)
        elif target.max_thinking_budget is not None:
            self._make_budget(wish, target.max_thinking_budget)
        elif wish.effort not in ("", "none"):
            self.dropped.append("reasoning_effort")
        elif wish.budget or wish.thinking in (Thinking.ENABLED, Thinking.ADAPTIVE):
            self.dropped.append("thinking")

    def form(self, wish: OutputWish | None) -> None:
        """Structured output, asked for in words where the model has no field for it."""
        if wish is None:
            return
        can = self.target.structured_outputs and "response_format" not in refused_by(self.target)
        if can:
            self.fields["response_format"] = _response_format(wish)
        elif wish.schema is None:
            self.instructions.append(_ANY_JSON)
        else:
            self.instructions.append(_BY_SCHEMA % msgspec.json.encode(wish.schema).decode())

    def weigh(self, top: int | None) -> None:
        if top is None:
            return
        self.fields["logprobs"] = True
        if top:
            self.fields["top_logprobs"] = top

    def hint(self, verbosity: str, cache_key: str) -> None:
        """What OpenAI's own models alone understand."""
        is_openai = speaks_openai(self.target)
        if verbosity and is_openai:
            self.fields["verbosity"] = verbosity
        elif verbosity:
            self.dropped.append("verbosity")
        if cache_key and is_openai:
            self.fields["prompt_cache_key"] = cache_key

    def without_refused(self) -> dict[str, Any]:
        """The fields that the model takes, see quirk chat-sampling; the others are named."""
        refused = refused_by(self.target) - _NEEDED
        self.dropped += sorted(refused & self.fields.keys())
        return {name: value for name, value in self.fields.items() if name not in refused}

    def _make_effort(self, wish: ReasoningWish, listed: tuple[str, ...]) -> None:
        if wish.thinking is Thinking.DISABLED and not wish.effort:
            if "none" in listed:
                self.fields["reasoning_effort"] = "none"
            return
        wanted = wish.effort or (effort_of_budget(wish.budget) if wish.budget else "")
        nearest = nearest_effort(wanted, listed) if wanted else None
        if wish.effort and nearest != wish.effort:
            self.dropped.append("reasoning_effort")
        if nearest is not None:
            self.fields["reasoning_effort"] = nearest

    def _make_budget(self, wish: ReasoningWish, most: int) -> None:
        """Thinking takes its budget out of the output's limit, and goes with no temperature and no forced call."""
        if wish.thinking is Thinking.DISABLED or wish.effort == "none" or not (wish.budget or wish.effort):
            return
        least = self.target.min_thinking_budget or 1024
        limit = self.fields.get("max_tokens") or self.fields.get("max_completion_tokens")
        budget = min(most, max(least, wish.budget or budget_of_effort(wish.effort)))
        if limit is not None and budget >= limit:
            budget = limit - 1
        is_forced = self.fields.get("tool_choice", "auto") not in ("auto", "none")
        if budget < least or is_forced or "thinking_budget" in self.target.refused:
            self.dropped.append("thinking")
            return
        self.fields["thinking_budget"] = budget
        if self.fields.get("temperature", 1) != 1:
            del self.fields["temperature"]
            self.dropped.append("temperature")


def _tool(tool: Tool) -> dict[str, Any]:
    function: dict[str, Any] = {"name": tool.name}
    if tool.description is not None:
        function["description"] = tool.description
    if tool.schema is not None:
        function["parameters"] = tool.schema
    if tool.strict is not None:
        function["strict"] = tool.strict
    return {"type": "function", "function": function}


def _choice(choice: ToolChoice) -> Any:
    if choice.choice is Choice.NAMED:
        return {"type": "function", "function": {"name": choice.name}}
    return choice.choice.value


def _response_format(wish: OutputWish) -> dict[str, Any]:
    if wish.schema is None:
        return {"type": "json_object"}
    schema: dict[str, Any] = {"name": wish.name or "answer", "schema": wish.schema}
    if wish.description:
        schema["description"] = wish.description
    if wish.strict is not None:
        schema["strict"] = wish.strict
    return {"type": "json_schema", "json_schema": schema}
