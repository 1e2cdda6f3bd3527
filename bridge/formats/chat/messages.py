"""Chat Completions, edits inside messages; a message that needs none stays the bytes it was."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Raw

from bridge.asked import parsed
from bridge.carrier import PREFIX, is_carrier
from bridge.formats.chat.families import speaks_openai
from bridge.formats.chat.seal_ids import MARK, needs_seal, open_id
from bridge.json_text import decode_object
from bridge.target import Target

_CARRIER = f'"{PREFIX}'.encode()
_SEAL_MARK = MARK.encode()


def edit_message(raw: Raw, target: Target) -> Raw | dict[str, Any]:
    """The message as `target` takes it; the very same object when nothing had to change."""
    text = bytes(raw)
    is_openai = speaks_openai(target)
    touched = (
        b'"developer"' in text
        or b'"reasoning_content"' in text
        or _CARRIER in text
        or _SEAL_MARK in text
        or (b'"tool_calls"' in text and (not is_openai or b'""' in text))
    )
    if not touched:
        return raw
    message: dict[str, Any] = parsed(raw, "messages")
    changed = [
        _rename_developer(message, target),
        _open_ids(message, target),
        _strip_carriers(message),
        _return_reasoning(message),
        _empty_content(message),
        not is_openai and mend_arguments(message),
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


def mend_arguments(message: dict[str, Any]) -> bool:
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
    if message.get("role") != "developer" or speaks_openai(target):
        return False
    message["role"] = "system"
    return True


def _open_ids(message: dict[str, Any], target: Target) -> bool:
    """Quirk gemini-seal-in-ids: ids become plain again, and the model that needs the seal gets it back."""
    calls = message.get("tool_calls")
    named = [(call, "id") for call in calls if isinstance(call, dict)] if isinstance(calls, list) else []
    changed = False
    for holder, name in [*named, (message, "tool_call_id")]:
        value = holder.get(name)
        if not isinstance(value, str) or MARK not in value:
            continue
        changed = True
        holder[name], seal = open_id(value)
        if seal and needs_seal(target.family) and not message.get("reasoning_opaque"):
            message["reasoning_opaque"] = seal
    return changed


def _strip_carriers(message: dict[str, Any]) -> bool:
    """A seal of another format that a client carried here goes no further, nor does the thought it stood beside."""
    sealed = [message.get(name) for name in ("reasoning_opaque", "reasoning_content", "reasoning_text")]
    if not any(isinstance(value, str) and is_carrier(value) for value in sealed):
        return False
    for name in ("reasoning_opaque", "reasoning_content", "reasoning_text"):
        message.pop(name, None)
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
