"""What is decided before a request goes upstream: route, seat, model, upstream format, headers, conversation."""

from __future__ import annotations

import hashlib
import hmac
import re
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from django.conf import settings

from accounts.directory import Caller, SeatEntry
from accounts.routing import Choice, choose_among, choose_model, find_route, permitted_seats
from bridge.asked import Asked, parsed
from bridge.copilot.automode import AUTO
from bridge.copilot.endpoints import PREFERRED, Endpoint
from bridge.copilot.initiator import (
    Initiator,
    has_image,
    initiator_of_chat,
    initiator_of_messages,
    initiator_of_responses,
)
from bridge.copilot.model import Model
from bridge.dialect import Dialect
from bridge.errors import BadRequest, BridgeError, UnknownModel
from bridge.json_text import decode_object
from proxy.runtime import Runtime

_CONVERSATION = re.compile(r"[A-Za-z0-9._:-]{1,64}")
_INITIATOR_OF = {
    Dialect.CHAT: initiator_of_chat,
    Dialect.RESPONSES: initiator_of_responses,
    Dialect.MESSAGES: initiator_of_messages,
}
_DIALECTS = {
    Endpoint.CHAT: Dialect.CHAT,
    Endpoint.RESPONSES: Dialect.RESPONSES,
    Endpoint.MESSAGES: Dialect.MESSAGES,
}


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
    auto: bool = False
    """Auto mode chose the model: the request carries the session of it."""
    moved: bool = False
    """Another seat served the conversation before: this one cannot read what that one's models sealed."""

    @property
    def upstream(self) -> Dialect:
        """The upstream format of a request for text."""
        return _DIALECTS[self.endpoint]

    def elsewhere(self, door: Dialect, tried: Collection[Endpoint]) -> Plan | None:
        """The same plan on another endpoint that the model has and that was not tried yet; None when there is none."""
        left = [endpoint for endpoint in PREFERRED[door] if endpoint in self.model.endpoints and endpoint not in tried]
        return replace(self, endpoint=left[0]) if left else None


@dataclass(frozen=True, slots=True)
class Route:
    """Which seat and which of its models a name stands for; `auto` and `moved` as in `Plan`."""

    seat: SeatEntry
    model: Model
    choice: Choice
    auto: bool = False
    moved: bool = False


async def find_model(runtime: Runtime, caller: Caller, name: str, conversation: str = "") -> Route:
    """Decide for a model's name; a request that belongs to a conversation stays on its seat where that is possible.

    Raises SeatRequired, Exhausted, RateLimited, UnknownModel, Forbidden, or the fault that keeps the model list away.
    """
    seat, moved = await _find_seat(runtime, caller, conversation)
    route = find_route(runtime.directory.snapshot, caller, name)
    models = (await runtime.catalogues.get(seat.id)).models
    is_auto = route is None and name.strip().lower() == AUTO and AUTO not in models
    choice = await _choose_automatically(runtime, seat, models) if is_auto else choose_model(route, name, models)
    caller.check_model(name, choice.model)
    return Route(seat, models[choice.model], choice, auto=is_auto, moved=moved)


async def _find_seat(runtime: Runtime, caller: Caller, conversation: str) -> tuple[SeatEntry, bool]:
    """The seat, and whether the conversation was on another one before; the ledger is asked when that decides."""
    limits, levels, now = runtime.limits, runtime.levels.known, time.time()
    seats = permitted_seats(
        runtime.directory.snapshot, caller, now, page=limits.device_page, overflow=limits.overflow, levels=levels
    )
    last = runtime.affinity.known(conversation, caller.key)
    if last is None and len(seats) > 1:
        last = await runtime.affinity.last_seat(conversation, caller.key)
    seat = choose_among(seats, caller, now, last=last, levels=levels)
    return seat, last not in (None, seat.id)


async def _choose_automatically(runtime: Runtime, seat: SeatEntry, models: Mapping[str, Model]) -> Choice:
    session = await runtime.auto.session(seat.id)
    for name in (session.selected, *session.models):
        if name in models:
            return Choice(name, "auto mode: GitHub Copilot's own choice")
    raise UnknownModel(
        "Auto mode offers this seat no model. Name one of those that GET /v1/models lists.", param="model"
    )


async def make_plan(runtime: Runtime, caller: Caller, asked: Asked, conversation: str) -> Plan:
    """Decide for a request for text; `conversation` is the client's own id of it, or empty.

    Raises as `find_model`, and BadRequest or UnknownModel for a model that cannot answer here.
    """
    session = conversation or _told_conversation(asked) or _conversation(caller.key, asked)
    route = await find_model(runtime, caller, asked.model, session)
    return Plan(
        seat=route.seat,
        model=route.model,
        choice=route.choice,
        endpoint=_endpoint(asked, route.model),
        initiator=_initiator(asked),
        vision=any(b"image" in bytes(raw) and has_image(parsed(raw, "messages")) for raw in asked.entries),
        session=session,
        auto=route.auto,
        moved=route.moved,
    )


def is_conversation(value: str) -> bool:
    """Whether a client's id of its conversation may stand in a header."""
    return _CONVERSATION.fullmatch(value) is not None


def _endpoint(asked: Asked, model: Model) -> Endpoint:
    """The caller's own format when the model has it; a file goes where files can go."""
    order = PREFERRED[asked.dialect]
    if asked.dialect is Dialect.CHAT and any(b'"file"' in bytes(raw) for raw in asked.entries):
        order = (Endpoint.MESSAGES, Endpoint.RESPONSES, Endpoint.CHAT)
    for endpoint in order:
        if endpoint in model.endpoints:
            return endpoint
    raise _cannot_answer(model)


def _cannot_answer(model: Model) -> BridgeError:
    if model.type == "embeddings":
        return BadRequest(
            "'%(model)s' makes embeddings and cannot chat. GET /v1/models lists the models that can.",
            {"model": model.id},
            param="model",
        )
    return UnknownModel(
        "GitHub Copilot offers '%(model)s' on no interface that answers requests for text. GET /v1/models lists the "
        "models that do.",
        {"model": model.id},
        param="model",
    )


def _initiator(asked: Asked) -> Initiator:
    """Who asks; only the entries from the last that is no instruction on are read."""
    tail = []
    for raw in reversed(asked.entries):
        entry = parsed(raw, "messages")
        tail.append(entry)
        if isinstance(entry, dict) and entry.get("role") not in ("system", "developer"):
            break
    return _INITIATOR_OF[asked.dialect](tail[::-1])


def _told_conversation(asked: Asked) -> str:
    """The conversation as the body names it: Claude Code's session in `metadata.user_id`, Codex's cache key."""
    if asked.dialect is Dialect.MESSAGES and "metadata" in asked.fields:
        user = (decode_object(bytes(asked.fields["metadata"])) or {}).get("user_id")
        told = (decode_object(user.encode()) or {}).get("session_id") if isinstance(user, str) else None
    elif "prompt_cache_key" in asked.fields:
        told = parsed(asked.fields["prompt_cache_key"], "prompt_cache_key")
    else:
        told = None
    return told if isinstance(told, str) and is_conversation(told) else ""


def _conversation(key: int, asked: Asked) -> str:
    """A name for the conversation: the same for every turn of it, telling nothing of its content.

    An HMAC of the key's id, the instructions and the first user turn, which stay as they are while a chat grows.
    """
    mac = hmac.new(settings.SECRET_KEY.encode(), str(key).encode(), hashlib.sha256)
    for name in ("system", "instructions"):
        mac.update(asked.fields.get(name, b""))
    for raw in asked.entries:
        mac.update(raw)
        if b'"user"' in bytes(raw):
            break
    return mac.hexdigest()[:32]
