"""The kinds of items and tools of the Responses format: what a request may hold of each on Copilot.

Items carry no `id`: quirk responses-item-ids. The members of an item that are not listed are a client program's own
notes, which the upstream refuses: quirk responses-item-members.
"""

from __future__ import annotations

_CALL = frozenset({"type", "call_id", "name", "namespace"})
_OUTPUT = frozenset({"type", "call_id", "output"})

MEMBERS: dict[str, frozenset[str]] = {
    "message": frozenset({"type", "role", "content", "phase"}),
    "reasoning": frozenset({"type", "summary", "content", "encrypted_content"}),
    "function_call": _CALL | {"arguments"},
    "function_call_output": _OUTPUT,
    "custom_tool_call": _CALL | {"input"},
    "custom_tool_call_output": _OUTPUT,
    "compaction": frozenset({"type", "encrypted_content"}),
    "additional_tools": frozenset({"type", "role", "tools"}),
    "web_search_call": frozenset({"type", "action", "status"}),
    "tool_search_call": frozenset({"type", "call_id", "arguments", "status", "execution"}),
    "tool_search_output": frozenset({"type", "call_id", "tools", "status", "execution"}),
    "local_shell_call": frozenset({"type", "call_id", "action", "status"}),
    "local_shell_call_output": _OUTPUT | {"status"},
    "agent_message": frozenset({"type", "author", "content", "recipient"}),
    "compaction_trigger": frozenset({"type"}),
}

# Items of tools that OpenAI runs at its own side and Copilot does not.
HOSTED_ITEMS = frozenset(
    {
        "file_search_call",
        "computer_call",
        "computer_call_output",
        "image_generation_call",
        "code_interpreter_call",
        "mcp_list_tools",
        "mcp_approval_request",
        "mcp_approval_response",
        "mcp_call",
    }
)
_HOSTED_TOOLS = ("image_generation", "mcp", "file_search", "code_interpreter", "computer")
_SEARCHES = ("web_search",)


def is_hosted_tool(kind: str) -> bool:
    """Quirk responses-hosted-tools: tools that run at OpenAI's side, refused by Copilot."""
    return kind.startswith(_HOSTED_TOOLS)


def is_web_search(kind: str) -> bool:
    """`web_search`, `web_search_preview` and their dated names."""
    return kind.startswith(_SEARCHES)
