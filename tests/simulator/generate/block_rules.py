"""What /v1/messages refuses in a content block."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from tests.simulator import errors
from tests.simulator.generate.images import from_base64

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.simulator.catalogue import Model
    from tests.simulator.generate.message_rules import Clerk

_USER = ("text", "image", "document", "tool_result", "search_result")
_ASSISTANT = (
    "text",
    "thinking",
    "redacted_thinking",
    "tool_use",
    "server_tool_use",
    "tool_search_tool_result",
    "compaction",
)
_IN_RESULT = ("text", "image", "document", "search_result", "tool_reference")
_KEYS: Mapping[str, frozenset[str]] = {
    "text": frozenset({"text", "citations"}),
    "image": frozenset({"source"}),
    "tool_result": frozenset({"tool_use_id", "content", "is_error"}),
    "tool_use": frozenset({"id", "name", "input", "caller"}),
    "thinking": frozenset({"thinking", "signature"}),
    "redacted_thinking": frozenset({"data"}),
}
_ID = re.compile(r"[a-zA-Z0-9_-]+")


def check_block(block: Any, path: str, role: str, model: Model, clerk: Clerk) -> None:
    """Refuse a block of a wrong kind for its role, with unknown fields, or with content nobody can use."""
    if role == "system":
        return
    allowed = _IN_RESULT if role == "result" else _ASSISTANT if role == "assistant" else _USER
    kind = str(block.get("type")) if isinstance(block, dict) else ""
    if kind not in allowed:
        expected = ", ".join(f"'{name}'" for name in allowed)
        raise errors.bare(
            f"{path}: Input tag '{kind}' found using 'type' does not match any of the expected tags: {expected}"
        )
    for key in block:
        if kind in _KEYS and key not in (*_KEYS[kind], "type", "cache_control"):
            raise clerk.extra(f"{path}.{kind}.{key}")
    match kind:
        case "text":
            _check_text(block.get("text"), path, clerk)
        case "image":
            _check_image(block.get("source") or {}, path, model, clerk)
        case "document":
            _check_document(block.get("source") or {}, path, clerk)
        case "tool_use":
            _check_call(block, path, clerk)
        case "tool_result":
            content = block.get("content")
            if isinstance(content, dict):
                raise clerk.refusal(f"{path}.tool_result.content: Input should be a valid list")
            for number, part in enumerate(content if isinstance(content, list) else ()):
                check_block(part, f"{path}.content.{number}", "result", model, clerk)


def _check_text(text: Any, path: str, clerk: Clerk) -> None:
    if not isinstance(text, str):
        raise clerk.refusal(f"{path}.text.text: Field required")
    if not text:
        raise clerk.refusal("messages: text content blocks must be non-empty")


def _check_image(source: dict[str, Any], path: str, model: Model, clerk: Clerk) -> None:
    if source.get("type") == "url":
        raise errors.capi(400, "", "external image URLs are not supported")
    if source.get("type") != "base64":
        raise clerk.refusal(f"{path}.image.source: Input should be a base64 source")
    claimed = source.get("media_type", "")
    if not model.vision:
        raise clerk.refusal(f"{path}.image: this model does not support image input")
    if claimed not in (*model.media, "image/gif"):
        raise clerk.refusal(
            f"{path}.image.source.base64.media_type: "
            "Input should be 'image/jpeg', 'image/png', 'image/gif' or 'image/webp'"
        )
    found = from_base64(source.get("data", ""), claimed)
    if not source.get("data"):
        raise clerk.refusal(f"{path}.image.source.base64: image cannot be empty")
    if found.media_type != claimed:
        raise clerk.refusal(f"{path}.image.source.base64: Image does not match the provided media type {claimed}")


def _check_document(source: dict[str, Any], path: str, clerk: Clerk) -> None:
    kind = source.get("type")
    if kind not in ("base64", "url"):
        raise clerk.refusal(f'{path}.document.source: source type must be base64 or url, got "{kind}"')
    if kind == "base64" and source.get("media_type") != "application/pdf":
        raise clerk.refusal(f"{path}.document.source: media_type must be application/pdf")


def _check_call(block: dict[str, Any], path: str, clerk: Clerk) -> None:
    if not isinstance(block.get("id"), str) or not _ID.fullmatch(block["id"]):
        raise clerk.refusal(f"{path}.tool_use.id: String should match pattern '^[a-zA-Z0-9_-]+$'")
    if not isinstance(block.get("input"), dict):
        raise clerk.refusal(f"{path}.tool_use.input: Input should be a valid dictionary")
    if not block.get("name"):
        raise clerk.refusal(f"{path}.tool_use.name: String should have at least 1 character")
