"""The doors of the LLM API that make text and embeddings: who calls, what is asked, the answer with its headers."""

from __future__ import annotations

from django.http import HttpResponse
from django.http.response import HttpResponseBase

from accounts.models import Door
from bridge.dialect import Dialect
from bridge.errors import UnknownPath
from proxy.access import conversation_of, errand_of, identify
from proxy.embedding import embed
from proxy.lean import DoorRequest, StreamedAnswer, allow
from proxy.losses import speakable
from proxy.plan import Plan
from proxy.record import Record
from proxy.relay import Query, relay

_DOORS = {Dialect.CHAT: Door.CHAT, Dialect.RESPONSES: Door.RESPONSES, Dialect.MESSAGES: Door.MESSAGES}


async def chat_completions(request: DoorRequest) -> HttpResponseBase:
    """POST /v1/chat/completions. Shape: https://platform.openai.com/docs/api-reference/chat/create"""
    return await _generate(request, Dialect.CHAT)


async def responses(request: DoorRequest) -> HttpResponseBase:
    """POST /v1/responses. Shape: https://platform.openai.com/docs/api-reference/responses/create

    A WebSocket is refused with 426, upon which Codex at once goes on over HTTP.
    """
    if request.META.get("HTTP_UPGRADE", "").lower() == "websocket":
        response = HttpResponse(
            b'{"error":{"message":"There are no WebSockets here. Send the request with POST.",'
            b'"type":"invalid_request_error","param":null,"code":"upgrade_required"}}',
            status=426,
            content_type="application/json",
        )
        response.headers["connection"] = "close"
        return response
    return await _generate(request, Dialect.RESPONSES)


async def messages(request: DoorRequest) -> HttpResponseBase:
    """POST /v1/messages. Shape: https://docs.anthropic.com/en/api/messages"""
    return await _generate(request, Dialect.MESSAGES)


async def embeddings(request: DoorRequest) -> HttpResponseBase:
    """POST /v1/embeddings. Shape: https://platform.openai.com/docs/api-reference/embeddings/create"""
    allow(request, "POST")
    caller = identify(request)
    body, record, plan = await embed(request.runtime, errand_of(request, caller, Door.EMBEDDINGS), request.read_body)
    return _whole(body, record, plan)


async def unserved(request: DoorRequest) -> HttpResponseBase:
    """A door of the vendor's that makes no sense in front of Copilot."""
    raise UnknownPath("There is nothing at %(path)s.", {"path": request.path[:200]})


async def _generate(request: DoorRequest, dialect: Dialect) -> HttpResponseBase:
    allow(request, "POST")
    caller = identify(request)
    betas = request.META.get("HTTP_ANTHROPIC_BETA", "")
    query = Query(
        dialect,
        request.read_body,
        conversation_of(request),
        tuple(beta for part in betas.split(",") if (beta := part.strip())),
    )
    answer = await relay(request.runtime, errand_of(request, caller, _DOORS[dialect]), query)
    if isinstance(answer.content, bytes):
        return _whole(answer.content, answer.record, answer.plan)
    seconds = request.runtime.limits.keepalive
    stream = answer.content
    response = StreamedAnswer(
        stream.pieces, keepalive=stream.keepalive, keepalive_seconds=seconds, abandon=stream.abandon
    )
    response.headers["cache-control"] = "no-cache, no-transform"
    response.headers["x-accel-buffering"] = "no"
    return _headed(response, answer.record, answer.plan)


def _whole(body: bytes, record: Record, plan: Plan) -> HttpResponseBase:
    response = HttpResponse(body, content_type="application/json")
    cost = record.cost
    if cost is not None:
        response.headers["x-bridge-cost"] = cost
    return _headed(response, record, plan)


def _headed(response: HttpResponseBase, record: Record, plan: Plan) -> HttpResponseBase:
    response.headers["x-bridge-model"] = plan.model.id
    response.headers["x-bridge-upstream"] = plan.endpoint.wire_format
    if dropped := speakable((*record.dropped, *record.lost)):
        response.headers["x-bridge-dropped"] = ", ".join(dropped)
    return response
