"""What is decided before a request goes upstream: route, seat, model, headers, conversation."""

from __future__ import annotations

import hashlib
import hmac
import time
from dataclasses import dataclass

from django.conf import settings
from msgspec import Raw

from accounts.directory import Caller, SeatEntry
from accounts.routing import Choice, choose_model, choose_seat, find_route
from bridge.copilot.catalogue import Endpoint, Model
from bridge.copilot.initiator import Initiator, has_image, initiator_of_chat
from bridge.errors import BadRequest, BridgeError, UnknownModel
from bridge.formats.chat import ChatRequest
from proxy.runtime import Runtime


@dataclass(frozen=True, slots=True)
class Plan:
    """Where a request goes and under which headers."""

    seat: SeatEntry
    model: Model
    choice: Choice
    endpoint: Endpoint
    initiator: Initiator
    vision: bool
    session: str


async def make_plan(runtime: Runtime, caller: Caller, request: ChatRequest, conversation: str) -> Plan:
    """Decide for a Chat Completions request; `conversation` is the client's own id of it, or empty.

    Raises SeatRequired, Exhausted, RateLimited, UnknownModel, Forbidden, or the fault that keeps the model list away.
    """
    snapshot = runtime.directory.snapshot
    limits = runtime.limits
    route = find_route(snapshot, caller, request.model)
    seat = choose_seat(snapshot, caller, time.time(), page=limits.device_page, overflow=limits.overflow)
    models = (await runtime.catalogues.get(seat.id)).models
    choice = choose_model(route, request.model, models)
    caller.check_model(request.model, choice.model)
    model = models[choice.model]
    if Endpoint.CHAT not in model.endpoints:
        raise _not_on_chat(model, models.values())
    return Plan(
        seat=seat,
        model=model,
        choice=choice,
        endpoint=Endpoint.CHAT,
        initiator=initiator_of_chat([{"role": role} for role in request.roles]),
        vision=any(b"image" in bytes(raw) for raw in request.messages) and has_image(request.parsed_messages()),
        session=conversation or _conversation(caller.key, request.messages),
    )


def _not_on_chat(model: Model, others: object) -> BridgeError:
    if model.type == "embeddings":
        return BadRequest(
            "'%(model)s' makes embeddings and cannot chat. GET /v1/models lists the models that can.",
            {"model": model.id},
            param="model",
        )
    return UnknownModel(
        "GitHub Copilot offers '%(model)s' on another interface than Chat Completions only, which this door cannot "
        "reach yet. GET /v1/models lists the models that answer here.",
        {"model": model.id},
        param="model",
    )


def _conversation(key: int, messages: list[Raw]) -> str:
    """A name for the conversation: the same for every turn of it, telling nothing of its content.

    An HMAC of the key's id, the instructions and the first user turn, which stay as they are while a chat grows.
    """
    mac = hmac.new(settings.SECRET_KEY.encode(), str(key).encode(), hashlib.sha256)
    for raw in messages:
        mac.update(raw)
        if b'"user"' in bytes(raw):
            break
    return mac.hexdigest()[:32]
