"""Chat Completions, request side: a caller's body, read just as deep as the relay must.

Shape: https://platform.openai.com/docs/api-reference/chat/create
"""

from __future__ import annotations

import msgspec
from msgspec import Raw

from bridge.asked import Asked, read_fields, read_list, typed
from bridge.dialect import Dialect
from bridge.errors import BadRequest

ROLES = frozenset({"system", "developer", "user", "assistant", "tool", "function"})
LIMITS = ("max_tokens", "max_completion_tokens")


class _Head(msgspec.Struct):
    role: str


_head_decoder = msgspec.json.Decoder(_Head)


def open_request(body: bytes) -> Asked:
    """Read a caller's body. Raises BadRequest with the field at fault in `param`."""
    fields = read_fields(body)
    messages = read_list(fields, "messages")
    model = typed(fields, "model", str)
    if not model:
        raise BadRequest("'model' is missing. Name one of the models that GET /v1/models lists.", param="model")
    for index, raw in enumerate(messages):
        _check_role(index, raw)
    if typed(fields, "n", int) not in (None, 1):
        raise BadRequest("'n' must be 1: GitHub Copilot gives one answer to a request.", param="n")
    for name in LIMITS:
        if (asked := typed(fields, name, int)) is not None and asked < 1:
            raise BadRequest("'%(name)s' must be at least 1.", {"name": name}, param=name)
    options = typed(fields, "stream_options", dict) or {}
    return Asked(
        dialect=Dialect.CHAT,
        fields=fields,
        model=model,
        entries=messages,
        stream=bool(typed(fields, "stream", bool)),
        include_usage=options.get("include_usage") is True,
    )


def _check_role(index: int, raw: Raw) -> None:
    try:
        role = _head_decoder.decode(raw).role
    except msgspec.ValidationError as error:
        raise BadRequest(
            "'messages[%(index)d]' must be an object with a 'role'.", {"index": index}, param=f"messages[{index}]"
        ) from error
    if role not in ROLES:
        raise BadRequest(
            "'messages[%(index)d].role' is %(role)r; it must be one of %(roles)s.",
            {"index": index, "role": role[:40], "roles": ", ".join(sorted(ROLES))},
            param=f"messages[{index}].role",
        )
