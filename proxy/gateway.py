"""The doors of the LLM API: who calls, what is asked, the answer with its headers."""

from __future__ import annotations

import re
import time

import msgspec
from django.http import HttpResponse
from django.http.response import HttpResponseBase

from accounts.directory import Caller
from accounts.models import Door
from accounts.routing import choose_model, choose_seat, find_route, seats_of
from bridge.copilot.catalogue import Endpoint, Model
from bridge.errors import BadKey, BridgeError, Refused, UnknownModel
from bridge.sse import write_comment
from proxy.lean import DoorRequest, StreamedAnswer, allow
from proxy.record import Errand
from proxy.relay import Answer, relay

KEEPALIVE = write_comment(b"keep-alive")
# How clients name their conversation, the surest first.
_CONVERSATION_HEADERS = (
    "HTTP_X_SESSION_ID",
    "HTTP_SESSION_ID",
    "HTTP_X_CLAUDE_CODE_SESSION_ID",
    "HTTP_X_SESSION_AFFINITY",
)
_CONVERSATION = re.compile(r"[A-Za-z0-9._:-]{1,64}")


async def chat_completions(request: DoorRequest) -> HttpResponseBase:
    """POST /v1/chat/completions. Shape: https://platform.openai.com/docs/api-reference/chat/create"""
    allow(request, "POST")
    caller = authenticate(request, Door.CHAT)
    errand = _errand(request, caller, Door.CHAT)
    answer = await relay(request.runtime, errand, request.read_body, _conversation(request))
    return _response(request, answer)


async def models(request: DoorRequest) -> HttpResponseBase:
    """GET /v1/models: what the caller's seat offers at these doors, and the names that routes add."""
    allow(request, "GET", "HEAD")
    caller = authenticate(request, Door.MODELS)
    live = await _live_models(request, caller)
    entries = [_entry(model.id, model) for model in live.values() if _is_served(model, caller)]
    known = {entry["id"] for entry in entries}
    for name in _route_names(request):
        if name not in known and (served := _served(request, caller, name, live)) is not None:
            entries.append(_entry(name, served))
    entries.sort(key=lambda entry: str(entry["id"]))
    return _json({"object": "list", "data": entries})


async def model(request: DoorRequest, name: str) -> HttpResponseBase:
    """GET /v1/models/{id}, by any name that a request may use."""
    allow(request, "GET", "HEAD")
    caller = authenticate(request, Door.MODELS)
    live = await _live_models(request, caller)
    choice = choose_model(find_route(request.runtime.directory.snapshot, caller, name), name, live)
    served = live[choice.model]
    if not _is_served(served, caller, name):
        raise UnknownModel("The model '%(model)s' does not exist here.", {"model": name[:100]}, param="model")
    return _json(_entry(name, served))


def authenticate(request: DoorRequest, door: Door) -> Caller:
    """Who calls, from `Authorization: Bearer` or `x-api-key`. Raises BadKey, Forbidden."""
    secret = _secret(request)
    if secret is None and "key" in request.META["QUERY_STRING"].lower():
        raise BadKey("An API key in the address is not accepted: addresses end up in logs. Send it in a header.")
    caller = request.runtime.directory.snapshot.caller(secret, time.time())
    request.language = caller.language
    caller.check_door(door, request.address)
    return caller


def _secret(request: DoorRequest) -> str | None:
    scheme, _, token = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
    if scheme.lower() == "bearer" and token.strip():
        return str(token.strip())
    key: str = request.META.get("HTTP_X_API_KEY", "").strip()
    return key or None


def _errand(request: DoorRequest, caller: Caller, door: Door) -> Errand:
    return Errand(
        id=request.id,
        caller=caller,
        door=door.value,
        opened_at=request.opened_at,
        started=request.started,
        client=request.META.get("HTTP_USER_AGENT", "")[:200],
        address=request.address,
    )


def _conversation(request: DoorRequest) -> str:
    """The client's own id of the conversation, if it sent one that is fit to be a header again; else empty."""
    given = (request.META.get(name, "") for name in _CONVERSATION_HEADERS)
    return next((value for value in given if _CONVERSATION.fullmatch(value)), "")


def _response(request: DoorRequest, answer: Answer) -> HttpResponseBase:
    response: HttpResponseBase
    if answer.pieces is not None:
        seconds = request.runtime.limits.keepalive
        response = StreamedAnswer(answer.pieces, keepalive=KEEPALIVE, keepalive_seconds=seconds)
        response.headers["cache-control"] = "no-cache, no-transform"
        response.headers["x-accel-buffering"] = "no"
    else:
        response = HttpResponse(answer.body, content_type="application/json")
        cost = answer.record.cost
        if cost is not None:
            response.headers["x-bridge-cost"] = cost
    response.headers["x-bridge-model"] = answer.plan.model.id
    response.headers["x-bridge-upstream"] = answer.plan.endpoint.wire_format
    if answer.record.dropped:
        response.headers["x-bridge-dropped"] = ", ".join(answer.record.dropped)
    return response


async def _live_models(request: DoorRequest, caller: Caller) -> dict[str, Model]:
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
    if Endpoint.CHAT not in model.endpoints:
        return False
    try:
        caller.check_model(name or model.id, model.id)
    except Refused:
        return False
    return True


def _route_names(request: DoorRequest) -> list[str]:
    routes = request.runtime.directory.snapshot.routes
    return [route.pattern for route in routes if "*" not in route.pattern]


def _served(request: DoorRequest, caller: Caller, name: str, live: dict[str, Model]) -> Model | None:
    try:
        choice = choose_model(find_route(request.runtime.directory.snapshot, caller, name), name, live)
    except UnknownModel:
        return None
    served = live[choice.model]
    return served if _is_served(served, caller, name) else None


def _entry(name: str, model: Model) -> dict[str, object]:
    """OpenAI's model object, with the limits that clients ask for beside it."""
    return {
        "id": name,
        "object": "model",
        "created": 0,
        "owned_by": model.vendor or "github-copilot",
        "display_name": model.name,
        "context_window": model.max_context,
        "max_input_tokens": model.max_prompt_tokens,
        "max_output_tokens": model.max_output_tokens,
    }


def _json(value: object) -> HttpResponse:
    return HttpResponse(msgspec.json.encode(value), content_type="application/json")
