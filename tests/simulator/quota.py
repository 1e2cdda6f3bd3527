"""What an account is told about its quota: the headers of good answers and `/copilot_internal/user`.

The headers lag: they show the state of some generations ago (`quota_lag`), as the real ones do. The user document
comes in four shapes: paid by premium requests, paid by credits, and the free plan before and after June 2026.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from tests.simulator.accounts import Account, Era
from tests.simulator.world import World

_SESSION_SECONDS = 5 * 3600
_WEEK_SECONDS = 7 * 86_400
_COPILOT_PLAN = {"free": "individual", "max": "individual_pro"}


def headers(world: World, account: Account) -> dict[str, str]:
    """Return the quota headers of a 2xx answer, as they stood `quota_lag` generations ago."""
    reset = _next_month(world.time())
    until = quote(reset.strftime("%Y-%m-%dT%H:%M:%SZ"), safe="")
    session = _after(world.time(), _SESSION_SECONDS)
    week = _after(world.time(), _WEEK_SECONDS)
    left = _as_it_was(account, world.settings.quota_lag)
    counted = _line(account, left, until)
    unlimited = f"ent=-1&ov=0.0&ovPerm=false&rem=100.0&rst={until}"
    shown = {
        "x-quota-snapshot-chat": counted if account.is_free else unlimited,
        "x-quota-snapshot-completions": unlimited,
        "x-usage-ratelimit-session": f"ent=0&ov=0.0&ovPerm=false&rem={account.session_remaining}&rst={session}",
        "x-usage-ratelimit-weekly": f"ent=0&ov=0.0&ovPerm=false&rem={account.weekly_remaining}&rst={week}",
    }
    if not account.is_free:
        shown[f"x-quota-snapshot-{_counted_name(account)}"] = counted
    return shown


def user_document(world: World, account: Account) -> dict[str, Any]:
    """Return the body of `/copilot_internal/user` in the shape this account gets."""
    reset = _next_month(world.time())
    document: dict[str, Any] = {
        "access_type_sku": account.sku,
        "analytics_tracking_id": world.digest("analytics", account.login)[:32],
        "assigned_date": "2025-02-12T15:42:37-05:00",
        "can_signup_for_limited": False,
        "can_upgrade_plan": not account.organizations,
        "chat_enabled": True,
        "cli_enabled": True,
        "copilot_plan": _COPILOT_PLAN.get(account.plan, account.plan),
        "copilotignore_enabled": False,
        "editor_preview_features_enabled": True,
        "endpoints": endpoints(world, account.user_tier or account.tier),
        "is_mcp_enabled": True,
        "login": account.login,
        "organization_list": [{"login": name, "name": name} for name in account.organizations],
        "organization_login_list": list(account.organizations),
        "restricted_telemetry": False,
    }
    if account.user_shape == "bare":
        return document
    if account.billing is Era.FREE_OLD:
        return document | _old_free(account, reset)
    return document | {
        "quota_reset_date": reset.date().isoformat(),
        "quota_reset_date_utc": reset.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
        "quota_snapshots": _snapshots(world, account, reset),
        **({"token_based_billing": True} if account.billing is Era.CREDITS else {}),
    }


def endpoints(world: World, tier: str) -> dict[str, str]:
    """Return the `endpoints` of a tier; `api` points to this simulator when the world has a public origin."""
    tenant = tier.removeprefix("ghe:")
    if tenant != tier:
        return {
            "api": world.api_url(tier),
            "origin-tracker": f"https://origin-tracker.{tenant}.ghe.com",
            "proxy": f"https://copilot-proxy.{tenant}.ghe.com",
            "telemetry": f"https://copilot-telemetry-service.{tenant}.ghe.com",
        }
    names = ("origin-tracker", "proxy", "telemetry")
    return {"api": world.api_url(tier)} | {name: f"https://{name}.{tier}.githubcopilot.com" for name in names}


def next_reset(world: World) -> datetime:
    """Return when the month's quota begins anew."""
    return _next_month(world.time())


def _old_free(account: Account, reset: datetime) -> dict[str, Any]:
    return {
        "limited_user_quotas": {"chat": int(account.remaining), "completions": account.completions},
        "limited_user_reset_date": reset.date().isoformat(),
        "limited_user_subscribed_day": 6,
        "monthly_quotas": {"chat": int(account.entitlement), "completions": 4000},
    }


def _snapshots(world: World, account: Account, reset: datetime) -> dict[str, Any]:
    by_credits = account.billing is Era.CREDITS
    stamp = datetime.fromtimestamp(world.time(), UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
    if account.is_free:
        counted = {
            "chat": _counted(account),
            "completions": _snapshot(2000, 2000),
            "premium_interactions": _snapshot(0, 0),
        }
    else:
        free = _snapshot(0, 0, unlimited=True)
        counted = {"chat": free, "completions": dict(free), _snapshot_name(account): _counted(account)}
    for name, snapshot in counted.items():
        snapshot.update({"quota_id": name, "timestamp_utc": stamp})
        if by_credits:
            snapshot.update(_credit_fields(account, snapshot, reset))
    return counted


def _credit_fields(account: Account, snapshot: dict[str, Any], reset: datetime) -> dict[str, Any]:
    has_quota = not snapshot["unlimited"]
    fields: dict[str, Any] = {
        "has_quota": has_quota,
        "quota_reset_at": int(reset.timestamp()) if has_quota else 0,
        "token_based_billing": True,
    }
    return fields | ({"credits_used": round(account.used, 4)} if has_quota else {})


def _counted(account: Account) -> dict[str, Any]:
    return _snapshot(account.entitlement, account.remaining, overage_permitted=account.overage_permitted)


def _snapshot(
    entitlement: float, left: float, *, unlimited: bool = False, overage_permitted: bool = False
) -> dict[str, Any]:
    unlimited = unlimited or entitlement < 0
    over = max(0.0, -left) if overage_permitted else 0.0
    left = max(left, 0.0) if overage_permitted else left
    percent = 100.0 if unlimited else (100 * left / entitlement if entitlement else 0.0)
    return {
        "entitlement": int(entitlement),
        "overage_count": int(over),
        "overage_permitted": overage_permitted,
        "percent_remaining": percent,
        "quota_remaining": left,
        "remaining": int(left),
        "unlimited": unlimited,
    }


def _as_it_was(account: Account, lag: int) -> float:
    if lag <= 0 or not account.trail:
        return account.remaining
    return account.trail[-min(lag, len(account.trail))]


def _line(account: Account, left: float, until: str) -> str:
    total = account.entitlement
    percent = 100.0 if total < 0 else max(0.0, 100 * left / total) if total else 0.0
    over = max(0.0, -left) if account.overage_permitted else 0.0
    allowed = "true" if account.overage_permitted else "false"
    return f"ent={int(total)}&ov={over:.1f}&ovPerm={allowed}&rem={percent:.1f}&rst={until}&totRem={max(left, 0.0):.1f}"


def _counted_name(account: Account) -> str:
    if account.quota_name:
        return account.quota_name
    return "premium_models" if account.billing is Era.PREMIUM else "premium_interactions"


def _snapshot_name(account: Account) -> str:
    return account.quota_name or "premium_interactions"


def _after(now: float, seconds: int) -> str:
    """When a window of this length ends that began at a multiple of it, as a header says it."""
    end = datetime.fromtimestamp((now // seconds + 1) * seconds, UTC)
    return quote(end.strftime("%Y-%m-%dT%H:%M:%SZ"), safe="")


def _next_month(now: float) -> datetime:
    today = datetime.fromtimestamp(now, UTC)
    year, month = (today.year + 1, 1) if today.month == 12 else (today.year, today.month + 1)
    return datetime(year, month, 1, tzinfo=UTC)
