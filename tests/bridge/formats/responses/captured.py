"""Requests as Codex 0.169 really sends them, its texts and schemas cut short, in the second turn of a session."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]
_SESSION = "01a20606-4d5c-7711-99b2-75928715bb73"
CIPHER = "gAAAAAstub"


def _message(role: str, *texts: str) -> Json:
    return {
        "type": "message",
        "id": "msg_01a20606-4e37-7953-af2b-e280e996c0ef",
        "role": role,
        "content": [{"type": "input_text", "text": text} for text in texts],
    }


def _reasoning(number: int) -> Json:
    return {
        "type": "reasoning",
        "id": f"rs_{number}",
        "summary": [{"type": "summary_text", "text": "Thinking."}],
        "content": None,
        "encrypted_content": CIPHER,
    }


def _said(number: int, text: str) -> Json:
    return {
        "type": "message",
        "status": "completed",
        "id": f"msg_{number}",
        "role": "assistant",
        "content": [{"type": "output_text", "text": text, "annotations": []}],
    }


def _function(name: str, description: str, **properties: Json) -> Json:
    return {
        "type": "function",
        "name": name,
        "description": description,
        "strict": False,
        "parameters": {"type": "object", "properties": properties, "additionalProperties": False},
    }


_TEXT = {"type": "string", "description": "Shell command to execute."}
_GRAMMAR = {"type": "grammar", "syntax": "lark", "definition": "start: begin_patch hunk+ end_patch\n"}
_COMMON: Json = {
    "stream": True,
    "tool_choice": "auto",
    "store": False,
    "include": ["reasoning.encrypted_content"],
    "prompt_cache_key": _SESSION,
    "text": {"verbosity": "low"},
    "client_metadata": {"session_id": _SESSION, "x-codex-window-id": f"{_SESSION}:0"},
}

# Tools at the top level, one of them custom with a grammar, and two of OpenAI's own.
CODEX_TOP_LEVEL: Json = {
    "model": "gpt-5.5",
    "input": [
        _message("developer", "You are Codex, a coding agent based on GPT-5."),
        _message("developer", "<permissions instructions>", "<tools>\nDeferred tool namespaces:\n- multi_agent_v1"),
        _message("user", "<environment_context>\n  <cwd>/tmp/project</cwd>"),
        _message("user", "make-file please"),
        _reasoning(7),
        {
            "type": "custom_tool_call",
            "id": "ctc_7",
            "status": "completed",
            "call_id": "call_7",
            "name": "apply_patch",
            "input": "*** Begin Patch\n*** Add File: made.txt\n+hi\n*** End Patch\n",
        },
        {
            "type": "custom_tool_call_output",
            "id": "ctco_01a20606-4ea1-7432-b659-56c08d0cb8d9",
            "call_id": "call_7",
            "output": "Exit code: 0\nOutput:\nSuccess.",
        },
        _reasoning(8),
        _said(8, "Hello from the stub."),
        _message("user", "and now a second turn"),
    ],
    "tools": [
        _function("exec_command", "Runs a command in a PTY.", cmd=_TEXT),
        {"type": "custom", "name": "apply_patch", "description": "Edits files.", "format": _GRAMMAR},
        {
            "type": "tool_search",
            "execution": "client",
            "description": "# Tool discovery",
            "parameters": {"type": "object", "properties": {"query": {"type": "string"}}, "required": ["query"]},
        },
        {"type": "web_search", "external_web_access": True, "search_content_types": ["text", "image"]},
    ],
    "parallel_tool_calls": True,
    "reasoning": {"effort": "medium"},
    **_COMMON,
}

# No tools at the top level, but an item of namespaces at the head of the input, one with an empty description.
CODEX_ADDITIONAL_TOOLS: Json = {
    "model": "gpt-6-sol",
    "input": [
        {
            "type": "additional_tools",
            "id": "at_01a20606-4746-7701-bcdf-a7596815891f",
            "role": "developer",
            "tools": [
                {
                    "type": "namespace",
                    "name": "functions",
                    "description": "",
                    "tools": [
                        {"type": "custom", "name": "exec", "description": "Run JavaScript.", "format": _GRAMMAR},
                        _function("wait", "Waits on a yielded `exec` cell.", cell_id={"type": "string"}),
                    ],
                },
                {
                    "type": "namespace",
                    "name": "collaboration",
                    "description": "Tools for spawning and managing sub-agents.",
                    "tools": [_function("send_message", "Sends.", message={"type": "string", "encrypted": True})],
                },
            ],
        },
        _message("developer", "You are Codex, an agent based on GPT-6."),
        _message("user", "make-file please"),
        _reasoning(4),
        {
            "type": "custom_tool_call",
            "id": "ctc_4",
            "status": "completed",
            "call_id": "call_4",
            "name": "exec",
            "namespace": "functions",
            "input": 'text(await tools.exec_command({cmd: "printf hi > made.txt"}))',
        },
        {
            "type": "custom_tool_call_output",
            "id": "ctco_01a20606-486b-7cd3-b3a4-e9de4025a002",
            "call_id": "call_4",
            "output": [
                {"type": "input_text", "text": "Script completed\nOutput:\n"},
                {"type": "input_text", "text": '{"chunk_id":"8e7eff"}'},
            ],
        },
        _reasoning(5),
        _said(5, "Done."),
        _message("user", "and now a second turn"),
    ],
    "parallel_tool_calls": False,
    "reasoning": {"effort": "medium", "context": "all_turns"},
    **_COMMON,
}
