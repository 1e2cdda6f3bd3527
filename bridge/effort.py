"""How hard to think: efforts (words), budgets (tokens) and the way from one to the other.

Anthropic's older models take a budget, its newer ones and OpenAI's an effort. The borders between efforts are those
of GitHub's own client family (below 4096 tokens low, below 16384 medium, above high), widened at both ends.
"""

from __future__ import annotations

from collections.abc import Collection

EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh", "max")
_BUDGETS = {"none": 0, "minimal": 1024, "low": 2048, "medium": 8192, "high": 16_384, "xhigh": 24_576, "max": 32_000}


def effort_of_budget(tokens: int) -> str:
    """The effort that a thinking budget stands for."""
    if tokens < 4096:
        return "low"
    return "medium" if tokens < 16_384 else "high"


def budget_of_effort(effort: str, least: int = 1024, most: int = 32_000) -> int:
    """The thinking budget, in tokens, that an effort stands for; a word unknown here is taken as medium."""
    return min(most, max(least, _BUDGETS.get(effort, _BUDGETS["medium"])))


def nearest_effort(effort: str, listed: Collection[str]) -> str | None:
    """The same effort, or the nearest that is `listed` (the weaker of two as near); None when none of them is known."""
    if effort in listed:
        return effort
    known = [each for each in EFFORTS if each in listed]
    if not known or effort not in EFFORTS:
        return None
    wanted = EFFORTS.index(effort)
    return min(known, key=lambda each: abs(EFFORTS.index(each) - wanted))
