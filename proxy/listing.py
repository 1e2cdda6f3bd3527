"""The doors that list models: what the caller's seats offer here, and the names that routes add."""

from __future__ import annotations

import time
from collections.abc import Mapping

import msgspec
from django.http import HttpResponse
from django.http.response import HttpResponseBase

from accounts.directory import Caller
from accounts.models import Door
from accounts.routing import choose_model, choose_seat, find_route, seats_of
from bridge.catalogue_shapes import ListedModel, claude_model, claude_page, openai_list, openai_model, read_page
from bridge.copilot.endpoints import Endpoint
from bridge.copilot.fields import entries, record, text
from bridge.copilot.model import Model
from bridge.dialect import Dialect
from bridge.errors import BridgeError, Refused, UnknownModel
from bridge.target import WireProfile
from proxy.access import authenticate
from proxy.lean import DoorRequest, allow

_TEXT = frozenset({Endpoint.CHAT, Endpoint.RESPONSES, Endpoint.MESSAGES})
_TEXT_DOORS = ("/v1/chat/completions", "/v1/responses", "/v1/messages")
_EMBEDDING_DOORS = ("/v1/embeddings",)
_CONTEXT_EDITS = ("clear_thinking_20251015", "clear_tool_uses_20250919")
# A warning about the program that asks, which is the gateway, and not about the model.
_CLIENT_WARNING = "client_version_deprecated"


async def models(request: DoorRequest) -> HttpResponseBase:
    """GET /v1/models: OpenAI's list; with the header `anthropic-version` a page of Claude's, of what can chat."""
    allow(request, "GET", "HEAD")
    caller = authenticate(request, Door.MODELS)
    page = read_page(request.GET.dict()) if request.dialect is Dialect.MESSAGES else None
    live = await _live_models(request, caller)
    listed = {model.id: model for model in live.values() if _is_served(model, caller)}
    for name in _route_names(request):
        if name not in listed and (served := _served(request, caller, name, live)) is not None:
            listed[name] = served
    shown = [_listed(request, name, listed[name]) for name in sorted(listed)]
    if page is None:
        return _json(openai_list(shown))
    return _json(claude_page([model for model in shown if model.doors == _TEXT_DOORS], page))


async def model(request: DoorRequest, name: str) -> HttpResponseBase:
    """GET /v1/models/{id}, by any name that a request may use, in the shape that the list has."""
    allow(request, "GET", "HEAD")
    caller = authenticate(request, Door.MODELS)
    live = await _live_models(request, caller)
    choice = choose_model(find_route(request.runtime.directory.snapshot, caller, name), name, live)
    served = live[choice.model]
    if not _is_served(served, caller, name):
        raise UnknownModel("The model '%(model)s' does not exist here.", {"model": name[:100]}, param="model")
    shown = _listed(request, name, served)
    return _json(claude_model(shown) if request.dialect is Dialect.MESSAGES else openai_model(shown))


async def _live_models(request: DoorRequest, caller: Caller) -> Mapping[str, Model]:
    """The models of every seat that may serve the caller; the seat in use decides where two know the same model."""
    runtime = request.runtime
    snapshot, now = runtime.directory.snapshot, time.time()
    seats = seats_of(snapshot, caller, now)
    if not seats:
        choose_seat(snapshot, caller, now, page=runtime.limits.device_page, overflow=runtime.limits.overflow)
    live: dict[str, Model] = {}
    fault: BridgeError | None = None
    for seat in seats:
        try:
            live = {**(await runtime.catalogues.get(seat.id)).models, **live}
        except BridgeError as error:
            fault = error
    if not live and fault is not None:
        raise fault
    return live


def _is_served(model: Model, caller: Caller, name: str | None = None) -> bool:
    """Whether the doors there are can reach the model, and the caller's key allows it."""
    if not model.endpoints & (_TEXT | {Endpoint.EMBEDDINGS}):
        return False
    try:
        caller.check_model(name or model.id, model.id)
    except Refused:
        return False
    return True


def _route_names(request: DoorRequest) -> list[str]:
    routes = request.runtime.directory.snapshot.routes
    return [route.pattern for route in routes if "*" not in route.pattern]


def _served(request: DoorRequest, caller: Caller, name: str, live: Mapping[str, Model]) -> Model | None:
    try:
        choice = choose_model(find_route(request.runtime.directory.snapshot, caller, name), name, live)
    except UnknownModel:
        return None
    served = live[choice.model]
    return served if _is_served(served, caller, name) else None


def _listed(request: DoorRequest, name: str, model: Model) -> ListedModel:
    """What the lists tell of `model` under `name`: abilities are those that a request through here can use."""
    takes_text = bool(model.endpoints & _TEXT)
    is_claude = Endpoint.MESSAGES in model.endpoints
    # Over another format, both of Claude's wishes for thinking become an effort.
    has_efforts = bool(model.reasoning_efforts) and not is_claude
    searches = Endpoint.RESPONSES in model.endpoints and not is_claude
    warnings = _warnings(model)
    return ListedModel(
        id=name,
        name=model.name,
        vendor=model.vendor,
        max_context=model.max_context,
        max_input=model.max_prompt_tokens,
        max_output=model.max_output_tokens,
        vision=model.vision,
        tools=model.tools,
        parallel_calls=model.parallel,
        structured_outputs=model.structured_outputs,
        documents=bool(model.endpoints & {Endpoint.MESSAGES, Endpoint.RESPONSES}),
        web_search=searches and request.runtime.limits.wire_profile(model.id) is not WireProfile.FOREIGN,
        context_edits=_CONTEXT_EDITS if is_claude else (),
        efforts=model.reasoning_efforts,
        thinks_adaptively=model.adaptive_thinking or has_efforts,
        thinks_by_budget=model.max_thinking_budget is not None or has_efforts,
        retires=any("retire" in code for code, _ in warnings),
        preview=model.preview,
        doors=_TEXT_DOORS if takes_text else _EMBEDDING_DOORS,
        upstream=tuple(sorted(endpoint.value for endpoint in model.endpoints)),
        warnings=tuple(sentence for _, sentence in warnings),
    )


def _warnings(model: Model) -> list[tuple[str, str]]:
    """Code and sentence of what the upstream says about the model, its retirement above all."""
    listed = [
        (text(record(each), "code"), text(record(each), "message"))
        for each in entries(model.raw.get("warning_messages"))
    ]
    client = {sentence for code, sentence in listed if code == _CLIENT_WARNING}
    codes = {sentence: code for code, sentence in listed}
    return [(codes.get(sentence, ""), sentence) for sentence in model.warnings if sentence not in client]


def _json(value: object) -> HttpResponse:
    return HttpResponse(msgspec.json.encode(value), content_type="application/json")
