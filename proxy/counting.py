"""The doors that count tokens: an estimate made here, so that no model is asked and nothing is billed.

Claude Code's `/context` asks thirteen times at once, for any model it was given, Claude or not.
"""

from __future__ import annotations

import asyncio
import math

import msgspec
from django.http import HttpResponse
from django.http.response import HttpResponseBase

from accounts.models import Door
from bridge.asked import Asked
from bridge.copilot.names import normalise
from bridge.counting import count_tokens as estimate
from bridge.errors import BadRequest
from bridge.formats.messages import verbatim as messages
from bridge.formats.responses import verbatim as responses
from bridge.tally import Tally
from proxy.access import authenticate
from proxy.lean import DoorRequest, allow
from proxy.runtime import Runtime

# From here on the work is long enough to be noticed by the streams that run beside it.
_LARGE = 32 * 1024
_BYTES_PER_TOKEN = 4
_VENDORS = (
    ("claude", "Anthropic"),
    ("gpt", "OpenAI"),
    ("o1", "OpenAI"),
    ("o3", "OpenAI"),
    ("o4", "OpenAI"),
    ("grok", "xAI"),
)


async def count_tokens(request: DoorRequest) -> HttpResponseBase:
    """POST /v1/messages/count_tokens. Shape: https://docs.claude.com/en/api/messages-count-tokens"""
    allow(request, "POST")
    authenticate(request, Door.MESSAGES)
    asked = messages.open_request(await request.read_body(), needs_max_tokens=False)
    return _json({"input_tokens": await count_input(request.runtime, asked)})


async def input_tokens(request: DoorRequest) -> HttpResponseBase:
    """POST /v1/responses/input_tokens. Shape: https://platform.openai.com/docs/api-reference/responses/input-tokens"""
    allow(request, "POST")
    authenticate(request, Door.RESPONSES)
    asked = responses.open_request(await request.read_body())
    return _json({"object": "response.input_tokens", "input_tokens": await count_input(request.runtime, asked)})


async def learn_count(runtime: Runtime, asked: Asked, tally: Tally) -> None:
    """Set the estimates for a model right by what the upstream counted of one request."""
    name = normalise(asked.model)
    tokens = await asyncio.to_thread(estimate, asked, _vendor(name))
    runtime.calibration.note(name, tokens, tally.input + tally.cached + tally.cache_write)


async def count_input(runtime: Runtime, asked: Asked) -> int:
    """The estimate for the model that was named, set right by what was seen of it lately. Any name will do.

    Raises BadRequest for a body that cannot be read to its end.
    """
    name = normalise(asked.model)
    vendor = _vendor(name)
    if asked.size < _LARGE:
        tokens = estimate(asked, vendor)
    else:
        tokens = await asyncio.to_thread(estimate, asked, vendor)
    return max(1, math.ceil(tokens * runtime.calibration.ratio(name)))


async def estimate_input(runtime: Runtime, asked: Asked) -> int:
    """The same for a request that went upstream already; what cannot be read to its end is told by its size."""
    try:
        return await count_input(runtime, asked)
    except BadRequest:
        return asked.size // _BYTES_PER_TOKEN


def _vendor(name: str) -> str:
    return next((vendor for start, vendor in _VENDORS if name.startswith(start)), "")


def _json(value: object) -> HttpResponse:
    return HttpResponse(msgspec.json.encode(value), content_type="application/json")
