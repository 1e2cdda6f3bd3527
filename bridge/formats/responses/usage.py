"""Usage as Responses tells it: cached and written tokens are a part of the input, reasoning tokens of the output.

Shape: https://platform.openai.com/docs/api-reference/responses/object#responses/object-usage
"""

from __future__ import annotations

from collections.abc import Mapping

from bridge.tally import Tally


def read_usage(usage: Mapping[str, object]) -> Tally:
    """The counts of a response's `usage`, in disjoint kinds."""
    total = _count(usage.get("input_tokens"))
    details = usage.get("input_tokens_details")
    inputs: Mapping[str, object] = details if isinstance(details, dict) else {}
    cached = min(total, _count(inputs.get("cached_tokens")))
    written = min(total - cached, _count(inputs.get("cache_write_tokens")))
    output, outputs = _count(usage.get("output_tokens")), usage.get("output_tokens_details")
    reasoning = _count(outputs.get("reasoning_tokens")) if isinstance(outputs, dict) else 0
    return Tally(
        input=total - cached - written,
        cached=cached,
        cache_write=written,
        output=output,
        reasoning=min(output, reasoning),
    )


def write_usage(tally: Tally) -> dict[str, object]:
    """The `usage` member of a response."""
    total = tally.input + tally.cached + tally.cache_write
    return {
        "input_tokens": total,
        "input_tokens_details": {"cache_write_tokens": tally.cache_write, "cached_tokens": tally.cached},
        "output_tokens": tally.output,
        "output_tokens_details": {"reasoning_tokens": tally.reasoning},
        "total_tokens": total + tally.output,
    }


def _count(value: object) -> int:
    """A token count; null, floats and negatives have been seen in these places."""
    return max(0, int(value)) if isinstance(value, int | float) and value == value and value < 1e15 else 0
