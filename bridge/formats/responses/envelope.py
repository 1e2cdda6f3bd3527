"""The response object around an answer's items: what was asked is said again, with OpenAI's defaults for the rest.

Shape: https://platform.openai.com/docs/api-reference/responses/object
"""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Raw

from bridge.formats.responses.frames import read_json
from bridge.formats.responses.ids import response_id
from bridge.road import Heading

_NULL = Raw(b"null")
_DEFAULTS: tuple[tuple[str, Raw], ...] = (
    ("instructions", _NULL),
    ("max_output_tokens", _NULL),
    ("max_tool_calls", _NULL),
    ("metadata", Raw(b"{}")),
    ("parallel_tool_calls", Raw(b"true")),
    ("previous_response_id", _NULL),
    ("prompt_cache_key", _NULL),
    ("reasoning", Raw(b'{"effort":null,"summary":null}')),
    ("safety_identifier", _NULL),
    ("store", Raw(b"true")),
    ("temperature", Raw(b"1.0")),
    ("text", Raw(b'{"format":{"type":"text"}}')),
    ("tool_choice", Raw(b'"auto"')),
    ("tools", Raw(b"[]")),
    ("top_logprobs", Raw(b"0")),
    ("top_p", Raw(b"1.0")),
    ("truncation", Raw(b'"disabled"')),
    ("user", _NULL),
)
# What the gateway keeps to itself or moves elsewhere upstream, so that the upstream's echo of it is not the caller's.
_OURS = (
    "instructions",
    "metadata",
    "previous_response_id",
    "prompt_cache_key",
    "safety_identifier",
    "store",
    "tool_choice",
    "tools",
    "user",
)
_decode = msgspec.json.Decoder(dict[str, Raw]).decode


def response_object(
    heading: Heading,
    status: str,
    output: list[Raw],
    *,
    usage: dict[str, object] | None = None,
    error: dict[str, object] | None = None,
    incomplete: str = "",
) -> dict[str, Any]:
    """The whole object; `incomplete` is the reason with the status of that name."""
    return {
        "id": response_id(heading.id),
        "object": "response",
        "created_at": heading.created,
        "status": status,
        "background": False,
        "completed_at": None,
        "error": error,
        "incomplete_details": {"reason": incomplete} if incomplete else None,
        "model": heading.model,
        "output": output,
        "service_tier": "default",
        **_echoed(heading),
        "usage": usage,
    }


def pinned_response(upstream: Raw, heading: Heading) -> dict[str, Any]:
    """The upstream's object under the id and model that the caller knows, without what is Copilot's own business.

    Raises BrokenStream when it is no object.
    """
    fields = read_json(upstream, _decode, "a response that is no object")
    told = {name: value for name, value in fields.items() if not name.startswith("copilot_")}
    whole: dict[str, Any] = response_object(heading, "in_progress", [])
    ours = {name: whole[name] for name in ("id", "created_at", "model", *_OURS)}
    return whole | told | ours


def _echoed(heading: Heading) -> dict[str, Raw]:
    asked = heading.asked.fields
    echoed = {name: _said(asked.get(name), default) for name, default in _DEFAULTS}
    for name in ("reasoning", "text"):
        echoed[name] = _filled(echoed[name], dict(_DEFAULTS)[name])
    return echoed


def _said(value: Raw | None, default: Raw) -> Raw:
    return default if value is None or bytes(value) == b"null" else value


def _filled(value: Raw, default: Raw) -> Raw:
    try:
        return Raw(msgspec.json.encode(_decode(default) | _decode(value)))
    except msgspec.DecodeError:
        return default
