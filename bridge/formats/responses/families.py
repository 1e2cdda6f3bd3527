"""Which models take sampling parameters and which think, by family; data, because the live list does not say it.

Quirk responses-sampling: `temperature` and `top_p` are answered with 400 by reasoning models and by every backend
that is not OpenAI's own (https://platform.openai.com/docs/guides/reasoning). What is missing here is learned from the
upstream's own refusal.
"""

from __future__ import annotations

import re

from bridge.target import Target, WireProfile

SAMPLING = ("temperature", "top_p")
_REASONING = re.compile(r"o\d|gpt-[5-9]|gpt-\d\d|codex|grok|mai-")
_NOT_REASONING = re.compile(r"gpt-[1-4]|gpt-35")


def takes_sampling(target: Target) -> bool:
    return target.profile is WireProfile.LITE and not _REASONING.match(target.family)


def takes_reasoning(target: Target) -> bool:
    """Whether a `reasoning` member makes sense; where the live list is silent the family decides."""
    if target.efforts is not None:
        return bool(target.efforts)
    return not _NOT_REASONING.match(target.family)
