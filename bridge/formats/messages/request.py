"""Messages, a caller's request: opened as deep as the relay must look, wrong types refused by name.

Shape: https://docs.claude.com/en/api/messages
"""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Raw

from bridge.asked import Asked, parsed, read_fields, read_list, typed
from bridge.dialect import Dialect
from bridge.errors import BadRequest
from bridge.formats.messages.errors import ThreadUnsupported

ROLES = ("user", "assistant", "system")
_SMALL = (
    ("temperature", float),
    ("top_p", float),
    ("top_k", int),
    ("stop_sequences", list),
    ("thinking", dict),
    ("tool_choice", dict),
    ("output_config", dict),
    ("output_format", dict),
    ("metadata", dict),
    ("context_management", dict),
)


class _Head(msgspec.Struct):
    role: str
    content: Raw


_head_decoder = msgspec.json.Decoder(_Head)


def open_request(body: bytes, *, needs_max_tokens: bool = True) -> Asked:
    """Read a caller's body. Raises BadRequest with the field at fault in `param`, ThreadUnsupported for `thread`."""
    fields = read_fields(body)
    model = typed(fields, "model", str)
    if not model:
        raise BadRequest("'model' is missing. Name one of the models that GET /v1/models lists.", param="model")
    if "thread" in fields and bytes(fields["thread"]) != b"null":
        raise ThreadUnsupported
    entries = read_list(fields, "messages")
    for index, raw in enumerate(entries):
        _check_head(index, raw)
    _check_limit(fields, needs_max_tokens)
    for name, kind in _SMALL:
        typed(fields, name, kind)
    _check_opening(fields, "system", b'"[', "a string or a list of text blocks")
    _check_opening(fields, "tools", b"[", "a list of tools")
    return Asked(Dialect.MESSAGES, fields, model, entries, bool(typed(fields, "stream", bool)))


def _check_head(index: int, raw: Raw) -> None:
    try:
        head = _head_decoder.decode(raw)
    except msgspec.ValidationError as error:
        raise BadRequest(
            "'messages[%(index)d]' must be an object with a 'role' and a 'content'.",
            {"index": index},
            param=f"messages[{index}]",
        ) from error
    if head.role not in ROLES:
        raise BadRequest(
            "'messages[%(index)d].role' is %(role)r; it must be one of %(roles)s.",
            {"index": index, "role": head.role[:40], "roles": ", ".join(ROLES)},
            param=f"messages[{index}].role",
        )
    if bytes(head.content)[:1] not in (b'"', b"["):
        raise BadRequest(
            "'messages[%(index)d].content' must be a string or a list of content blocks.",
            {"index": index},
            param=f"messages[{index}].content",
        )


def _check_limit(fields: dict[str, Raw], needed: bool) -> None:
    limit = typed(fields, "max_tokens", int)
    if limit is None and needed:
        raise BadRequest("'max_tokens' is missing. Say how many tokens the answer may have.", param="max_tokens")
    if limit is not None and limit < 1:
        raise BadRequest("'%(name)s' must be at least 1.", {"name": "max_tokens"}, param="max_tokens")


def _check_opening(fields: dict[str, Raw], name: str, openings: bytes, wanted: str) -> None:
    """The type of a long member by its first byte, so that it is read once and only where it is used."""
    raw = fields.get(name)
    if raw is None or bytes(raw) == b"null" or bytes(raw)[0] in openings:
        return
    raise BadRequest("'%(name)s' must be %(wanted)s.", {"name": name, "wanted": wanted}, param=name)


def parsed_list(fields: dict[str, Raw], name: str) -> list[dict[str, Any]]:
    """The objects of a list member, none when it is absent. Raises BadRequest for entries that are no objects."""
    raw = fields.get(name)
    if raw is None or bytes(raw) == b"null":
        return []
    values = parsed(raw, name)
    if not isinstance(values, list):
        raise BadRequest("'%(name)s' must be a list.", {"name": name}, param=name)
    for index, value in enumerate(values):
        if not isinstance(value, dict):
            raise BadRequest(
                "'%(name)s[%(index)d]' must be an object.",
                {"name": name, "index": index},
                param=f"{name}[{index}]",
            )
    return values
