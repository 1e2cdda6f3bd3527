"""The Copilot API in front of the models: who may ask, for what, and in which order that is checked.

The checks come in the order a request meets them on the real service: API version, bearer, tier, editor headers, then
(for a generation) the auto-mode selector, the model, its policy, its endpoints, images, and what is left to pay with.
What the body may hold beyond that is the business of `generate`.
"""

from __future__ import annotations

import asyncio
from typing import Any

from tests.simulator import billing, errors, models, quota
from tests.simulator.accounts import Account, State
from tests.simulator.catalogue import Model
from tests.simulator.generators import GENERATORS, Answer
from tests.simulator.wire import Refusal, Request, Wire
from tests.simulator.world import World, refuse_as_asked

_IMAGE_MARKS = (b'"image_url"', b'"input_image"', b'"image"')
_IMAGE_TYPES = frozenset({"image_url", "input_image", "image"})
_CLI = "copilot-developer-cli"


async def handle(world: World, request: Request, wire: Wire) -> None:
    """Answer one request to the Copilot API."""
    if request.path == "/_ping":
        await wire.respond(200, "OK")
        return
    _check_version(world, request)
    account = identify(world, request)
    wire.record.account = account.login
    wishes = world.asked(request, account)
    await asyncio.sleep(wishes.get("hold", 0))
    if "redirect" in wishes:
        raise Refusal(307, b"", {"location": wishes["redirect"]})
    refuse_as_asked(wishes, account)
    generate = GENERATORS.get(request.path)
    if generate is not None and request.method == "POST":
        await _generate(world, account, request, wire, generate)
    elif request.path == "/responses" and "websocket" in request.headers.get("upgrade", "").lower():
        raise errors.plain(426, "upgrade required: use POST", headers={"upgrade": "h2c"})
    else:
        await models.handle(world, account, request, wire)


def identify(world: World, request: Request) -> Account:
    """Return the account behind the bearer. Raises the 400, 401, 403 or 421 the real service answers."""
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    if not value:
        raise errors.unauthorized("unauthorized: missing authorization header")
    if scheme.lower() != "bearer":
        raise errors.plain(400, "bad request: Authorization header is badly formatted")
    running = world.copilot_tokens.get(value.strip())
    if running is None:
        account = _direct(world, request, value.strip())
    else:
        if running.revoked:
            raise errors.unauthorized("unauthorized: token revoked")
        if running.expires_at <= world.time():
            raise errors.unauthorized()
        account = world.account(running.login)
        if world.settings.editor_version_required and "editor-version" not in request.headers:
            raise errors.plain(400, "bad request: missing Editor-Version header for IDE auth")
    _check_tier(account, request)
    if account.state in (State.SUSPENDED, State.NO_SEAT):
        raise errors.feature_forbidden()
    return account


def _direct(world: World, request: Request, value: str) -> Account:
    """Return the account of a GitHub token used without an exchange."""
    found = world.holder(value)
    if found is None:
        raise errors.unauthorized("unauthorized: AuthenticateToken authentication failed")
    account, token = found
    if token.kind in ("pat", "classic"):
        if token.kind == "classic" or request.headers.get("copilot-integration-id") != _CLI:
            raise errors.plain(400, "Personal Access Tokens are not supported for this endpoint")
        return account
    allowed = world.settings.gho_direct if token.kind == "gho" else world.settings.ghu_direct
    if not allowed:
        raise errors.unauthorized("unauthorized: AuthenticateToken authentication failed")
    return account


def _check_tier(account: Account, request: Request) -> None:
    is_tenant = account.tier.startswith("ghe:")
    if request.tier == account.tier or (not request.tier and not is_tenant):
        return
    raise errors.misdirected()


def _check_version(world: World, request: Request) -> None:
    version = request.headers.get("x-github-api-version")
    if version is not None and version < world.settings.oldest_api_version:
        raise errors.api_version_gone()


async def _generate(world: World, account: Account, request: Request, wire: Wire, generate: Answer) -> None:
    _check_selector(world, account, request)
    body = request.json()
    if not isinstance(body, dict):
        raise errors.plain(400, "Bad Request")
    model = _model(world, account, request, body.get("model"))
    wire.record.model = model.id
    if not model.serves(request.path) or request.path in world.settings.contradictions.get(model.id, ()):
        raise errors.unsupported_api(model.id, request.path)
    _check_vision(world, request, body)
    if request.path != "/v1/messages/count_tokens":
        billing.check(account, model)
        wire.good_head.update(quota.headers(world, account))
    await generate(world, account, model, request, wire)


def _model(world: World, account: Account, request: Request, name: object) -> Model:
    if not isinstance(name, str) or not name:
        raise errors.capi(400, "invalid_request_body", "missing required field: model", param="model")
    model = world.models.get(name)
    if model is None:
        raise errors.model_not_supported()
    if not models.fits_integrator(account, request, model):
        raise errors.not_for_integrator(models.integrator(account, request))
    if not models.fits_account(account, model) or models.policy_of(account, model) not in (None, "enabled"):
        raise errors.model_not_supported()
    if model.kind == "completion":
        raise errors.model_not_supported("Model is not supported for this request.")
    return model


def _check_selector(world: World, account: Account, request: Request) -> None:
    value = request.headers.get("copilot-session-token")
    if value is None:
        return
    selector = world.selectors.get(value)
    if selector is None or selector.login != account.login or selector.expires_at <= world.time():
        raise errors.wrong_selector()


def _check_vision(world: World, request: Request, body: dict[str, Any]) -> None:
    if not world.settings.vision_header_required or "copilot-vision-request" in request.headers:
        return
    if not any(mark in request.body for mark in _IMAGE_MARKS):
        return
    if holds_image(body.get("messages")) or holds_image(body.get("input")):
        raise errors.plain(400, "bad request: missing required Copilot-Vision-Request header for vision requests")


def holds_image(value: object) -> bool:
    """True when a part of type image stands anywhere inside, tool results included."""
    pending = [value]
    while pending:
        here = pending.pop()
        if isinstance(here, dict):
            if isinstance(here.get("type"), str) and here["type"] in _IMAGE_TYPES:
                return True
            pending.extend(here.values())
        elif isinstance(here, list):
            pending.extend(here)
    return False
