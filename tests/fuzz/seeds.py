"""Good requests with every feature that client programs use, one list for each door; the seeds of spoilt requests."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]

PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
PDF = "JVBERi0xLjQKMSAwIG9iago8PC9UeXBlL0NhdGFsb2c+PgplbmRvYmoKdHJhaWxlcjw8L1Jvb3QgMSAwIFI+Pg=="
CARRIER = "brg1.AAAAAAAAAAAAAAAAAAAAAFsic2lnbmF0dXJlIiwieCJd"
_URL = f"data:image/png;base64,{PNG}"
_SCHEMA: Json = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "properties": {"path": {"type": "string", "description": "Where"}, "lines": {"type": ["integer", "null"]}},
    "required": ["path", "lines"],
    "additionalProperties": False,
}
_GRAMMAR: Json = {"type": "grammar", "syntax": "lark", "definition": "start: /.+/"}
_CITED: Json = {"type": "url_citation", "url": "https://a.example", "title": "A", "start_index": 0, "end_index": 3}
_USER_ID = '{"device_id":"d","account_uuid":"","session_id":"s"}'

CHAT_MODELS = ("gpt-4o", "gemini-3.8-flash", "claude-sonnet-4.6", "grok-4.5", "kimi-k3", "gpt-5.4", "gpt-6-sol")
RESPONSES_MODELS = ("gpt-5.4", "gpt-6-sol", "mai-code-1-flash", "claude-sonnet-5.5", "gemini-3.8-flash", "grok-4.5")
MESSAGES_MODELS = (
    "claude-sonnet-5.5",
    "claude-haiku-4.5",
    "claude-opus-5.5",
    "gpt-5.4",
    "gpt-6-sol",
    "gemini-3.8-flash",
)

_CHAT_TOOLS: list[Json] = [
    {
        "type": "function",
        "function": {"name": "read_file", "description": "", "parameters": _SCHEMA, "strict": True},
    },
    {"type": "custom", "custom": {"name": "apply_patch", "description": "Patch", "format": _GRAMMAR}},
]
CHAT: tuple[Json, ...] = (
    {"messages": [{"role": "user", "content": "hello"}]},
    {
        "messages": [
            {"role": "system", "content": "Be brief."},
            {
                "role": "developer",
                "content": [{"type": "text", "text": "No jokes.", "cache_control": {"type": "ephemeral"}}],
            },
            {
                "role": "user",
                "name": "kim",
                "content": [
                    {"type": "text", "text": "Look"},
                    {"type": "image_url", "image_url": {"url": _URL, "detail": "low"}},
                ],
            },
            {
                "role": "assistant",
                "content": None,
                "refusal": None,
                "reasoning_text": "Hm.",
                "reasoning_opaque": CARRIER,
                "tool_calls": [
                    {
                        "id": "call_1",
                        "type": "function",
                        "function": {"name": "read_file", "arguments": '{"path":"a"}'},
                    },
                    {"id": "call_2", "type": "custom", "custom": {"name": "apply_patch", "input": "*** Begin"}},
                ],
            },
            {"role": "tool", "tool_call_id": "call_1", "content": "one"},
            {"role": "tool", "tool_call_id": "call_2", "content": [{"type": "text", "text": "two"}]},
            {"role": "system", "content": "Hurry."},
            {"role": "user", "content": "And?"},
        ],
        "tools": _CHAT_TOOLS,
        "tool_choice": {"type": "function", "function": {"name": "read_file"}},
        "parallel_tool_calls": True,
        "stream": True,
        "stream_options": {"include_usage": True},
        "temperature": 0.5,
        "top_p": 0.9,
        "max_completion_tokens": 200,
        "reasoning_effort": "low",
        "verbosity": "low",
        "stop": ["END", "STOP"],
        "seed": 5,
        "user": "kim",
        "logit_bias": {"50256": -100},
        "metadata": {"a": "b"},
        "store": False,
        "service_tier": "auto",
    },
    {
        "messages": [
            {
                "role": "user",
                "content": [
                    {"type": "file", "file": {"filename": "a.pdf", "file_data": f"data:application/pdf;base64,{PDF}"}}
                ],
            },
            {"role": "assistant", "content": "Yes.", "annotations": [{"type": "url_citation", "url_citation": _CITED}]},
            {"role": "user", "content": "List them as JSON."},
        ],
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": "answer", "schema": _SCHEMA, "strict": True},
        },
        "logprobs": True,
        "top_logprobs": 2,
        "n": 1,
        "presence_penalty": 0.1,
        "frequency_penalty": 0.1,
        "web_search_options": {},
        "prompt_cache_key": "k",
        "stream": True,
    },
    {
        "messages": [
            {"role": "user", "content": "x"},
            {"role": "assistant", "function_call": {"name": "f", "arguments": "{}"}, "content": None},
            {"role": "function", "name": "f", "content": "5"},
        ],
        "functions": [{"name": "f", "parameters": {"type": "object", "properties": {}}}],
        "function_call": "auto",
        "max_tokens": 100,
    },
)

_RESPONSES_TOOLS: list[Json] = [
    {"type": "function", "name": "read_file", "description": "Read", "parameters": _SCHEMA, "strict": False},
    {"type": "custom", "name": "apply_patch", "description": "Patch", "format": _GRAMMAR},
    {
        "type": "namespace",
        "name": "agents",
        "description": "Agents",
        "tools": [{"type": "function", "name": "spawn", "description": "", "parameters": _SCHEMA}],
    },
    {"type": "web_search", "filters": {"allowed_domains": ["a.example"]}, "search_context_size": "low"},
    {"type": "image_generation"},
    {"type": "tool_search", "execution": "client"},
    {"type": "local_shell"},
]
RESPONSES: tuple[Json, ...] = (
    {"input": "hello"},
    {
        "input": [{"role": "user", "content": "hello"}],
        "stream": True,
        "instructions": "Be brief.",
        "max_output_tokens": 100,
    },
    {
        "input": [
            {
                "type": "message",
                "role": "developer",
                "id": "msg_1",
                "content": [{"type": "input_text", "text": "Be brief."}],
            },
            {
                "type": "message",
                "role": "user",
                "content": [
                    {"type": "input_text", "text": "Look"},
                    {"type": "input_image", "image_url": _URL, "detail": "auto"},
                ],
            },
            {
                "type": "reasoning",
                "id": "rs_1",
                "summary": [{"type": "summary_text", "text": "Hm."}],
                "encrypted_content": CARRIER,
                "content": None,
            },
            {
                "type": "message",
                "role": "assistant",
                "id": "msg_2",
                "phase": "commentary",
                "status": "completed",
                "content": [{"type": "output_text", "text": "Yes", "annotations": [_CITED], "logprobs": []}],
            },
            {
                "type": "function_call",
                "id": "fc_1",
                "call_id": "call_1",
                "name": "read_file",
                "arguments": '{"path":"a"}',
            },
            {
                "type": "function_call_output",
                "id": "fco_1",
                "call_id": "call_1",
                "output": [{"type": "input_text", "text": "one"}],
            },
            {"type": "custom_tool_call", "call_id": "call_2", "name": "apply_patch", "input": "*** Begin"},
            {"type": "custom_tool_call_output", "call_id": "call_2", "output": "two"},
            {"type": "function_call", "call_id": "call_3", "name": "spawn", "namespace": "agents", "arguments": "{}"},
            {"type": "function_call_output", "call_id": "call_3", "output": "three"},
            {
                "type": "web_search_call",
                "id": "ws_1",
                "status": "completed",
                "action": {"type": "search", "query": "a", "sources": [{"type": "url", "url": "https://a.example"}]},
            },
            {
                "type": "local_shell_call",
                "call_id": "call_4",
                "action": {"type": "exec", "command": ["ls"], "env": {}},
                "status": "completed",
            },
            {"type": "local_shell_call_output", "call_id": "call_4", "output": "x"},
            {"type": "item_reference", "id": "rs_9"},
            {"type": "message", "role": "user", "content": "And?"},
        ],
        "tools": _RESPONSES_TOOLS,
        "tool_choice": {"type": "allowed_tools", "mode": "auto", "tools": [{"type": "function", "name": "read_file"}]},
        "parallel_tool_calls": True,
        "reasoning": {"effort": "low", "summary": "auto", "context": "all_turns"},
        "include": ["reasoning.encrypted_content", "message.output_text.logprobs"],
        "store": False,
        "stream": True,
        "text": {"verbosity": "low", "format": {"type": "text"}},
        "prompt_cache_key": "k",
        "client_metadata": {"session_id": "s"},
        "truncation": "disabled",
        "service_tier": "auto",
        "metadata": {"a": "b"},
        "top_logprobs": 2,
    },
    {
        "input": [
            {"type": "additional_tools", "role": "developer", "id": "at_1", "tools": _RESPONSES_TOOLS[:3]},
            {"type": "compaction", "id": "cmp_1", "encrypted_content": "gAAAAcompacted"},
            {
                "type": "message",
                "role": "user",
                "content": [
                    {"type": "input_file", "filename": "a.pdf", "file_data": f"data:application/pdf;base64,{PDF}"}
                ],
            },
        ],
        "text": {"format": {"type": "json_schema", "name": "answer", "schema": _SCHEMA, "strict": True}},
        "temperature": 0.5,
        "top_p": 0.5,
        "user": "kim",
        "previous_response_id": None,
        "background": False,
        "max_tool_calls": 3,
    },
)

_MESSAGES_TOOLS: list[Json] = [
    {"name": "read_file", "description": "", "input_schema": _SCHEMA, "eager_input_streaming": True},
    {
        "type": "custom",
        "name": "apply_patch",
        "input_schema": {"type": "object"},
        "cache_control": {"type": "ephemeral", "ttl": "1h", "scope": "global"},
    },
    {"type": "web_search_20250305", "name": "web_search", "max_uses": 3, "allowed_domains": ["a.example"]},
    {"type": "bash_20250124", "name": "bash"},
]
MESSAGES: tuple[Json, ...] = (
    {"max_tokens": 100, "messages": [{"role": "user", "content": "hello"}]},
    {
        "max_tokens": 32000,
        "system": [
            {"type": "text", "text": "x-anthropic-billing-header: cc_version=1;cc_entrypoint=cli;"},
            {"type": "text", "text": "Be brief.", "cache_control": {"type": "ephemeral"}},
        ],
        "messages": [
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "Look"},
                    {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PNG}},
                ],
            },
            {"role": "system", "content": "Hurry."},
            {
                "role": "assistant",
                "content": [
                    {"type": "thinking", "thinking": "Hm.", "signature": CARRIER},
                    {"type": "redacted_thinking", "data": "xyz"},
                    {"type": "text", "text": "Reading.", "citations": []},
                    {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {"query": "a"}},
                    {
                        "type": "web_search_tool_result",
                        "tool_use_id": "srvtoolu_1",
                        "content": [
                            {
                                "type": "web_search_result",
                                "url": "https://a.example",
                                "title": "A",
                                "encrypted_content": "e",
                            }
                        ],
                    },
                    {"type": "tool_use", "id": "toolu_1", "name": "read_file", "input": {"path": "a"}},
                    {"type": "tool_use", "id": "toolu_2", "name": "apply_patch", "input": {}},
                ],
            },
            {
                "role": "user",
                "content": [
                    {
                        "type": "tool_result",
                        "tool_use_id": "toolu_1",
                        "is_error": True,
                        "content": [
                            {"type": "text", "text": "one", "cache_control": {"type": "ephemeral"}},
                            {"type": "image", "source": {"type": "url", "url": "https://a.example/a.png"}},
                        ],
                    },
                    {"type": "tool_result", "tool_use_id": "toolu_2"},
                    {
                        "type": "document",
                        "title": "A",
                        "context": "c",
                        "citations": {"enabled": True},
                        "source": {"type": "text", "media_type": "text/plain", "data": "words"},
                    },
                    {"type": "text", "text": "And?"},
                ],
            },
        ],
        "tools": _MESSAGES_TOOLS,
        "tool_choice": {"type": "auto", "disable_parallel_tool_use": False},
        "thinking": {"type": "enabled", "budget_tokens": 2000},
        "context_management": {"edits": [{"type": "clear_thinking_20251015", "keep": "all"}]},
        "metadata": {"user_id": _USER_ID},
        "stream": True,
    },
    {
        "max_tokens": 400,
        "system": "Be brief.",
        "messages": [
            {
                "role": "user",
                "content": [
                    {"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": PDF}},
                    {
                        "type": "search_result",
                        "source": "https://a.example",
                        "title": "A",
                        "content": [{"type": "text", "text": "found"}],
                    },
                ],
            },
            {"role": "assistant", "content": "Yes, "},
        ],
        "thinking": {"type": "adaptive", "display": "summarized"},
        "output_config": {"effort": "high", "format": {"type": "json_schema", "schema": _SCHEMA}},
        "stop_sequences": ["END"],
        "temperature": 1,
        "top_k": 5,
        "service_tier": "auto",
        "stream": True,
    },
    {
        "max_tokens": 50,
        "messages": [{"role": "user", "content": "x"}],
        "thinking": {"type": "disabled"},
        "tools": _MESSAGES_TOOLS[2:3],
        "tool_choice": {"type": "tool", "name": "web_search"},
        "temperature": 0,
        "top_p": 0.5,
        "mcp_servers": [],
        "container": None,
        "speed": "standard",
    },
)

EMBEDDINGS: tuple[Json, ...] = (
    {"input": "hello", "encoding_format": "base64"},
    {"input": ["a", "b", "😀"], "dimensions": 64, "user": "kim"},
    {"input": [[1, 2, 3], [4]], "encoding_format": "float"},
    {"input": [1, 2, 3]},
)
EMBEDDING_MODELS = ("text-embedding-3-small", "text-embedding-ada-002")
