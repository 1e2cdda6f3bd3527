"""Stored responses: what `store: true` keeps, what `previous_response_id` brings back, and the doors to both.

GitHub Copilot stores nothing, so the gateway does: the conversation up to and with the reply, for a short while and
for the key that asked. A later request that names the reply gets its conversation put before its own input.
Shapes: https://platform.openai.com/docs/api-reference/responses
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import msgspec
from django.conf import settings
from django.db import DatabaseError
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from msgspec import Raw

from accounts.directory import Caller
from accounts.models import Door
from accounts.replies import StoredContent
from bridge.asked import Asked, parsed, typed
from bridge.dialect import Dialect
from bridge.errors import BadRequest, Refused
from proxy.access import authenticate
from proxy.lean import DoorRequest, allow
from proxy.runtime import Runtime

logger = logging.getLogger(__name__)

_PAGE = 20
_LONGEST_PAGE = 100
# How ids of items begin, by type; the items of a client need not have any.
_PREFIXES = {
    "message": "msg",
    "reasoning": "rs",
    "function_call": "fc",
    "function_call_output": "fco",
    "custom_tool_call": "ctc",
    "custom_tool_call_output": "ctco",
    "web_search_call": "ws",
    "compaction": "cmp",
}


class UnknownResponse(Refused):
    """No such stored response for this key."""

    status = 404
    code = "not_found"
    verbatim = True


class UnknownPrevious(BadRequest):
    """Clients that read this code send the whole conversation instead."""

    code = "previous_response_not_found"
    verbatim = True


class _Response(msgspec.Struct):
    id: str
    output: list[Raw] = []


_read_response = msgspec.json.Decoder(_Response).decode


# --- For the relay -------------------------------------------------------------------------------------------


def wants_storing(asked: Asked) -> bool:
    """Whether the reply will be stored: the caller said so in as many words, and replies are stored here.

    Raises BadRequest when `store` is neither true nor false.
    """
    is_asked_for = asked.dialect is Dialect.RESPONSES and typed(asked.fields, "store", bool) is True
    return is_asked_for and bool(settings.BRIDGE_STORE_REPLIES)


async def expand(runtime: Runtime, caller: Caller, asked: Asked) -> Asked:
    """The request with the conversation that `previous_response_id` names before its own input.

    The member `previous_response_id` stays, for the reply to name it; `store` becomes what will really be done.
    Instructions of the earlier request are not carried over, as with OpenAI. Raises UnknownPrevious.
    """
    if asked.dialect is not Dialect.RESPONSES:
        return asked
    asked = _with_honest_store(asked)
    previous = typed(asked.fields, "previous_response_id", str)
    if previous is None:
        return asked
    content = await runtime.replies.find(caller.key, previous)
    if content is None:
        raise _unknown_previous(previous)
    entries = [*map(Raw, content.items), *_read_response(content.response).output, *asked.entries]
    whole = Raw(b"[" + b",".join(bytes(entry) for entry in entries) + b"]")
    return replace(asked, entries=entries, fields={**asked.fields, "input": whole})


async def keep(runtime: Runtime, caller: Caller, asked: Asked, response_object: bytes) -> bool:
    """Store a response with the request as `expand` returned it; whether it is stored now.

    An answer that was paid for is not lost for a fault of the database: that is logged.
    """
    if not wants_storing(asked):
        return False
    response_id = _read_response(response_object).id
    items = [bytes(entry) for entry in asked.entries]
    try:
        return await runtime.replies.keep(caller.key, response_id, response_object, items)
    except DatabaseError as error:
        logger.error("The response %s is not stored, the database cannot be written: %s", response_id, error)
        return False


def _with_honest_store(asked: Asked) -> Asked:
    """`store` says false unless the reply will be stored: OpenAI's default is true, and the reply repeats the field."""
    if wants_storing(asked) or typed(asked.fields, "store", bool) is False:
        return asked
    return replace(asked, fields={**asked.fields, "store": Raw(b"false")})


def _unknown_previous(previous: str) -> UnknownPrevious:
    advice = (
        f"A response is kept for {settings.BRIDGE_STORED_REPLY_HOURS} hours, for the API key that made it, and only "
        "if its request said 'store': true. Send the whole conversation as 'input' instead."
        if settings.BRIDGE_STORE_REPLIES
        else "This gateway keeps no responses. Send the whole conversation as 'input' instead."
    )
    return UnknownPrevious(
        "Previous response with id '%(id)s' not found. %(advice)s",
        {"id": previous[:100], "advice": advice},
        param="previous_response_id",
    )


# --- The doors -----------------------------------------------------------------------------------------------


async def response(request: DoorRequest, response_id: str) -> HttpResponseBase:
    """GET and DELETE /v1/responses/{id}."""
    allow(request, "GET", "HEAD", "DELETE")
    caller = authenticate(request, Door.RESPONSES)
    if request.method == "DELETE":
        if not await request.runtime.replies.delete(caller.key, response_id):
            raise _unknown_response(response_id)
        return _json({"id": response_id, "object": "response", "deleted": True})
    if request.GET.get("stream", "").lower() in {"true", "1"}:
        raise BadRequest("A stored response is not streamed. Ask for it without 'stream'.", param="stream")
    content = await _stored(request, caller, response_id)
    return HttpResponse(content.response, content_type="application/json")


async def input_items(request: DoorRequest, response_id: str) -> HttpResponseBase:
    """GET /v1/responses/{id}/input_items: the conversation before the reply, the newest item first unless asked."""
    allow(request, "GET", "HEAD")
    caller = authenticate(request, Door.RESPONSES)
    limit, order = _limit(request), request.GET.get("order", "desc")
    if order not in {"asc", "desc"}:
        raise BadRequest("'order' must be asc or desc.", param="order")
    content = await _stored(request, caller, response_id)
    items = _listed(content.items, response_id.removeprefix("resp_"))
    if order == "desc":
        items.reverse()
    rest = _after(items, request.GET.get("after"))
    page = rest[:limit]
    return _json(
        {
            "object": "list",
            "data": page,
            "first_id": page[0]["id"] if page else None,
            "last_id": page[-1]["id"] if page else None,
            "has_more": len(rest) > len(page),
        }
    )


async def cancel(request: DoorRequest, response_id: str) -> HttpResponseBase:
    """POST /v1/responses/{id}/cancel: never possible, in the words that say why."""
    allow(request, "POST")
    caller = authenticate(request, Door.RESPONSES)
    await _stored(request, caller, response_id)
    raise BadRequest("Only a response that was created with 'background': true can be cancelled; this one is done.")


async def _stored(request: DoorRequest, caller: Caller, response_id: str) -> StoredContent:
    content = await request.runtime.replies.find(caller.key, response_id)
    if content is None:
        raise _unknown_response(response_id)
    return content


def _unknown_response(response_id: str) -> UnknownResponse:
    return UnknownResponse("Response with id '%(id)s' not found.", {"id": response_id[:100]})


def _limit(request: DoorRequest) -> int:
    text = request.GET.get("limit", str(_PAGE))
    # Four digits at most: more are out of range anyway, and not every digit of Unicode is a number to `int`.
    number = int(text) if text.isascii() and text.isdigit() and len(text) <= 4 else 0
    if not 1 <= number <= _LONGEST_PAGE:
        raise BadRequest("'limit' must be a whole number from 1 to %(most)d.", {"most": _LONGEST_PAGE}, param="limit")
    return number


def _after(items: list[dict[str, Any]], item_id: str | None) -> list[dict[str, Any]]:
    if item_id is None:
        return items
    place = next((number for number, item in enumerate(items) if item["id"] == item_id), None)
    if place is None:
        raise BadRequest("There is no item with id '%(id)s' in this list.", {"id": item_id[:100]}, param="after")
    return items[place + 1 :]


def _listed(items: Sequence[bytes], suffix: str) -> list[dict[str, Any]]:
    """The items in full form: each with a type, an id that stays the same, and its content as parts."""
    read = [parsed(Raw(item), "input") for item in items]
    return [_full(item, f"{suffix}_in{number}") for number, item in enumerate(read) if isinstance(item, dict)]


def _full(item: dict[str, Any], name: str) -> dict[str, Any]:
    kind = str(item.get("type") or "message")
    full = {**item, "type": kind}
    if not isinstance(item.get("id"), str) or not item["id"]:
        full["id"] = f"{_PREFIXES.get(kind, 'item')}_{name}"
    if isinstance(item.get("content"), str):
        full["content"] = [_text_part(item["content"], item.get("role"))]
    if kind == "message" or kind.endswith(("_call", "_call_output")):
        full.setdefault("status", "completed")
    return full


def _text_part(text: str, role: object) -> dict[str, Any]:
    if role == "assistant":
        return {"type": "output_text", "text": text, "annotations": []}
    return {"type": "input_text", "text": text}


def _json(value: object) -> HttpResponse:
    return HttpResponse(msgspec.json.encode(value), content_type="application/json")
