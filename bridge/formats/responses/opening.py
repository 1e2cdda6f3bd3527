"""A Responses request as it came: opened just as deep as the relay must.

Shape: https://platform.openai.com/docs/api-reference/responses/create
"""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Raw

from bridge.asked import Asked, parsed, read_fields, read_list, typed
from bridge.dialect import Dialect
from bridge.errors import BadRequest

_ROLES = frozenset({"user", "assistant", "system", "developer"})
# Members by the first byte of their JSON: looked at without reading them.
_SHAPES = (
    ("instructions", b'"', "a string"),
    ("prompt_cache_key", b'"', "a string"),
    ("previous_response_id", b'"', "a string"),
    ("tools", b"[", "a list"),
    ("include", b"[", "a list"),
    ("reasoning", b"{", "an object"),
    ("text", b"{", "an object"),
)


class _Head(msgspec.Struct):
    type: str | None = None
    role: Any = None


_read_head = msgspec.json.Decoder(_Head).decode


def open_request(body: bytes) -> Asked:
    """The request in `body`; an `input` that is a text becomes one message. Raises BadRequest, `param` at fault."""
    fields = read_fields(body)
    model = typed(fields, "model", str)
    if not model:
        raise BadRequest("'model' is missing. Name one of the models that GET /v1/models lists.", param="model")
    entries = _entries(fields)
    for index, raw in enumerate(entries):
        _check_entry(index, raw)
    if (limit := typed(fields, "max_output_tokens", int)) is not None and limit < 1:
        raise BadRequest("'max_output_tokens' must be at least 1.", param="max_output_tokens")
    for name, start, wanted in _SHAPES:
        _check_shape(fields, name, start, wanted)
    return Asked(Dialect.RESPONSES, fields, model, entries, bool(typed(fields, "stream", bool)))


def item_type(item: dict[str, Any]) -> str:
    """The type of a parsed item; one with a role and without a type is a message."""
    kind = item.get("type")
    return kind if isinstance(kind, str) else "message"


def _entries(fields: dict[str, Raw]) -> list[Raw]:
    raw = fields.get("input")
    if raw is None or _start(raw) != b'"':
        return read_list(fields, "input")
    text = parsed(raw, "input")
    if not text:
        raise BadRequest("'input' is empty. Send a text or a list of items.", param="input")
    return [Raw(msgspec.json.encode({"type": "message", "role": "user", "content": text}))]


def _check_shape(fields: dict[str, Raw], name: str, start: bytes, wanted: str) -> None:
    raw = fields.get(name)
    if raw is not None and _start(raw) not in (start, b"n"):  # n: null
        raise BadRequest("'%(name)s' must be %(wanted)s.", {"name": name, "wanted": wanted}, param=name)


def _start(raw: Raw) -> bytes:
    return memoryview(raw)[:1].tobytes()


def _check_entry(index: int, raw: Raw) -> None:
    place = f"input[{index}]"
    try:
        head = _read_head(raw)
    except msgspec.DecodeError as error:
        raise BadRequest("'%(place)s' must be an object with a 'type'.", {"place": place}, param=place) from error
    if head.type not in (None, "message"):
        return
    if head.role is None:
        raise BadRequest("'%(place)s' has neither a 'type' nor a 'role'.", {"place": place}, param=place)
    if not isinstance(head.role, str) or head.role not in _ROLES:
        raise BadRequest(
            "'%(place)s.role' is %(role)r; it must be one of %(roles)s.",
            {"place": place, "role": str(head.role)[:40], "roles": ", ".join(sorted(_ROLES))},
            param=f"{place}.role",
        )
