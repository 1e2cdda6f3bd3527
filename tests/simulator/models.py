"""The model list of the Copilot API: who sees what, accepting a policy, and the auto mode's session token."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.simulator import errors
from tests.simulator.accounts import Account, Era
from tests.simulator.catalogue import Model, entry
from tests.simulator.catalogue_rows import ODDITIES
from tests.simulator.tokens import SelectorToken
from tests.simulator.wire import Request, Wire
from tests.simulator.world import World

_GROUPS = {"individual": "pro", "individual_pro": "pro_plus"}
_AUTO = ("gpt-5-mini", "claude-haiku-4.5", "gpt-4.1", "claude-sonnet-4.6", "gpt-5.3-codex")
_SELECTOR_TTL = 3600


async def handle(world: World, account: Account, request: Request, wire: Wire) -> None:
    """Answer everything of the Copilot API that is no generation. Raises the plain 404 for unknown paths."""
    match request.method, request.path.strip("/").split("/"):
        case "GET", ["models"]:
            await wire.respond(200, {"object": "list", "data": listing(world, account, request)})
        case "POST", ["models", "session"]:
            await wire.respond(200, _session(world, account, request))
        case "POST", ["models", "session", "intent"]:
            await wire.respond(200, _intent(world, account, request))
        case "GET", ["models", name]:
            await wire.respond(200, _shown(account, _visible(world, account, request, name)))
        case "POST", ["models", name, "policy"]:
            await wire.respond(200, _accept(account, _visible(world, account, request, name), request))
        case _, ["mcp", *_]:
            raise errors.plain(403, "forbidden: access denied")
        case _:
            raise errors.no_page()


def listing(world: World, account: Account, request: Request) -> list[dict[str, Any]]:
    """Return the entries this account sees with this client, changed as the scenario's `models` asks.

    `models` may hold `only` (ids), `without` (ids), `add` (whole entries) and `change` (id -> fields to set).
    """
    wishes: Mapping[str, Any] = world.asked(request, account).get("models", {})
    shown = [_shown(account, model) for model in visible_models(world, account, request)]
    shown[3:3] = [dict(oddity) for oddity in ODDITIES]
    if "only" in wishes:
        shown = [item for item in shown if item["id"] in wishes["only"]]
    shown = [item for item in shown if item["id"] not in wishes.get("without", ())]
    changes: Mapping[str, Any] = wishes.get("change", {})
    return [item | changes.get(item["id"], {}) for item in shown] + list(wishes.get("add", ()))


def visible_models(world: World, account: Account, request: Request) -> list[Model]:
    """Return the models that plan, restriction and integration id leave over."""
    return [
        model
        for model in world.models.values()
        if fits_account(account, model) and fits_integrator(account, request, model)
    ]


def fits_account(account: Account, model: Model) -> bool:
    """True when the plan includes the model and the account is not kept to others."""
    if account.models is not None and model.id not in account.models:
        return False
    return not model.plans or _GROUPS.get(account.plan, account.plan) in model.plans


def fits_integrator(account: Account, request: Request, model: Model) -> bool:
    """True when the client's integration id may use the model."""
    return not model.integrators or integrator(account, request) in model.integrators


def integrator(account: Account, request: Request) -> str:
    """Return the integration the request counts as: its header, else by the kind of token."""
    named = request.headers.get("copilot-integration-id")
    return named or ("opencode" if account.kind == "gho" else "vscode-chat")


def policy_of(account: Account, model: Model) -> str | None:
    """Return the state of the model's policy for this account; None when no consent is needed."""
    return account.policies.get(model.id, model.policy)


def _shown(account: Account, model: Model) -> dict[str, Any]:
    by_tokens = account.billing in (Era.CREDITS, Era.FREE_NEW)
    return entry(model, by_tokens=by_tokens, policy=policy_of(account, model))


def _visible(world: World, account: Account, request: Request, name: str) -> Model:
    model = world.models.get(name)
    if model is None or model not in visible_models(world, account, request):
        raise errors.capi(404, "not_found", f"model {name} not found")
    return model


def _accept(account: Account, model: Model, request: Request) -> dict[str, Any]:
    body = request.json()
    state = body.get("state") if isinstance(body, dict) else None
    if state not in ("enabled", "disabled"):
        raise errors.capi(400, "invalid_request_body", "state must be enabled or disabled")
    if account.policy_by_org:
        raise errors.asked("policy_required", {})
    if policy_of(account, model) is not None:
        account.policies[model.id] = state
    return {"state": state, "terms": f"Enable access to the latest {model.name} model."}


def _session(world: World, account: Account, request: Request) -> dict[str, Any]:
    open_to = [
        model.id
        for model in visible_models(world, account, request)
        if model.id in _AUTO and policy_of(account, model) in (None, "enabled")
    ]
    if not open_to:
        raise errors.model_not_supported()
    chosen = min(open_to, key=_AUTO.index)
    expires_at = int(world.time()) + _SELECTOR_TTL
    selector = SelectorToken(world.new_id("sim_auto_", 48), account.login, chosen, expires_at)
    world.selectors[selector.value] = selector
    return {
        "available_models": open_to,
        "discounted_costs": dict.fromkeys(open_to, 0.1),
        "expires_at": expires_at,
        "selected_model": chosen,
        "session_token": selector.value,
    }


def _intent(world: World, account: Account, request: Request) -> dict[str, Any]:
    selector = world.selectors.get(request.headers.get("copilot-session-token", ""))
    if selector is None or selector.login != account.login or selector.expires_at <= world.time():
        raise errors.wrong_selector()
    body = request.json()
    hard = "?" not in str(body.get("prompt", "")) or len(str(body.get("prompt", ""))) > 400
    score = 0.9 if hard else 0.2
    return {
        "candidate_models": body.get("available_models", [selector.model]),
        "confidence": 0.9,
        "latency_ms": 12,
        "predicted_label": "needs_reasoning" if hard else "no_reasoning",
        "scores": {"needs_reasoning": score, "no_reasoning": round(1 - score, 2)},
        "sticky_override": False,
    }
