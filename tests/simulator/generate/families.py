"""What sets the model families apart, as far as answers and refusals go."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import TYPE_CHECKING

from tests.simulator.scenario import Backend, Scenario

if TYPE_CHECKING:
    from tests.simulator.catalogue import Model
    from tests.simulator.generate.seals import Seals


class Family(StrEnum):
    GPT_OLD = "gpt_old"
    """gpt-3.5 to gpt-4.1: no reasoning, chat chunks full of nulls, usage on the finish chunk."""
    GPT = "gpt"
    CLAUDE = "claude"
    GEMINI = "gemini"
    GROK = "grok"
    KIMI = "kimi"
    OTHER = "other"


_VENDORS = {"Anthropic": Family.CLAUDE, "Google": Family.GEMINI, "xAI": Family.GROK, "Moonshot AI": Family.KIMI}
_OLD_GPT = re.compile(r"gpt-(3|4)")


def family_of(model: Model) -> Family:
    """The family by maker and generation."""
    if model.vendor in _VENDORS:
        return _VENDORS[model.vendor]
    if _OLD_GPT.match(model.id):
        return Family.GPT_OLD
    return Family.GPT if model.id.startswith(("gpt-", "raptor", "o1", "o3", "o4")) else Family.OTHER


def claude_version(model: Model) -> tuple[float, str]:
    """Generation and line of a Claude model: (4.6, "opus")."""
    found = re.match(r"claude-([a-z]+)-(\d+(?:\.\d+)?)", model.id)
    return (float(found[2]), found[1]) if found else (0.0, "")


def backend_of(scenario: Scenario, seals: Seals) -> Backend:
    """Which cloud serves this request: as asked, else in turn by a hash of the request."""
    if scenario.backend is not Backend.AUTO:
        return scenario.backend
    return (Backend.BEDROCK, Backend.VERTEX, Backend.ANTHROPIC)[seals.pick(3, "backend")]


def always_thinks(model: Model) -> bool:
    """True for models that reason whether asked or not."""
    family = family_of(model)
    return model.thinking == "always" or family in (Family.GEMINI, Family.KIMI, Family.GPT)
