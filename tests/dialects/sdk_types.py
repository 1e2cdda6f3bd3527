"""The vendors' own types, asked whether a value is of them: every required member, every literal, every type.

The SDKs build their objects without validation, so what breaks a member breaks a user's program much later; here
the same classes validate.
"""

from __future__ import annotations

import warnings
from functools import cache
from typing import Any, get_args

from anthropic.types.beta import BetaMessage, BetaRawMessageStreamEvent
from openai.types.chat import ChatCompletion, ChatCompletionChunk
from openai.types.responses import Response, ResponseStreamEvent
from pydantic import TypeAdapter, ValidationError

# What is echoed from the request: it may be newer than the SDK, or nonsense that the upstream lets pass.
_ECHOED: dict[str, Any] = {"tools": [], "tool_choice": "auto"} | dict.fromkeys(
    (
        "background",
        "instructions",
        "max_output_tokens",
        "max_tool_calls",
        "metadata",
        "previous_response_id",
        "prompt_cache_key",
        "reasoning",
        "safety_identifier",
        "service_tier",
        "store",
        "temperature",
        "text",
        "top_logprobs",
        "top_p",
        "truncation",
        "user",
    )
)
# Copilot's upstream sends it and client programs take it; the SDK's types do not know it.
_UNTYPED_EVENTS = frozenset({"keepalive"})


def check_chunk(chunk: dict[str, Any]) -> None:
    deltas = [choice.get("delta", {}) for choice in chunk["choices"]]
    calls = [call for delta in deltas for call in delta.get("tool_calls", [])]
    if all(call.get("type", "function") == "function" for call in calls):  # the SDK's type of a delta knows no others
        _check(ChatCompletionChunk, chunk)


def check_chat(whole: dict[str, Any]) -> None:
    _check(ChatCompletion, whole)


def check_response(whole: dict[str, Any]) -> None:
    _check(Response, _known(whole))


def check_response_event(event: dict[str, Any]) -> None:
    if event["type"] in _UNTYPED_EVENTS:
        return
    if isinstance(event.get("response"), dict):
        event = {**event, "response": _known(event["response"])}
    kinds = _kinds(ResponseStreamEvent)
    assert event["type"] in kinds, f"an event that the SDK does not know: {event['type']!r}"
    _check(kinds[event["type"]], event)


def _known(response: dict[str, Any]) -> dict[str, Any]:
    """Without what is echoed, and with the newest count of tokens, which Copilot's upstream does not tell."""
    whole = {**response, **_ECHOED, "error": None}
    usage = whole.get("usage")
    if isinstance(usage, dict) and isinstance(usage.get("input_tokens_details"), dict):
        whole["usage"] = {**usage, "input_tokens_details": {"cache_write_tokens": 0, **usage["input_tokens_details"]}}
    return whole


def check_message(whole: dict[str, Any]) -> None:
    _check(BetaMessage, whole)


def check_message_event(event: dict[str, Any]) -> None:
    kinds = _kinds(BetaRawMessageStreamEvent)
    assert event["type"] in kinds, f"an event that the SDK does not know: {event['type']!r}"
    _check(kinds[event["type"]], event)


def _check(kind: Any, value: dict[str, Any]) -> None:
    try:
        _adapter(kind).validate_python(value)
    except ValidationError as error:
        faults = [f"{'.'.join(str(step) for step in fault['loc'])}: {fault['msg']}" for fault in error.errors()]
        raise AssertionError(f"not what the SDK's types say: {faults[:5]} in {str(value)[:500]}") from error


@cache
def _kinds(union: Any) -> dict[str, Any]:
    """The members of a union of events by the `type` they have."""
    members = get_args(get_args(union)[0])
    return {word: member for member in members for word in get_args(member.model_fields["type"].annotation)}


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return TypeAdapter(kind)
