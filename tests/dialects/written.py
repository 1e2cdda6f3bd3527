"""Streams written by hand, for the tests of the checkers: frames from plain values."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

Json = dict[str, Any]


def chat_bytes(chunks: Iterable[Json], ending: str = "data: [DONE]\n\n") -> bytes:
    return ("".join(f"data: {json.dumps(chunk)}\n\n" for chunk in chunks) + ending).encode()


def named_bytes(events: Iterable[Json]) -> bytes:
    """Frames with an event line, as Responses and Messages have them."""
    return "".join(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n" for event in events).encode()


def numbered(events: Iterable[Json]) -> list[Json]:
    return [{**event, "sequence_number": number} for number, event in enumerate(events)]


def chunk(delta: Json, finish: str | None = None, **members: Any) -> Json:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1_750_000_000,
        "model": "gpt-9",
        "choices": [choice],
        **members,
    }


CHAT_USAGE: Json = {"prompt_tokens": 9, "completion_tokens": 4, "total_tokens": 13}
MESSAGES_USAGE: Json = {
    "input_tokens": 5,
    "cache_read_input_tokens": 3,
    "cache_creation_input_tokens": 1,
    "output_tokens": 4,
}
RESPONSES_USAGE: Json = {
    "input_tokens": 9,
    "input_tokens_details": {"cached_tokens": 3},
    "output_tokens": 4,
    "output_tokens_details": {"reasoning_tokens": 1},
    "total_tokens": 13,
}


def chat_stream() -> list[Json]:
    """Reasoning, text and two calls, with usage."""
    first = {"index": 0, "id": "call_a", "type": "function", "function": {"name": "read", "arguments": ""}}
    second = {"index": 1, "id": "call_b", "type": "custom", "custom": {"name": "patch", "input": "*** "}}
    return [
        chunk({"role": "assistant", "reasoning_content": "Hm.", "reasoning_text": "Hm."}),
        chunk({"content": "Hel"}),
        chunk({"content": "lo"}),
        chunk({"tool_calls": [first]}),
        chunk({"tool_calls": [{"index": 0, "function": {"arguments": '{"a":'}}]}),
        chunk({"tool_calls": [{"index": 0, "function": {"arguments": "1}"}}]}),
        chunk({"tool_calls": [second]}),
        chunk({"tool_calls": [{"index": 1, "custom": {"input": "Begin"}}]}),
        chunk({}, "tool_calls"),
        {**chunk({}), "choices": [], "usage": CHAT_USAGE},
    ]


def chat_whole() -> Json:
    call = {"id": "call_a", "type": "function", "function": {"name": "read", "arguments": "{}"}}
    message = {"role": "assistant", "content": None, "tool_calls": [call], "refusal": None}
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1_750_000_000,
        "model": "gpt-9",
        "choices": [{"index": 0, "message": message, "finish_reason": "tool_calls", "logprobs": None}],
        "usage": CHAT_USAGE,
    }


def block(index: int, start: Json, *deltas: Json) -> list[Json]:
    return [
        {"type": "content_block_start", "index": index, "content_block": start},
        *({"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas),
        {"type": "content_block_stop", "index": index},
    ]


def message_start() -> Json:
    message: Json = {"id": "msg_1", "type": "message", "role": "assistant", "model": "claude-9", "content": []}
    message |= {"stop_reason": None, "stop_sequence": None, "usage": {"input_tokens": 9, "output_tokens": 1}}
    return {"type": "message_start", "message": message}


def message_end(stop: str) -> list[Json]:
    delta = {"stop_reason": stop, "stop_sequence": None}
    return [{"type": "message_delta", "delta": delta, "usage": MESSAGES_USAGE}, {"type": "message_stop"}]


def messages_stream() -> list[Json]:
    """Thinking, a search, text with a citation, and a call, in 5 blocks."""
    found = {"type": "web_search_result", "url": "https://a.example", "title": "A", "encrypted_content": "x"}
    cited = {"type": "web_search_result_location", "url": "https://a.example", "title": "A"}
    cited |= {"cited_text": "a", "encrypted_index": "x"}
    search = {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {}}
    result = {"type": "web_search_tool_result", "tool_use_id": "srvtoolu_1", "content": [found]}
    return [
        message_start(),
        *block(
            0,
            {"type": "thinking", "thinking": "", "signature": ""},
            {"type": "thinking_delta", "thinking": "Hm."},
            {"type": "signature_delta", "signature": "sig"},
        ),
        *block(1, search, {"type": "input_json_delta", "partial_json": '{"query":"a"}'}),
        *block(2, result),
        *block(
            3,
            {"type": "text", "text": ""},
            {"type": "text_delta", "text": "Hel"},
            {"type": "text_delta", "text": "lo"},
            {"type": "citations_delta", "citation": cited},
        ),
        *block(
            4,
            {"type": "tool_use", "id": "toolu_1", "name": "read", "input": {}},
            {"type": "input_json_delta", "partial_json": '{"a"'},
            {"type": "input_json_delta", "partial_json": ":1}"},
        ),
        *message_end("tool_use"),
    ]


def message_whole() -> Json:
    call = {"type": "tool_use", "id": "toolu_1", "name": "read", "input": {}}
    whole: Json = {**message_start()["message"], "content": [{"type": "text", "text": "Hello"}, call]}
    return {**whole, "stop_reason": "tool_use", "usage": MESSAGES_USAGE}


def response(status: str, output: list[Json], **members: Any) -> Json:
    return {
        "id": "resp_1",
        "object": "response",
        "created_at": 1_750_000_000,
        "status": status,
        "model": "gpt-9",
        "output": output,
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        "error": None,
        "incomplete_details": None,
        "usage": None,
        **members,
    }


def item_events(index: int, start: Json, growth: list[Json], done: Json) -> list[Json]:
    place = {"output_index": index, "item_id": start["id"]}
    return [
        {"type": "response.output_item.added", "output_index": index, "item": start},
        *({**place, **event, "type": f"response.{event['type']}"} for event in growth),
        {"type": "response.output_item.done", "output_index": index, "item": done},
    ]


def responses_items() -> list[tuple[Json, list[Json], Json]]:
    """Reasoning, a search, a message with a citation, a function call and a custom call."""
    summary = {"type": "summary_text", "text": "Hm."}
    reasoning: Json = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": None}
    search: Json = {"type": "web_search_call", "id": "ws_1", "status": "in_progress"}
    search["action"] = {"type": "search", "query": "a", "sources": [{"type": "url", "url": "https://a.example"}]}
    cited = {"type": "url_citation", "url": "https://a.example", "title": "A", "start_index": 0, "end_index": 5}
    empty: Json = {"type": "output_text", "text": "", "annotations": [], "logprobs": []}
    part = {**empty, "text": "Hello", "annotations": [cited]}
    message: Json = {"type": "message", "id": "msg_1", "role": "assistant", "status": "in_progress", "content": []}
    call = {"type": "function_call", "id": "fc_1", "call_id": "call_a", "name": "read", "arguments": ""}
    custom = {"type": "custom_tool_call", "id": "ctc_1", "call_id": "call_b", "name": "patch", "input": ""}
    first, place = {"summary_index": 0}, {"content_index": 0}
    return [
        (
            reasoning,
            [
                {"type": "reasoning_summary_part.added", **first, "part": {**summary, "text": ""}},
                {"type": "reasoning_summary_text.delta", **first, "delta": "Hm."},
                {"type": "reasoning_summary_text.done", **first, "text": "Hm."},
                {"type": "reasoning_summary_part.done", **first, "part": summary},
            ],
            {**reasoning, "summary": [summary], "encrypted_content": "gAAAA"},
        ),
        (
            search,
            [{"type": "web_search_call.in_progress"}, {"type": "web_search_call.completed"}],
            {**search, "status": "completed"},
        ),
        (
            message,
            [
                {"type": "content_part.added", **place, "part": empty},
                {"type": "output_text.delta", **place, "delta": "Hel", "logprobs": []},
                {"type": "output_text.delta", **place, "delta": "lo", "logprobs": []},
                {"type": "output_text.annotation.added", **place, "annotation_index": 0, "annotation": cited},
                {"type": "output_text.done", **place, "text": "Hello", "logprobs": []},
                {"type": "content_part.done", **place, "part": part},
            ],
            {**message, "status": "completed", "content": [part]},
        ),
        (
            {**call, "status": "in_progress"},
            [
                {"type": "function_call_arguments.delta", "delta": '{"a":1}'},
                {"type": "function_call_arguments.done", "arguments": '{"a":1}'},
            ],
            {**call, "arguments": '{"a":1}', "status": "completed"},
        ),
        (
            {**custom, "status": "in_progress"},
            [
                {"type": "custom_tool_call_input.delta", "delta": "*** Begin"},
                {"type": "custom_tool_call_input.done", "input": "*** Begin"},
            ],
            {**custom, "input": "*** Begin", "status": "completed"},
        ),
    ]


def responses_stream() -> list[Json]:
    items = responses_items()
    whole = response("completed", [done for _, _, done in items], usage=RESPONSES_USAGE)
    return numbered(
        [
            {"type": "response.created", "response": response("in_progress", [])},
            {"type": "response.in_progress", "response": response("in_progress", [])},
            *(event for index, item in enumerate(items) for event in item_events(index, *item)),
            {"type": "response.completed", "response": whole},
        ]
    )
