"""Chat Completions, `usage`: the tally of an answer in this format's terms, where prompt tokens include the cached."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bridge.tally import Tally


def write_usage(tally: Tally, told: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The usage that a client sees; what the upstream `told` beside the counts stays.

    Quirk chat-usage-places: where the upstream's own `usage` and its bill differ, the bill's counts stand here.
    """
    prompt = tally.input + tally.cached + tally.cache_write
    told = told or {}
    return {
        **told,
        "prompt_tokens": prompt,
        "completion_tokens": tally.output,
        "total_tokens": prompt + tally.output,
        "prompt_tokens_details": {
            **_part(told, "prompt_tokens_details"),
            "cached_tokens": tally.cached,
            "cache_write_tokens": tally.cache_write,
        },
        "completion_tokens_details": {
            **_part(told, "completion_tokens_details"),
            "reasoning_tokens": tally.reasoning,
        },
    }


def _part(told: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    part = told.get(name)
    return part if isinstance(part, dict) else {}
