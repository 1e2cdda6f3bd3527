"""Whether a person or an agent asks, told honestly by the last message; and whether an image is in a request.

A request whose last message is a person's is the person's; one that brings back a tool's result, or continues an
assistant's turn, is the agent's. GitHub's clients and the careful gateways count this way. Instructions (system,
developer) say nothing about who asks, so the last message before them decides.
"""

from __future__ import annotations

from enum import StrEnum

from bridge.copilot.fields import entries, text

INSTRUCTIONS = frozenset({"system", "developer"})


class Initiator(StrEnum):
    USER = "user"
    AGENT = "agent"


def initiator_of_chat(messages: object) -> Initiator:
    """Return who asks, from the `messages` of a Chat Completions request."""
    role = next((role for role in _roles_backwards(messages) if role not in INSTRUCTIONS), "user")
    return Initiator.USER if role == "user" else Initiator.AGENT


def initiator_of_responses(request_input: object) -> Initiator:
    """Return who asks, from the `input` of a Responses request, a text or a list of items.

    An item without a role is a call, a call's output or the model's reasoning: the agent's.
    """
    return initiator_of_chat(request_input)


def initiator_of_messages(messages: object) -> Initiator:
    """Return who asks, from the `messages` of an Anthropic request.

    Tool results travel there in the role of the user. A message of nothing else is the agent's, and reminders the
    client program puts beside them are not a person's words; any other block beside them is.
    """
    last = next(
        (message for message in reversed(_records(messages)) if text(message, "role") not in INSTRUCTIONS), None
    )
    if last is None:
        return Initiator.USER
    if text(last, "role") != "user":
        return Initiator.AGENT
    blocks = _records(last.get("content"))
    brings_result = any(text(block, "type") == "tool_result" for block in blocks)
    if brings_result and all(text(block, "type") == "tool_result" or _is_reminder(block) for block in blocks):
        return Initiator.AGENT
    return Initiator.USER


def has_image(value: object) -> bool:
    """Say whether a part of any of the three dialects, at any depth, is an image.

    Hand in the messages or the input, not the tools. What a tool was called with is data and is not searched.
    """
    pending = [value]
    while pending:
        here = pending.pop()
        if isinstance(here, list):
            pending.extend(here)
        elif isinstance(here, dict):
            kind = here.get("type")
            if _is_image(kind, here):
                return True
            skipped = "input" if kind == "tool_use" else ""
            pending.extend(inner for name, inner in here.items() if name != skipped and isinstance(inner, (dict, list)))
    return False


def _is_image(kind: object, part: dict[str, object]) -> bool:
    match kind:
        case "image_url":
            return "image_url" in part
        case "input_image":
            return "image_url" in part or "file_id" in part
        case "image":
            return isinstance(part.get("source"), dict)
        case "computer_screenshot":
            return "image_url" in part or "file_id" in part
        case _:
            return False


def _is_reminder(block: dict[str, object]) -> bool:
    words = text(block, "text").strip()
    return words.startswith("<system-reminder>") and words.endswith("</system-reminder>")


def _records(value: object) -> list[dict[str, object]]:
    return [item for item in entries(value) if isinstance(item, dict)]


def _roles_backwards(value: object) -> list[str]:
    return [text(item, "role", "none") for item in reversed(_records(value))]
