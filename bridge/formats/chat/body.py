"""Chat Completions, an upstream's unstreamed JSON answer, read as the one chunk of a stream."""

from __future__ import annotations

from typing import Any

import msgspec

from bridge.errors import BrokenStream
from bridge.formats.chat.chunks import read_chunk
from bridge.sse import write_data

_encode = msgspec.json.Encoder().encode
_REASONS = {
    "end_turn": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "tool_use": "tool_calls",
    "refusal": "content_filter",
}


def frames_of_body(body: bytes) -> bytes:
    """The frames of the stream that a whole answer should have been. Raises BrokenStream when it is no answer."""
    return write_data(_encode(chunk_of_body(body))) + write_data(b"[DONE]")


def chunk_of_body(body: bytes) -> dict[str, Any]:
    """A whole answer as one chunk; quirk chat-native-body: also in Anthropic's shape. Raises BrokenStream: neither."""
    answer = read_chunk(body)
    if isinstance(answer.get("content"), list):
        answer = _from_native(answer)
    if "choices" not in answer and "error" not in answer:
        raise BrokenStream("The upstream's answer has no choices. Send the request again.")
    if answer.get("choices") == []:  # quirk chat-empty-choices: nothing fitted into a tiny max_tokens
        answer["choices"] = [{"index": 0, "delta": {"content": ""}, "finish_reason": "length"}]
    return answer


def _from_native(answer: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": answer.get("id"),
        "model": answer.get("model"),
        "choices": [
            {
                "index": 0,
                "delta": _native_delta([block for block in answer["content"] if isinstance(block, dict)]),
                "finish_reason": _REASONS.get(str(answer.get("stop_reason")), "stop"),
            }
        ],
        "usage": _native_usage(answer["usage"] if isinstance(answer.get("usage"), dict) else {}),
        "copilot_usage": answer.get("copilot_usage"),
    }


def _native_delta(blocks: list[dict[str, Any]]) -> dict[str, Any]:
    delta: dict[str, Any] = {
        "content": "".join(str(block.get("text", "")) for block in blocks if block.get("type") == "text"),
        "tool_calls": [
            {
                "index": index,
                "id": block.get("id"),
                "type": "function",
                "function": {"name": block.get("name"), "arguments": _encode(block.get("input") or {}).decode()},
            }
            for index, block in enumerate(block for block in blocks if block.get("type") == "tool_use")
        ],
    }
    thoughts = [block for block in blocks if block.get("type") == "thinking"]
    if thoughts:
        delta["reasoning_text"] = "".join(str(block.get("thinking", "")) for block in thoughts)
        delta["reasoning_opaque"] = str(thoughts[-1].get("signature", ""))
    return delta


def _native_usage(usage: dict[str, Any]) -> dict[str, Any]:
    told = {name: value for name, value in usage.items() if isinstance(value, int)}
    cached = told.get("cache_read_input_tokens", 0)
    prompt = told.get("input_tokens", 0) + cached + told.get("cache_creation_input_tokens", 0)
    output = told.get("output_tokens", 0)
    return {
        "prompt_tokens": prompt,
        "completion_tokens": output,
        "total_tokens": prompt + output,
        "prompt_tokens_details": {"cached_tokens": cached},
    }
