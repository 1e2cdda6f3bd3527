"""What /chat/completions refuses, and in which words."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from tests.simulator import errors
from tests.simulator.generate.families import Family, family_of
from tests.simulator.generate.seals import Kind, Seals, Verdict
from tests.simulator.generate.shapes import CHAT, bracketed, misfit
from tests.simulator.generate.tool_rules import check_effort, check_function_tools, check_image

if TYPE_CHECKING:
    from tests.simulator.catalogue import Model
    from tests.simulator.wire import Refusal

_ROLES = ("system", "developer", "user", "assistant", "tool", "function")
_SAMPLING = ("temperature", "top_p", "presence_penalty", "frequency_penalty", "logprobs", "top_logprobs", "logit_bias")
_NEUTRAL = {"temperature": 1, "top_p": 1, "presence_penalty": 0, "frequency_penalty": 0, "logprobs": False}
_KIMI_ID = re.compile(r"(functions\.)?[\w-]+:\d+")
_PINNED = {"temperature": 1, "top_p": 0.95}


def check_chat(body: dict[str, Any], model: Model, seals: Seals) -> None:
    """Raise the Refusal of the first rule that `body` breaks for this model."""
    if (place := misfit(body, CHAT)) is not None:
        raise _bad(f"Invalid type for '{bracketed(place)}'.", bracketed(place), "invalid_type")
    messages = body.get("messages")
    if not isinstance(messages, list) or not messages:
        raise _bad("messages is required and must not be empty", "messages")
    for number, message in enumerate(messages):
        _check_message(message, number, model)
    check_function_tools(body.get("tools") or (), nested=True)
    _check_parameters(body, model)
    _check_limits(body, model)
    _check_pairs(messages, model)
    if family_of(model) is Family.GEMINI and model.id.startswith(("gemini-3", "gemini-4")):
        _check_echo(messages, seals)


def _bad(message: str, param: str | None = None, code: str = "invalid_request_body") -> Refusal:
    return errors.capi(400, code, message, param=param)


def _check_message(message: Any, number: int, model: Model) -> None:
    if not isinstance(message, dict) or message.get("role") not in _ROLES:
        raise _bad(f"Invalid value for 'messages[{number}].role'.", f"messages[{number}].role")
    content = message.get("content")
    if content is None and message["role"] not in ("assistant",):
        raise _bad(
            f"Invalid value for 'content': expected a string, got null. (messages.[{number}].content)", "messages"
        )
    if content is not None and not isinstance(content, str | list):
        raise _bad(f"Invalid type for 'messages[{number}].content'.", f"messages[{number}].content")
    for part in content if isinstance(content, list) else ():
        _check_part(part, number, model)


def _check_part(part: Any, number: int, model: Model) -> None:
    match part:
        case {"type": "text", "text": str(text)}:
            if not text and family_of(model) is Family.CLAUDE:
                raise errors.bare("messages: text content blocks must be non-empty")
        case {"type": "image_url", "image_url": {"url": str(url)}}:
            check_image(url, model)
        case {"type": "refusal" | "file" | "input_audio"}:
            pass
        case _:
            raise _bad(f"Invalid content part in messages[{number}].", f"messages[{number}].content")


def _check_parameters(body: dict[str, Any], model: Model) -> None:
    if "service_tier" in body:
        raise _bad("service_tier is not supported", "service_tier", "unsupported_value")
    if body.get("prediction") is not None and not body["prediction"].get("content"):
        raise _bad("prediction content must not be empty", "prediction")
    if not model.sampling:
        for name in _SAMPLING:
            if body.get(name) is not None and body[name] != _NEUTRAL.get(name):
                raise _bad(
                    f"Unsupported parameter: '{name}' is not supported with this model.", name, "unsupported_parameter"
                )
    if family_of(model) is Family.KIMI:
        for name, pinned in _PINNED.items():
            if body.get(name, pinned) != pinned:
                raise _bad(f"invalid {name}: only {pinned} is allowed for this model", name)
    effort = body.get("reasoning_effort")
    check_effort(effort, model, "reasoning_effort")
    if effort not in (None, "none") and body.get("tools") and model.id.startswith("gpt-5.6"):
        raise _bad(
            "Function tools with reasoning_effort are not supported for this model in /v1/chat/completions. "
            "Please use /v1/responses instead.",
            "reasoning_effort",
        )


def _check_limits(body: dict[str, Any], model: Model) -> None:
    limit = body.get("max_tokens")
    if limit is not None and family_of(model) is Family.GPT:
        raise _bad(
            "Unsupported parameter: 'max_tokens' is not supported with this model. "
            "Use 'max_completion_tokens' instead.",
            "max_tokens",
            "unsupported_parameter",
        )
    wanted = body.get("max_completion_tokens") or limit or 1
    if not isinstance(wanted, int) or wanted < 1:
        raise _bad("max_tokens must be at least 1", "max_tokens")
    if wanted > model.output:
        raise errors.bare(f"The maximum tokens you requested exceeds the model limit of {model.output}")


def _check_pairs(messages: list[dict[str, Any]], model: Model) -> None:
    """Every tool message answers a call of the assistant message before it, and every call is answered."""
    open_calls: list[str] = []
    for number, message in enumerate(messages):
        if message["role"] == "tool":
            if message.get("tool_call_id") not in open_calls:
                raise _orphan(message.get("tool_call_id"), number, model)
            open_calls.remove(message["tool_call_id"])
            continue
        if open_calls:
            raise _unanswered(open_calls, number - 1, model)
        open_calls = [str(call.get("id")) for call in message.get("tool_calls") or ()]
        if family_of(model) is Family.KIMI:
            _check_kimi_ids(open_calls)
    if open_calls:
        raise _unanswered(open_calls, len(messages) - 1, model)


def _orphan(call_id: Any, number: int, model: Model) -> Refusal:
    if family_of(model) is Family.CLAUDE:
        return _bad(
            f"messages.{number}.content.0: unexpected `tool_use_id` found in `tool_result` blocks: {call_id}. Each "
            "`tool_result` block must have a corresponding `tool_use` block in the previous message."
        )
    return _bad(
        "Invalid parameter: messages with role 'tool' must be a response to a preceding message with 'tool_calls'.",
        f"messages.[{number}].role",
    )


def _unanswered(calls: list[str], number: int, model: Model) -> Refusal:
    listed = ", ".join(calls)
    if family_of(model) is Family.CLAUDE:
        return _bad(
            f"messages.{number}: `tool_use` ids were found without `tool_result` blocks immediately after: {listed}. "
            "Each `tool_use` block must have a corresponding `tool_result` block in the next message."
        )
    return _bad(
        "An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'. "
        f"The following tool_call_ids did not have response messages: {listed}",
        f"messages.[{number}].role",
    )


def _check_kimi_ids(calls: list[str]) -> None:
    for call_id in calls:
        if not _KIMI_ID.fullmatch(call_id):
            raise _bad(f"Invalid request: tool_call_id {call_id} is not found")


def _check_echo(messages: list[dict[str, Any]], seals: Seals) -> None:
    """Calls since the user last spoke must come back with the `reasoning_opaque` they were given with."""
    last_user = max((n for n, message in enumerate(messages) if message["role"] == "user"), default=-1)
    for number, message in enumerate(messages[last_user + 1 :], last_user + 1):
        if not message.get("tool_calls"):
            continue
        blob = message.get("reasoning_opaque")
        if not isinstance(blob, str) or seals.verdict(Kind.OPAQUE, blob) is not Verdict.OURS:
            name = message["tool_calls"][0].get("function", {}).get("name")
            raise _bad(
                "Function call is missing a thought_signature in functionCall parts. This is required for tools to "
                f"work correctly. Additional data, function call `{name}`, position {number}."
            )
