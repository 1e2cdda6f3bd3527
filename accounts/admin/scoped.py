"""Forms of rows that are for everyone, a team, a member or a key."""

from __future__ import annotations

from typing import Any

SUBJECTS = ("team", "member", "key")


def drop_unnamed(cleaned: dict[str, Any]) -> dict[str, Any]:
    """Drop what the chosen scope does not name: the page hides those fields but keeps their values."""
    scope = cleaned.get("scope")
    for name in SUBJECTS:
        if name in cleaned and scope is not None and name != scope:
            cleaned[name] = None
    return cleaned
