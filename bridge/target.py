"""What a format room must know of the model that a request goes to."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class WireProfile(StrEnum):
    """Which habits of the Responses format a model's backend has on Copilot.

    COPILOT: what GitHub's own editor speaks: function tools at the top level, no sampling parameters, no item ids.
    LITE: function and custom tools travel in an `additional_tools` item at the head of the input; `reasoning.context`,
    message phases and `client_metadata` are understood.
    FOREIGN: other vendors' models behind the format (Grok): neither phases, `reasoning.context` nor `client_metadata`.
    """

    COPILOT = "copilot"
    LITE = "lite"
    FOREIGN = "foreign"


class Repair(StrEnum):
    """What a refusal of the upstream asks to do to a request before one more try."""

    STRIP_REASONING = "reasoning"
    """Ciphertext, signatures or other seals could not be verified: send the history without reasoning."""
    PAIR_RESULTS = "tool_results"
    """Calls without results or results without calls: pair them."""
    DROP_WEB_SEARCH = "web_search"
    """The server tool is not supported for this model."""
    DESCRIBE_TOOLS = "descriptions"
    """An empty description somewhere deep in the tools or the history."""
    REBUILD = "rebuild"
    """Something unknown deep inside: write the body anew from what is known of it."""
    TELL_CALLS = "calls"
    """Calls without the proof that their model wants beside them: tell them in words."""
    FEWER_TOOLS = "tools"
    """More tools than the format takes."""


@dataclass(frozen=True, slots=True)
class Target:
    """The model as the upstream's live list describes it, and what it was found to refuse.

    `efforts` is None when the list says nothing of reasoning efforts, and empty when the model takes none; limits are
    in tokens, None when not stated. `refused` names top-level request fields that the upstream refused for this model
    lately, `repairs` what this very request needs after a refusal. `cache_key` names the conversation for the
    upstream's prompt cache; empty: none. `recovers_calls`: calls that this model writes as text are to be calls again.
    """

    model: str
    vendor: str = ""
    family: str = ""
    max_output_tokens: int | None = None
    efforts: tuple[str, ...] | None = None
    refused: frozenset[str] = field(default_factory=frozenset)
    adaptive_thinking: bool = False
    min_thinking_budget: int | None = None
    max_thinking_budget: int | None = None
    structured_outputs: bool = True
    parallel_calls: bool = True
    max_images: int | None = None
    profile: WireProfile = WireProfile.COPILOT
    recovers_calls: bool = False
    cache_key: str = ""
    repairs: frozenset[Repair] = field(default_factory=frozenset)
