"""Prompt: one request, whatever dialect it came in; what `read_request` makes and `write_request` takes.

What the target cannot carry is named in `Written.dropped`, what the reader could not take in `Prompt.dropped`; both
reach the caller in the header `x-bridge-dropped` and the ledger row. Names are those of the caller's dialect where a
field was dropped (`temperature`), and of the thing itself elsewhere (`web_search`, `image_url`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from msgspec import Struct

from bridge.parts import Cache, CallKind, Part, Text


class Role(StrEnum):
    SYSTEM = "system"
    """Instructions inside the conversation (`system`, `developer`); those at its head stand in `Prompt.system`."""
    USER = "user"
    """A person's words, and the results of calls."""
    ASSISTANT = "assistant"


class Turn(Struct, frozen=True):
    role: Role
    parts: tuple[Part, ...]


class ServerTool(StrEnum):
    """Tools that the model's own side runs. Others are dropped by name."""

    WEB_SEARCH = "web_search"


class Tool(Struct, frozen=True):
    """A client's tool. `schema` is the JSON schema of a function's arguments; None when the caller gave none.

    A custom tool has `grammar` (definition) and `syntax` (`lark`, `regex`) or takes any text. `strict` None: not said.
    """

    name: str
    description: str | None = None
    schema: dict[str, Any] | None = None
    strict: bool | None = None
    kind: CallKind = CallKind.FUNCTION
    grammar: str = ""
    syntax: str = ""
    namespace: str = ""
    namespace_description: str = ""
    cache: Cache | None = None


class WebSearch(Struct, frozen=True):
    """The wish for the web-search server tool. `max_uses` None: no limit said."""

    allowed_domains: tuple[str, ...] = ()
    blocked_domains: tuple[str, ...] = ()
    location: dict[str, str] | None = None
    context_size: str = ""
    max_uses: int | None = None


class Choice(StrEnum):
    AUTO = "auto"
    NONE = "none"
    REQUIRED = "required"
    NAMED = "named"


class ToolChoice(Struct, frozen=True):
    """With NAMED, `name` (`namespace`, `kind`) is the one tool to be called; `allowed` narrows AUTO and REQUIRED."""

    choice: Choice
    name: str = ""
    namespace: str = ""
    kind: CallKind = CallKind.FUNCTION
    allowed: tuple[str, ...] = ()


class Thinking(StrEnum):
    ENABLED = "enabled"
    ADAPTIVE = "adaptive"
    DISABLED = "disabled"


class ReasoningWish(Struct, frozen=True):
    """How much to think and how much of it to show; every field empty: the model's own habit.

    `effort` is one of bridge.effort.EFFORTS (or a word unknown here), `budget` a number of tokens, `summary` Responses'
    `auto|concise|detailed` or Messages' display `summarized|omitted`.
    """

    effort: str = ""
    budget: int | None = None
    thinking: Thinking | None = None
    summary: str = ""


class OutputWish(Struct, frozen=True):
    """Structured output: a JSON `schema`, or with None any JSON object."""

    schema: dict[str, Any] | None = None
    name: str = ""
    description: str = ""
    strict: bool | None = None


class Sampling(Struct, frozen=True):
    """Every field None: not said."""

    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    presence_penalty: float | None = None
    frequency_penalty: float | None = None
    seed: int | None = None
    logit_bias: dict[str, float] | None = None


@dataclass(frozen=True, slots=True)
class Prompt:
    """`top_logprobs` is None unless log probabilities are asked for (0: of the chosen token alone)."""

    turns: tuple[Turn, ...]
    system: tuple[Text, ...] = ()
    tools: tuple[Tool, ...] = ()
    web_search: WebSearch | None = None
    tool_choice: ToolChoice | None = None
    parallel_calls: bool | None = None
    max_output: int | None = None
    sampling: Sampling = field(default_factory=Sampling)
    stop: tuple[str, ...] = ()
    reasoning: ReasoningWish = field(default_factory=ReasoningWish)
    output: OutputWish | None = None
    verbosity: str = ""
    top_logprobs: int | None = None
    cache_key: str = ""
    dropped: tuple[str, ...] = ()
