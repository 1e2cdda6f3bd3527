"""Chat Completions, edits inside messages; a message that needs none stays the bytes it was."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Raw

from bridge.errors import BadRequest
from bridge.json_text import decode_object
from bridge.target import Target

_SPEAKS_OPENAI = frozenset({"openai", "azure openai"})


def parsed(raw: Raw, param: str) -> Any:
    """One JSON value of a request. Raises BadRequest for what only a full reading finds: 1e999, bottomless nesting."""
    try:
        return msgspec.json.decode(raw)
    except (msgspec.DecodeError, RecursionError) as error:
        raise BadRequest(
            "'%(param)s' cannot be read: %(error)s.", {"param": param, "error": str(error)[:200]}, param=param
        ) from error


def edit_message(raw: Raw, target: Target) -> Raw | dict[str, Any]:
    """The message as `target` takes it; the very same object when nothing had to change."""
    text = bytes(raw)
    speaks_openai = target.vendor.lower() in _SPEAKS_OPENAI
    touched = (
        b'"developer"' in text
        or b'"reasoning_content"' in text
        or (b'"tool_calls"' in text and (not speaks_openai or b'""' in text))
    )
    if not touched:
        return raw
    message: dict[str, Any] = parsed(raw, "messages")
    changed = [
        _rename_developer(message, target),
        _return_reasoning(message),
        _empty_content(message),
        not speaks_openai and _mend_arguments(message),
    ]
    return message if any(changed) else raw


def hoist_tool_images(messages: list[Any]) -> list[Any]:
    """Quirk tool-images: images inside a tool's result move to a user message behind the run of tool results."""
    out: list[Any] = []
    waiting: list[Any] = []
    for entry in messages:
        message = entry if isinstance(entry, dict) else parsed(entry, "messages")
        is_tool = isinstance(message, dict) and message.get("role") == "tool"
        if waiting and not is_tool:
            out.append(_image_turn(waiting))
            waiting = []
        images = _take_images(message) if is_tool else []
        waiting += images
        out.append(message if images else entry)
    if waiting:
        out.append(_image_turn(waiting))
    return out


def _take_images(message: dict[str, Any]) -> list[Any]:
    content = message.get("content")
    if not isinstance(content, list):
        return []
    images = [part for part in content if isinstance(part, dict) and part.get("type") == "image_url"]
    if images:
        rest = [part for part in content if part not in images]
        message["content"] = rest or "The result is the image in the next message."
    return images


def _image_turn(images: list[Any]) -> dict[str, Any]:
    return {
        "role": "user",
        "content": [{"type": "text", "text": "Images returned by the tool calls above:"}, *images],
    }


def _rename_developer(message: dict[str, Any], target: Target) -> bool:
    """Quirk developer-role: only OpenAI's own models know the role `developer`."""
    if message.get("role") != "developer" or target.vendor.lower() in _SPEAKS_OPENAI:
        return False
    message["role"] = "system"
    return True


def _return_reasoning(message: dict[str, Any]) -> bool:
    """Quirk reasoning-echo: clients know `reasoning_content`, the upstream wants its own `reasoning_text` back."""
    if "reasoning_content" not in message:
        return False
    text = message.pop("reasoning_content")
    if text and not message.get("reasoning_text"):
        message["reasoning_text"] = text
    return True


def _empty_content(message: dict[str, Any]) -> bool:
    """Quirk empty-content: beside tool calls an empty text is null, and empty text parts are left out."""
    if message.get("role") != "assistant" or not message.get("tool_calls"):
        return False
    content = message.get("content")
    if content == "":
        message["content"] = None
        return True
    if isinstance(content, list):
        kept = [part for part in content if not (isinstance(part, dict) and part.get("text") == "")]
        if len(kept) != len(content):
            message["content"] = kept or None
            return True
    return False


def _mend_arguments(message: dict[str, Any]) -> bool:
    """Quirk malformed-arguments: other vendors' models take a call's arguments as a JSON object or not at all."""
    changed = False
    calls = message.get("tool_calls")
    for call in calls if isinstance(calls, list) else []:
        function = call.get("function") if isinstance(call, dict) else None
        arguments = function.get("arguments") if isinstance(function, dict) else None
        if isinstance(function, dict) and isinstance(arguments, str) and decode_object(arguments.encode()) is None:
            wrapped = {"_raw_arguments": arguments} if arguments.strip() else {}
            function["arguments"] = msgspec.json.encode(wrapped).decode()
            changed = True
    return changed
