"""The control API below /_sim: read what was received, say what shall happen, move the clock, change accounts."""

from __future__ import annotations

import base64
from dataclasses import asdict, fields
from typing import Any

from tests.simulator import device
from tests.simulator.accounts import Account, Era, State
from tests.simulator.scenario import Scenario
from tests.simulator.tokens import GrantState
from tests.simulator.wire import Received, Refusal, Request, Wire
from tests.simulator.world import CORE_KEYS, Rule, Settings, World, refuse_as_asked

_DECISIONS = {"approve": GrantState.APPROVED, "deny": GrantState.DENIED, "expire": GrantState.EXPIRED}
_MATCHES = frozenset({"account", "path", "model", "origin", "method"})
_SECRETS = frozenset({"github_tokens", "trail"})
_COUNTERS = ("answers", "exchanges", "nano_aiu", "premium_requests", "chat_messages")


async def handle(world: World, request: Request, wire: Wire) -> None:
    """Answer one call of the control API in JSON; a mistake in the call is a 400 with a sentence."""
    try:
        answer = _act(world, request)
    except (ValueError, TypeError, KeyError) as error:
        raise Refusal(400, f"simulator: {error!r}\n".encode()) from error
    await wire.respond(200, answer)


def _act(world: World, request: Request) -> dict[str, Any] | list[Any]:
    match request.method, request.path.strip("/").split("/"):
        case "GET", ["health"]:
            return {"ok": True, "time": world.time(), "requests": len(world.log)}
        case "GET", ["requests"]:
            return _requests(world, int(request.query.get("since", "0")))
        case "DELETE", ["requests"]:
            world.log.clear()
            return {"ok": True}
        case "POST", ["scenario"]:
            return _add_rule(world, request.json())
        case "GET", ["scenario"]:
            return [{"match": r.match, "times": r.times, "scenario": r.scenario} for r in world.scenarios]
        case "DELETE", ["scenario"]:
            world.scenarios.clear()
            return {"ok": True}
        case "POST", ["reset"]:
            world.reset()
            return {"ok": True}
        case "POST", ["clock"]:
            world.clock.skew = float(request.json()["skew"])
            return {"time": world.time()}
        case _, [("device" | "token" | "account" | "accounts" | "billing" | "settings"), *_]:
            return _act_on(world, request)
        case _:
            raise Refusal(404, b"simulator: no such control\n")


def _act_on(world: World, request: Request) -> dict[str, Any] | list[Any]:
    match request.method, request.path.strip("/").split("/"):
        case "GET", ["device"]:
            return [_grant(world, code) for code in world.grants]
        case "POST", ["device", code, decision]:
            body = request.json() if request.body else {}
            device.decide(world, code, _DECISIONS[decision], body.get("account", ""))
            return _grant(world, code.upper())
        case "POST", ["token", "expire"]:
            return {"tokens": world.expire_tokens(request.json()["account"])}
        case "POST", ["token", "revoke"]:
            return {"tokens": world.revoke_tokens(request.json()["account"])}
        case "GET", ["accounts"]:
            return [_account(account) for account in world.accounts.values()]
        case "GET", ["account", login]:
            return _account(world.account(login))
        case "POST", ["account", login]:
            return _account(_change(world, login, request.json()))
        case "GET", ["billing"]:
            return {login: _billing(account) for login, account in world.accounts.items()}
        case "GET", ["billing", "charges"]:
            return [asdict(charge) for charge in world.charges.values()]
        case "GET", ["settings"]:
            return _settings(world)
        case "POST", ["settings"]:
            return _set(world, request.json())
        case _:
            raise Refusal(404, b"simulator: no such control\n")


def _requests(world: World, since: int) -> list[Any]:
    return [shown(record) for record in list(world.log) if record.request.number > since]


def shown(record: Received) -> dict[str, Any]:
    """Return a log entry as JSON; a body that is no UTF-8 comes in base64."""
    request = record.request
    try:
        body = {"body": request.body.decode()}
    except UnicodeDecodeError:
        body = {"body_base64": base64.b64encode(request.body).decode()}
    return body | {
        "number": request.number,
        "at": record.at,
        "origin": request.origin,
        "tier": request.tier,
        "method": request.method,
        "path": request.path,
        "query": request.query,
        "headers": request.headers,
        "account": record.account,
        "model": record.model,
        "status": record.status,
        "outcome": record.outcome,
        "ended_at": record.ended_at,
        "sent": record.sent,
    }


def _add_rule(world: World, body: dict[str, Any]) -> dict[str, Any]:
    rule = Rule(dict(body.get("match", {})), body.get("times", 1), dict(body["scenario"]))
    unknown = rule.match.keys() - _MATCHES
    if unknown:
        raise ValueError(f"cannot match on {sorted(unknown)}")
    _check_scenario(rule.scenario)
    world.scenarios.append(rule)
    return {"ok": True, "rules": len(world.scenarios)}


def _check_scenario(scenario: dict[str, Any]) -> None:
    """Raise ValueError or KeyError when a scenario could not be obeyed."""
    Scenario.from_dict({name: value for name, value in scenario.items() if name not in CORE_KEYS})
    try:
        refuse_as_asked(scenario)
    except Refusal:
        return


def _grant(world: World, code: str) -> dict[str, Any]:
    grant = world.grants[code]
    return {
        "user_code": code,
        "client_id": grant.client_id,
        "state": grant.state,
        "account": grant.login,
        "polls": grant.polls,
        "interval": grant.interval,
        "tenant": grant.tenant,
    }


def _change(world: World, login: str, changes: dict[str, Any]) -> Account:
    """Set fields of an account by name; an unknown login is added, made `like` a preset."""
    changes = dict(changes)
    preset = changes.pop("like", "credits")
    account = world.accounts.get(login) or world.add_account(login, preset)
    known = {item.name for item in fields(Account)} - _SECRETS - {"login", "id"}
    for name, value in changes.items():
        if name not in known:
            raise ValueError(f"an account has no field {name!r} that may be set")
        setattr(account, name, _converted(name, value))
    return account


def _converted(name: str, value: Any) -> Any:
    if name == "state":
        return State(value)
    if name == "billing":
        return Era(value)
    if name in ("models", "organizations") and value is not None:
        return tuple(value)
    if name == "scenario":
        _check_scenario(value)
    return value


def _account(account: Account) -> dict[str, Any]:
    shown = {item.name: getattr(account, item.name) for item in fields(Account) if item.name not in _SECRETS}
    return shown | {
        "github_token": next((t.value for t in account.github_tokens if not t.revoked), None),
        "remaining": account.remaining,
        "used": account.used,
    }


def _billing(account: Account) -> dict[str, Any]:
    return {name: getattr(account, name) for name in _COUNTERS} | {"billing": account.billing}


def _settings(world: World) -> dict[str, Any]:
    return {item.name: getattr(world.settings, item.name) for item in fields(Settings)}


def _set(world: World, changes: dict[str, Any]) -> dict[str, Any]:
    known = {item.name for item in fields(Settings)}
    unknown = changes.keys() - known
    if unknown:
        raise ValueError(f"there are no settings {sorted(unknown)}")
    for name, value in changes.items():
        setattr(world.settings, name, value)
    return _settings(world)
