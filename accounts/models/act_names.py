"""What the trail calls a change: by the row's kind, and by the column that says most about it."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection


class Kind(StrEnum):
    """What happened to a row; `WRITTEN` is a bulk write that may have made or changed it."""

    CREATED = "created"
    CHANGED = "changed"
    DELETED = "deleted"
    WRITTEN = "written"


_WORDS = {"apikey": "key", "modelroute": "route"}
_LIMITS = (
    "doors", "models", "addresses", "requests_per_minute", "tokens_per_minute", "concurrent_requests",
)  # fmt: skip
# The first column that is among the changes names the act.
_MADE = {
    "apikey": (("replaces", "rotated"), ("digest", "issued")),
    "seat": (("login", "connected"),),
}
_CHANGED = {
    "apikey": (("revoked_at", "revoked"), *((name, "limits_changed") for name in _LIMITS), ("expires_at", "end_moved")),
    "member": (("role", "role_changed"), ("is_active", "access_changed"), ("team", "team_changed")),
    "seat": (("state", "state_changed"), ("serves", "service_changed"), ("teams", "service_changed")),
    "team": tuple((name, "limits_changed") for name in _LIMITS),
}


def word_of(model: str) -> str:
    """Return the word with which acts on rows of a model begin."""
    return _WORDS.get(model, model)


def act_name(model: str, kind: Kind, columns: Collection[str]) -> str:
    """Return the act's name, such as `key.revoked`."""
    told = {Kind.CREATED: _MADE, Kind.CHANGED: _CHANGED}.get(kind, {}).get(model, ())
    verb = next((verb for column, verb in told if column in columns), kind.value)
    return f"{word_of(model)}.{verb}"
