"""Who takes part in a replay: GitHub accounts as seats, members with their keys, the budgets above them.

Nearly everybody is ordinary. `tired` and `spent` have seats of their own, because what the upstream refuses them there
rests the whole seat; `erin`'s seat pays by premium requests. Three keys are limited: in doors, in models, in money.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

TEAM = "platform"


@dataclass(frozen=True, slots=True)
class SeatPlan:
    """A simulated account made like `preset`, connected by `owner`."""

    login: str
    preset: str
    owner: str
    serves: str = "owner"


@dataclass(frozen=True, slots=True)
class KeyPlan:
    """A key of a member; `limits` are fields of the key."""

    name: str
    member: str
    limits: Mapping[str, list[str] | int] = field(default_factory=dict)


MEMBERS: Mapping[str, str] = MappingProxyType(
    {"alice": TEAM, "bob": TEAM, "carol": "", "dan": "", "erin": "", "tired": "", "spent": ""}
)
SEATS = (
    SeatPlan("carol-copilot", "credits", "carol", serves="team"),
    SeatPlan("alice-copilot", "credits", "alice"),
    SeatPlan("bob-copilot", "business", "bob"),
    SeatPlan("erin-copilot", "legacy", "erin"),
    SeatPlan("tired-copilot", "credits", "tired"),
    SeatPlan("spent-copilot", "credits", "spent"),
)
ORDINARY = (
    KeyPlan("alice-laptop", "alice"),
    KeyPlan("alice-agent", "alice"),
    KeyPlan("bob-laptop", "bob"),
    KeyPlan("carol-laptop", "carol"),
    KeyPlan("carol-agent", "carol"),
    KeyPlan("dan-laptop", "dan"),
    KeyPlan("erin-laptop", "erin"),
)
TIRED = KeyPlan("tired-laptop", "tired")
SPENT = KeyPlan("spent-laptop", "spent")
FEW_DOORS = KeyPlan("carol-chat", "carol", {"doors": ["chat"]})
FEW_MODELS = KeyPlan("carol-gpt", "carol", {"models": ["gpt-*"]})
HURRIED = KeyPlan("dan-hurried", "dan", {"requests_per_minute": 4})
BUDGETED = KeyPlan("dan-budgeted", "dan")
KEYS = (*ORDINARY, TIRED, SPENT, FEW_DOORS, FEW_MODELS, HURRIED, BUDGETED)
