"""Chat Completions, request side: read what a caller sent, write what the upstream takes.

The same format stands on both sides, so the body is edited and not rebuilt: top-level fields stay the bytes they
were, in their order, unknown ones included. Every edit is a rule of the upstream with an id in `bridge/QUIRKS.md`;
what is lost by one is named in `Written.dropped`.
Shape: https://platform.openai.com/docs/api-reference/chat/create
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec
from msgspec import Raw

from bridge.errors import BadRequest
from bridge.formats.chat.families import refused_fields
from bridge.formats.chat.kimi import rename_calls
from bridge.formats.chat.messages import edit_message, hoist_tool_images, parsed
from bridge.json_text import mend_surrogates
from bridge.target import Target

_ROLES = frozenset({"system", "developer", "user", "assistant", "tool", "function"})
_EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh", "max")
_COUNTS = ("max_tokens", "max_completion_tokens")
_PLACEHOLDER = "No description."

_fields_decoder = msgspec.json.Decoder(dict[str, Raw])
_list_decoder = msgspec.json.Decoder(list[Raw])
_encode = msgspec.json.Encoder().encode


class _Head(msgspec.Struct):
    role: str


_head_decoder = msgspec.json.Decoder(_Head)


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """One request as it came: `fields` are the top-level members as raw JSON, `messages` one raw JSON text each."""

    fields: dict[str, Raw]
    model: str
    messages: list[Raw]
    roles: tuple[str, ...]
    stream: bool
    include_usage: bool

    def parsed_messages(self) -> list[Any]:
        return [parsed(raw, "messages") for raw in self.messages]


@dataclass(frozen=True, slots=True)
class Written:
    """A body for the upstream and the names of what could not be carried."""

    body: bytes
    dropped: tuple[str, ...]


def read_request(body: bytes) -> ChatRequest:
    """Read a caller's body. Raises BadRequest with the field at fault in `param`."""
    try:
        if not body.isascii():
            body.decode()
        body = mend_surrogates(body)
        fields = _fields_decoder.decode(body)
        messages = _list_decoder.decode(fields["messages"])
    except UnicodeDecodeError as error:
        raise BadRequest("The body is not UTF-8. Send JSON encoded as UTF-8.") from error
    except KeyError as error:
        raise BadRequest(
            "'messages' is missing. Send the conversation as a list of messages.", param="messages"
        ) from error
    except (msgspec.DecodeError, RecursionError) as error:
        raise _not_json(body, error) from error
    model = _typed(fields, "model", str)
    if not model:
        raise BadRequest("'model' is missing. Name one of the models that GET /v1/models lists.", param="model")
    if not messages:
        raise BadRequest("'messages' is empty. Send at least one message.", param="messages")
    roles = tuple(_role(index, raw) for index, raw in enumerate(messages))
    if _typed(fields, "n", int) not in (None, 1):
        raise BadRequest("'n' must be 1: GitHub Copilot gives one answer to a request.", param="n")
    for name in _COUNTS:
        if (asked := _typed(fields, name, int)) is not None and asked < 1:
            raise BadRequest("'%(name)s' must be at least 1.", {"name": name}, param=name)
    return ChatRequest(fields, model, messages, roles, bool(_typed(fields, "stream", bool)), _wants_usage(fields))


def write_request(request: ChatRequest, target: Target) -> Written:
    """The body for the upstream: streamed, with usage, within what `target` takes."""
    fields = dict(request.fields)
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
    messages = _edited_messages(request.messages, target)
    if messages is not request.messages:
        fields["messages"] = Raw(_encode(messages))
    return Written(_encode(fields), tuple(dropped))


def _not_json(body: bytes, error: Exception) -> BadRequest:
    if isinstance(error, RecursionError):
        return BadRequest("The body is nested too deeply. Send a flatter JSON object.")
    try:
        value = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError):
        return BadRequest("The body is not JSON: %(error)s.", {"error": str(error)[:200]})
    if not isinstance(value, dict):
        return BadRequest('The body is not a JSON object. Send {"model": ..., "messages": [...]}.')
    return BadRequest("'messages' must be a list of messages.", param="messages")


def _typed(fields: dict[str, Raw], name: str, kind: type) -> Any:
    raw = fields.get(name)
    if raw is None:
        return None
    value = parsed(raw, name)
    if value is None or (isinstance(value, kind) and not (kind is int and isinstance(value, bool))):
        return value
    wanted = {str: "a string", int: "a whole number", bool: "true or false"}[kind]
    raise BadRequest("'%(name)s' must be %(wanted)s.", {"name": name, "wanted": wanted}, param=name)


def _role(index: int, raw: Raw) -> str:
    try:
        role = _head_decoder.decode(raw).role
    except msgspec.ValidationError as error:
        raise BadRequest(
            "'messages[%(index)d]' must be an object with a 'role'.", {"index": index}, param=f"messages[{index}]"
        ) from error
    if role not in _ROLES:
        raise BadRequest(
            "'messages[%(index)d].role' is %(role)r; it must be one of %(roles)s.",
            {"index": index, "role": role[:40], "roles": ", ".join(sorted(_ROLES))},
            param=f"messages[{index}].role",
        )
    return role


def _wants_usage(fields: dict[str, Raw]) -> bool:
    raw = fields.get("stream_options")
    if raw is None:
        return False
    options = parsed(raw, "stream_options")
    if options is None:
        return False
    if not isinstance(options, dict):
        raise BadRequest("'stream_options' must be an object.", param="stream_options")
    return options.get("include_usage") is True


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
    if "max_tokens" in fields and "max_tokens" in target.refused | refused_fields(target.family):
        limit = fields.pop("max_tokens")
        fields.setdefault("max_completion_tokens", limit)
    for name in _COUNTS:
        asked = _typed(fields, name, int)
        if asked is not None and target.max_output_tokens and asked > target.max_output_tokens:
            fields[name] = Raw(str(target.max_output_tokens).encode())


def _drop_refused(fields: dict[str, Raw], target: Target, dropped: list[str]) -> None:
    """Quirk chat-sampling: fields that the model answers with 400 although a client may always send them."""
    for name in sorted((target.refused | refused_fields(target.family)) & fields.keys()):
        if bytes(fields.pop(name)) != b"null":
            dropped.append(name)


def _clamp_effort(fields: dict[str, Raw], target: Target, dropped: list[str]) -> None:
    """Quirk effort-list: an effort the model does not list becomes the nearest that it lists."""
    effort = _typed(fields, "reasoning_effort", str)
    if effort is None or target.efforts is None or effort in target.efforts:
        return
    dropped.append("reasoning_effort")
    known = [listed for listed in target.efforts if listed in _EFFORTS]
    if not known or effort not in _EFFORTS:
        del fields["reasoning_effort"]
        return
    wanted = _EFFORTS.index(effort)
    nearest = min(known, key=lambda listed: abs(_EFFORTS.index(listed) - wanted))
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
            function["description"] = _PLACEHOLDER
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
