"""Messages, `usage`: read from the events of an answer, and written for a client.

Anthropic's three input counts are disjoint: `input_tokens` holds neither what was read from the cache nor what was
written to it. `message_start` tells the prompt's size, `message_delta` the final counts; on Copilot `copilot_usage`
beside it is what is billed and lies over both.
Shape: https://docs.claude.com/en/api/messages#response-usage
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from bridge.tally import Tally, with_copilot_usage

_LARGEST = 10**15


class Meter:
    """What the events of one answer told of its usage. `counted`: the final counts, not only the prompt's, came."""

    def __init__(self) -> None:
        self.tally = Tally()
        self.counted = False
        self.members: dict[str, Any] = {}
        self._bill: Mapping[str, Any] | None = None

    def note_start(self, usage: object) -> Tally | None:
        """Take in `message_start.message.usage`; None when it tells nothing."""
        if not self._merge(usage):
            return None
        self._sum_up()
        return self.tally

    def note_end(self, usage: object, bill: object) -> None:
        """Take in what the last events carry: the final `usage` and `copilot_usage`."""
        told = self._merge(usage)
        if isinstance(bill, dict):
            self._bill, told = bill, True
        if told:
            self.counted = True
            self._sum_up()

    def _merge(self, usage: object) -> bool:
        if not isinstance(usage, dict):
            return False
        told = {name: value for name, value in usage.items() if value is not None}
        self.members |= told
        return bool(told)

    def _sum_up(self) -> None:
        tally = read_usage(self.members)
        if self._bill is not None:
            tally = with_copilot_usage(tally, self._bill)
        self.tally = replace(tally, reasoning=min(tally.reasoning, tally.output))


def read_usage(usage: Mapping[str, Any]) -> Tally:
    """Anthropic's `usage` as a tally without a price."""
    details = usage.get("output_tokens_details")
    return Tally(
        input=_count(usage, "input_tokens"),
        cached=_count(usage, "cache_read_input_tokens"),
        cache_write=_count(usage, "cache_creation_input_tokens"),
        output=_count(usage, "output_tokens"),
        reasoning=_count(details, "thinking_tokens") if isinstance(details, dict) else 0,
    )


def write_usage(tally: Tally, searches: int = 0) -> dict[str, Any]:
    """A tally as Anthropic's `usage`, with all counts that SDKs ask for."""
    usage: dict[str, Any] = {
        "input_tokens": tally.input,
        "cache_creation_input_tokens": tally.cache_write,
        "cache_read_input_tokens": tally.cached,
        "output_tokens": tally.output,
    }
    if tally.reasoning:
        usage["output_tokens_details"] = {"thinking_tokens": tally.reasoning}
    if searches:
        usage["server_tool_use"] = {"web_search_requests": searches, "web_fetch_requests": 0}
    return usage


def _count(mapping: Mapping[str, Any], name: str) -> int:
    """A token count; null, fractions and negatives must not break an answer."""
    value = mapping.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return 0
    return max(0, int(value)) if value < _LARGEST else 0
