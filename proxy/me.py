"""`GET /v1/me`: what the caller's key may do, what of it is used, and what is left.

    {"object": "me",
     "key":    {"name", "hint", "created_at", "expires_at"?, "doors", "models", "addresses", "limits"},
     "member": {"name"},
     "team":   null, or {"name", "doors", "models", "addresses", "limits"},
     "budgets": [{"scope", "for", "span", "hard", "resets_at",
                  "limit", "settled", "reserved", "left": {"credits": "12.500000000", "nano": 12500000000}}],
     "seat":   {"name", "state", "until"?, "reason", "quota": [...], "quota_seen_at"?}, or null fields and a reason,
     "today":  {"requests": {"opened", "settled", "refused", "failed", "cancelled", "abandoned"},
                "tokens": {"input", "cached", "cache_write", "output"}, "cost": {"credits", "nano"}}}

`limits` holds `requests_per_minute`, `tokens_per_minute` and `concurrent_requests`, each null (no limit) or
`{"limit", "used", "left"}` of this moment. Empty `doors`, `models` and `addresses` admit all. Credits are exact decimal
strings, nano-AIU whole numbers; times are ISO 8601 with a zone, null when there is none. Budgets and today's figures
are at most a second old; days are those of the installation's time zone.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

import msgspec
from django.db import DatabaseError
from django.http import HttpResponse
from django.http.response import HttpResponseBase

from accounts.allowance import Allowance
from accounts.amounts import fixed_credits
from accounts.directory import Caller, SeatEntry
from accounts.routing import choose_seat
from accounts.spending import Spending
from accounts.standing import Standing
from bridge.errors import BridgeError, Shedding
from proxy.access import authenticate
from proxy.counted import Bound, Measure, Used, own_bound, shared_bound
from proxy.lean import DoorRequest, allow
from proxy.speech import sentence

_LIMIT_NAMES = (
    ("requests_per_minute", Measure.REQUESTS),
    ("tokens_per_minute", Measure.TOKENS),
    ("concurrent_requests", Measure.CONCURRENT),
)


async def me(request: DoorRequest) -> HttpResponseBase:
    """GET /v1/me: for every key, whatever doors it is limited to."""
    allow(request, "GET", "HEAD")
    caller = authenticate(request, None)
    runtime = request.runtime
    seat, told = _seat(request, caller)
    try:
        standing = await runtime.standings.get(caller, seat.id if seat is not None else None)
    except DatabaseError as fault:
        raise Shedding("The database cannot be read right now. Try again shortly.", retry_after=5) from fault
    bounds = {"own": own_bound(caller), "shared": shared_bound(caller)}
    limited = {name: bound for name, bound in bounds.items() if bound is not None}
    used = dict(zip(limited, await runtime.admission.used(tuple(limited.values())), strict=True))
    limits = {name: _limits(bound, used.get(name, Used())) for name, bound in bounds.items()}
    return _json(
        {
            "object": "me",
            "key": _key(caller, standing) | _allowed(caller.own) | {"limits": limits["own"]},
            "member": {"name": caller.member_name},
            "team": None
            if caller.team is None
            else {"name": caller.team_name, **_allowed(caller.shared), "limits": limits["shared"]},
            "budgets": [_budget(budget) for budget in standing.budgets],
            "seat": told | _quota(standing),
            "today": {
                "requests": standing.today,
                "tokens": {name.removesuffix("_tokens"): count for name, count in standing.tokens.items()},
                "cost": _money(standing.nano),
            },
        }
    )


def _key(caller: Caller, standing: Standing) -> dict[str, Any]:
    return {
        "name": caller.key_name,
        "hint": caller.key_hint,
        "created_at": standing.created_at.isoformat(),
        "expires_at": _moment(caller.expires_at),
    }


def _allowed(allowance: Allowance) -> dict[str, list[str]]:
    return {
        "doors": sorted(allowance.doors),
        "models": list(allowance.models),
        "addresses": [str(network) for network in allowance.networks],
    }


def _limits(bound: Bound | None, used: Used) -> dict[str, dict[str, int] | None]:
    counts = {Measure.REQUESTS: used.requests, Measure.TOKENS: used.tokens, Measure.CONCURRENT: used.concurrent}
    told: dict[str, dict[str, int] | None] = {}
    for name, measure in _LIMIT_NAMES:
        limit = bound.limit(measure) if bound is not None else None
        count = counts[measure]
        told[name] = None if limit is None else {"limit": limit, "used": count, "left": max(0, limit - count)}
    return told


def _budget(spending: Spending) -> dict[str, Any]:
    budget = spending.budget
    return {
        "scope": budget.scope,
        "for": budget.whose,
        "span": budget.span,
        "hard": budget.hard,
        "limit": _money(budget.limit_nano),
        "settled": _money(spending.settled),
        "reserved": _money(spending.reserved),
        "left": _money(spending.left),
        "resets_at": spending.resets_at.isoformat(),
    }


def _seat(request: DoorRequest, caller: Caller) -> tuple[SeatEntry | None, dict[str, Any]]:
    """The seat that a request would take now; without one, the sentence that the request would be refused with."""
    runtime = request.runtime
    limits = runtime.limits
    try:
        seat = choose_seat(
            runtime.directory.snapshot, caller, time.time(), page=limits.device_page, overflow=limits.overflow
        )
    except BridgeError as refusal:
        return None, {"name": None, "state": None, "until": None, "reason": sentence(refusal, caller.language)}
    state = "active" if seat.is_usable(time.time()) else seat.state
    return seat, {"name": seat.name, "state": state, "until": None, "reason": ""}


def _quota(standing: Standing) -> dict[str, Any]:
    seen_at = standing.quota_seen_at
    return {
        "quota": [
            {"name": quota.name, **quota.told, "reset_at": _moment(quota.told["reset_at"])} for quota in standing.quotas
        ],
        "quota_seen_at": seen_at.isoformat() if seen_at is not None else None,
    }


def _money(nano: int) -> dict[str, str | int]:
    return {"credits": fixed_credits(nano), "nano": nano}


def _moment(at: object) -> str | None:
    return datetime.fromtimestamp(at, UTC).isoformat() if isinstance(at, int | float) else None


def _json(value: object) -> HttpResponse:
    response = HttpResponse(msgspec.json.encode(value), content_type="application/json")
    response.headers["cache-control"] = "no-store"
    return response
