"""Roll-ups summed from the rows by the database, as the gateway's books would stand after the same requests."""

from __future__ import annotations

from typing import Any

_COST = "coalesce(nano_reported, nano_computed, 0)"
_SUMS = {
    **{name: f"sum(status = '{name}')" for name in ("settled", "refused", "failed", "cancelled", "abandoned")},
    **{f"{name}_tokens": f"sum({name}_tokens)" for name in ("input", "cached", "cache_write", "output", "reasoning")},
    "nano": f"sum({_COST})",
    "nano_stand_in": f"sum(CASE WHEN nano_reported IS NULL THEN {_COST} ELSE 0 END)",
    "premium_thousandths": "sum(coalesce(premium_thousandths, 0))",
    "opened": "count(*)",
}
_DAY_KEYS = ("day", "member_id", "key_id", "team_id", "seat_id", "program", "served_model")
_SLOT = " || '|' || ".join(f"coalesce({name}, '')" for name in _DAY_KEYS)
_DAYS = f"""
INSERT INTO accounts_usageday (slot, day, member_id, key_id, team_id, seat_id, program, model, {", ".join(_SUMS)},
    pruned, total_ms)
SELECT {_SLOT}, {", ".join(_DAY_KEYS)}, {", ".join(_SUMS.values())}, 0, sum(coalesce(total_ms, 0))
FROM accounts_usagerecord GROUP BY {", ".join(_DAY_KEYS)}
"""
_SESSIONS = f"""
INSERT INTO accounts_usagesession (slot, session, key_id, member_id, team_id, program, first_day, last_day,
    {", ".join(_SUMS)})
SELECT key_id || '|' || session, session, key_id, max(member_id), max(team_id), max(program), min(day), max(day),
    {", ".join(_SUMS.values())}
FROM accounts_usagerecord WHERE session <> '' GROUP BY key_id, session
"""


def roll_up(cursor: Any, pruned_before: str = "") -> None:
    """Fill both roll-ups; delete the rows of the days before `pruned_before`, as retention does."""
    cursor.execute(_DAYS)
    cursor.execute(_SESSIONS)
    if pruned_before:
        cursor.execute("UPDATE accounts_usageday SET pruned = opened WHERE day < %s", [pruned_before])
        cursor.execute("DELETE FROM accounts_usagerecord WHERE day < %s", [pruned_before])
