"""Chat Completions on both sides, request: a caller's body edited into what the upstream takes.

The body is edited and not rebuilt: top-level fields stay the bytes they were, in their order, unknown ones included.
Every edit is a rule of the upstream with an id in `bridge/QUIRKS.md`; what is lost by one is named in
`Written.dropped`.
"""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Raw

from bridge.asked import Asked, Written, parsed, typed
from bridge.effort import nearest_effort
from bridge.formats.chat.families import refused_by
from bridge.formats.chat.kimi import rename_calls
from bridge.formats.chat.messages import edit_message, hoist_tool_images
from bridge.formats.chat.opening import LIMITS
from bridge.target import Target

NO_DESCRIPTION = "No description."

_encode = msgspec.json.Encoder().encode


def edit_request(asked: Asked, target: Target) -> Written:
    """The body for the upstream: streamed, with usage, within what `target` takes."""
    fields = dict(asked.fields)
    dropped: list[str] = []
    fields["model"] = Raw(_encode(target.model))
    fields["stream"] = Raw(b"true")
    fields["stream_options"] = Raw(b'{"include_usage":true}')
    fields.pop("n", None)
    _drop_gateway_matters(fields, dropped)
    _bound_output(fields, target)
    _drop_refused(fields, target, dropped)
    _clamp_effort(fields, target, dropped)
    _describe_tools(fields)
    if fields.get("prediction") is not None and _is_empty_prediction(fields["prediction"]):
        del fields["prediction"]
    messages = _edited_messages(asked.entries, target)
    if messages is not asked.entries:
        fields["messages"] = Raw(_encode(messages))
    return Written(_encode(fields), tuple(dropped))


def _drop_gateway_matters(fields: dict[str, Raw], dropped: list[str]) -> None:
    """Quirk chat-service-tier, and fields that only make sense at OpenAI itself: answered with 400 upstream."""
    for name in ("service_tier", "store", "metadata", "safety_identifier"):
        raw = fields.pop(name, None)
        if raw is not None and bytes(raw) not in (b"null", b"false", b"{}", b'"auto"', b'"default"'):
            dropped.append(name)
    user = fields.get("user")
    if user is not None and len(bytes(user)) > 66:  # 64 characters and the quotes: OpenAI's limit
        del fields["user"]
        dropped.append("user")


def _bound_output(fields: dict[str, Raw], target: Target) -> None:
    """Quirk chat-max-tokens: newer families refuse `max_tokens`; every limit is held to the model's own."""
    if "max_tokens" in fields and "max_tokens" in refused_by(target):
        limit = fields.pop("max_tokens")
        fields.setdefault("max_completion_tokens", limit)
    for name in LIMITS:
        asked = typed(fields, name, int)
        if asked is not None and target.max_output_tokens and asked > target.max_output_tokens:
            fields[name] = Raw(str(target.max_output_tokens).encode())


def _drop_refused(fields: dict[str, Raw], target: Target, dropped: list[str]) -> None:
    """Quirk chat-sampling: fields that the model answers with 400 although a client may always send them."""
    for name in sorted(refused_by(target) & fields.keys()):
        if bytes(fields.pop(name)) != b"null":
            dropped.append(name)


def _clamp_effort(fields: dict[str, Raw], target: Target, dropped: list[str]) -> None:
    """Quirk effort-list: an effort the model does not list becomes the nearest that it lists."""
    effort = typed(fields, "reasoning_effort", str)
    if effort is None or target.efforts is None or effort in target.efforts:
        return
    dropped.append("reasoning_effort")
    nearest = nearest_effort(effort, target.efforts)
    if nearest is None:
        del fields["reasoning_effort"]
    else:
        fields["reasoning_effort"] = Raw(_encode(nearest))


def _describe_tools(fields: dict[str, Raw]) -> None:
    """Quirk empty-description: since August 2026 an empty tool description is answered with 400."""
    raw = fields.get("tools")
    if raw is None or (b'""' not in bytes(raw)):
        return
    tools = parsed(raw, "tools")
    for tool in tools if isinstance(tools, list) else []:
        function = tool.get("function") if isinstance(tool, dict) else None
        if isinstance(function, dict) and function.get("description") == "":
            function["description"] = NO_DESCRIPTION
    fields["tools"] = Raw(_encode(tools))


def _is_empty_prediction(raw: Raw) -> bool:
    """Quirk empty-prediction: a prediction without content is answered with 400."""
    prediction = parsed(raw, "prediction")
    return prediction is None or (isinstance(prediction, dict) and prediction.get("content") in ("", [], None))


def _edited_messages(messages: list[Raw], target: Target) -> list[Any]:
    edited: list[Any] = [edit_message(raw, target) for raw in messages]
    if target.family.startswith("kimi"):
        edited = rename_calls(
            [parsed(each, "messages") if isinstance(each, Raw) else each for each in edited], target.family
        )
    if any(b'"tool"' in bytes(raw) and b"image_url" in bytes(raw) for raw in messages):
        return hoist_tool_images(edited)
    return messages if all(new is old for new, old in zip(edited, messages, strict=True)) else edited
