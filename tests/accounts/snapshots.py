"""Callers, seats and routes as values, without a database."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from accounts.allowance import EVERYTHING, Allowance
from accounts.directory import Caller, RouteEntry, SeatEntry, Snapshot

NOW = 1_800_000_000.0

CALLER = Caller(
    key=30,
    key_name="laptop",
    key_hint="brg_abc",
    member=20,
    member_name="mo",
    team=10,
    team_name="core",
    own=EVERYTHING,
    shared=EVERYTHING,
    expires_at=None,
    language="",
)


def a_caller(**fields: Any) -> Caller:
    """Fields of the caller, or of its key's allowance."""
    own = {name: fields.pop(name) for name in Allowance.__dataclass_fields__ if name in fields}
    return replace(CALLER, **{"own": replace(EVERYTHING, **own), **fields})


def an_entry(number: int, **fields: Any) -> SeatEntry:
    """A seat in good health; without an owner it serves the team."""
    told: dict[str, Any] = {"owner": None, "serves": "owner" if fields.get("owner") else "team", "teams": frozenset()}
    rest: dict[str, Any] = {"host": "github.com", "kind": "exchanged", "state": "active", "until": None, "reason": ""}
    return SeatEntry(**{"id": number, "name": f"seat{number}", **told, **rest, **fields})


def a_route(pattern: str, target: str, number: int = 1, **fields: Any) -> RouteEntry:
    told: dict[str, Any] = {
        "scope": "everyone",
        "team": None,
        "member": None,
        "key": None,
        "priority": 0,
        "fallbacks": (),
    }
    return RouteEntry(**{"id": number, "pattern": pattern, "target": target, "origin": "console", **told, **fields})


def a_snapshot(*entries: SeatEntry | RouteEntry) -> Snapshot:
    seats = tuple(entry for entry in entries if isinstance(entry, SeatEntry))
    routes = tuple(entry for entry in entries if isinstance(entry, RouteEntry))
    return Snapshot(1, {}, frozenset({CALLER.key}), seats, routes)
