"""Which request fields a model family refuses on Chat Completions; data, because the live list does not say it.

Sources: OpenAI's reasoning models take no sampling parameters and `max_completion_tokens` instead of `max_tokens`
(https://platform.openai.com/docs/guides/reasoning); Gemini 3.7 and later take no sampling parameters (LiteLLM's
model table, November 2026). What is missing here is learned from the upstream's own refusals (`Target.refused`).
"""

from __future__ import annotations

import re

from bridge.target import Target

_SPEAKS_OPENAI = frozenset({"openai", "azure openai"})
_SAMPLING = frozenset(
    {
        "temperature",
        "top_p",
        "presence_penalty",
        "frequency_penalty",
        "logit_bias",
        "logprobs",
        "top_logprobs",
    }
)

_REFUSED: tuple[tuple[re.Pattern[str], frozenset[str]], ...] = (
    (re.compile(r"o\d|gpt-[5-9]|raptor"), _SAMPLING | {"max_tokens"}),
    # Kimi's are pinned (temperature 1, top_p 0.95): saying anything else is refused.
    (re.compile(r"kimi"), frozenset({"temperature", "top_p"})),
    (re.compile(r"gemini-(3\.[7-9]|[4-9])"), _SAMPLING),
)


def refused_fields(family: str) -> frozenset[str]:
    """The top-level fields that `family` is known to answer with 400."""
    for pattern, refused in _REFUSED:
        if pattern.match(family):
            return refused
    return frozenset()


def refused_by(target: Target) -> frozenset[str]:
    """The top-level fields that `target` refuses, known beforehand or learned."""
    return target.refused | refused_fields(target.family)


def speaks_openai(target: Target) -> bool:
    """Whether the model is OpenAI's own, which know more of the format than other vendors' models."""
    return target.vendor.lower() in _SPEAKS_OPENAI
