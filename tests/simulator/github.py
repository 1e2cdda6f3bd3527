"""api.github.com as Copilot clients use it: who am I, the token exchange, and the state of the subscription."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from tests.simulator import apps, quota, rest_errors
from tests.simulator.accounts import OPENCODE_CLIENT, Account, Era, GithubToken, State
from tests.simulator.tokens import CopilotToken
from tests.simulator.wire import TYPE_JSON, Refusal, Request, Wire, encode
from tests.simulator.world import World, refuse_as_asked

_NOTICE = {State.NO_SEAT: "no_copilot_access", State.SUSPENDED: "access_revoked", State.ABUSE: "spammy_user"}


async def handle(world: World, request: Request, wire: Wire) -> None:
    """Answer one request to the REST API of github.com or of a tenant."""
    if request.path.startswith("/app/installations/"):
        refuse_as_asked(world.asked(request, None))
        await apps.handle(world, request, wire)
        return
    found = _holder(world, request)
    wire.record.account = found[0].login if found else None
    wishes = world.asked(request, found[0] if found else None)
    await asyncio.sleep(wishes.get("hold", 0))
    if "redirect" in wishes:
        raise Refusal(302, b"", {"location": wishes["redirect"]})
    refuse_as_asked(wishes, found[0] if found else None)
    if found is None:
        raise rest_errors.bad_credentials()
    await wire.respond(200, encode(_body(world, request, *found, wishes)), content_type=TYPE_JSON)


def _body(
    world: World, request: Request, account: Account, token: GithubToken, wishes: Mapping[str, dict[str, Any]]
) -> dict[str, Any]:
    match request.method, request.path:
        case "GET", "/user":
            return _profile(account)
        case "GET", "/copilot_internal/v2/token":
            _may_use_internals(token)
            return exchange(world, account) | wishes.get("exchange", {})
        case "GET", "/copilot_internal/user":
            _may_use_internals(token)
            if account.state is State.NO_SEAT:
                raise rest_errors.rest_not_found()
            return quota.user_document(world, account) | wishes.get("user_info", {})
        case _:
            raise rest_errors.rest_not_found()


def exchange(world: World, account: Account) -> dict[str, Any]:
    """Return the body of a token exchange and remember the token. Raises the 403 the account's state calls for."""
    account.exchanges += 1
    notice = account.notification or _NOTICE.get(account.state, "")
    if notice:
        raise rest_errors.not_entitled(notice, account.login)
    settings = world.settings
    expires_at = int(world.time()) + settings.token_ttl
    token = CopilotToken(_token_string(world, account, expires_at), account.login, account.tier, expires_at)
    world.copilot_tokens[token.value] = token
    return _exchange_body(world, account) | {
        "expires_at": expires_at,
        "refresh_in": settings.refresh_in,
        "token": token.value,
    }


def _holder(world: World, request: Request) -> tuple[Account, GithubToken] | None:
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    found = world.holder(value.strip()) if scheme.lower() in ("token", "bearer") else None
    if found is None:
        return None
    tenant = request.tier or ""
    home = found[0].tier if found[0].tier.startswith("ghe:") else ""
    return found if home == tenant else None


def _may_use_internals(token: GithubToken) -> None:
    if token.kind == "pat":
        raise rest_errors.rest(403, "Resource not accessible by personal access token")
    if token.kind == "classic" or token.client_id == OPENCODE_CLIENT:
        raise rest_errors.rest_not_found()


def _profile(account: Account) -> dict[str, Any]:
    return {
        "avatar_url": f"https://avatars.githubusercontent.com/u/{account.id}?v=4",
        "email": None,
        "html_url": f"https://github.com/{account.login}",
        "id": account.id,
        "login": account.login,
        "name": account.login.replace("-", " ").title(),
        "type": "User",
    }


def _token_string(world: World, account: Account, expires_at: int) -> str:
    proxy = quota.endpoints(world, account.tier)["proxy"].removeprefix("https://")
    parts = {
        "tid": world.digest("tid", account.login)[:32],
        "ol": world.digest("ol", *account.organizations)[:32] if account.organizations else "",
        "exp": str(expires_at),
        "sku": account.sku,
        "proxy-ep": proxy,
        "st": "dotcom",
        "chat": "1",
        "cit": "1",
        "ssc": "1",
        "8kp": "1",
        "n": str(account.exchanges),
    }
    fields = ";".join(f"{name}={value}" for name, value in parts.items() if value)
    return f"{fields}:{world.digest('mac', fields)}"


def _exchange_body(world: World, account: Account) -> dict[str, Any]:
    individual = not account.organizations
    free = account.billing is Era.FREE_OLD
    return {
        "agent_mode_auto_approval": True,
        "annotations_enabled": individual,
        "azure_only": False,
        "blackbird_clientside_indexing": False,
        "chat_enabled": True,
        "chat_jetbrains_enabled": True,
        "code_quote_enabled": True,
        "code_review_enabled": not account.is_free,
        "codesearch": True,
        "copilotignore_enabled": False,
        "endpoints": quota.endpoints(world, account.tier),
        "individual": individual,
        "limited_user_quotas": ({"chat": int(account.remaining), "completions": account.completions} if free else None),
        "limited_user_reset_date": int(quota.next_reset(world).timestamp()) if free else None,
        "organization_list": [world.digest("org", name)[:32] for name in account.organizations],
        "prompt_8k": True,
        "public_suggestions": "disabled",
        "sku": account.sku,
        "snippy_load_test_enabled": False,
        "telemetry": "enabled" if individual else "disabled",
        "tracking_id": world.digest("tracking", account.login)[:32],
        "xcode": True,
        "xcode_chat": True,
    }
