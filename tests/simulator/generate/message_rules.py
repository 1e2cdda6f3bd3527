"""What /v1/messages refuses, and in which words and envelopes.

Which envelope a refusal comes in depends on who refuses: Copilot itself (`{"error": ...}`), or the cloud that serves
the request (bare, wrapped in a message, or Anthropic's own), which changes from request to request.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.simulator import errors
from tests.simulator.generate.block_rules import check_block
from tests.simulator.generate.cache_rules import check_cache_control
from tests.simulator.generate.families import backend_of, claude_version
from tests.simulator.generate.history_rules import check_history
from tests.simulator.generate.shapes import MESSAGES, dotted, misfit
from tests.simulator.generate.thinking_rules import check_thinking
from tests.simulator.generate.tool_rules import check_effort
from tests.simulator.scenario import Backend, Scenario

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.simulator.catalogue import Model
    from tests.simulator.generate.seals import Seals
    from tests.simulator.wire import Refusal

_KNOWN = frozenset(
    {
        "model",
        "messages",
        "max_tokens",
        "system",
        "metadata",
        "stop_sequences",
        "stream",
        "temperature",
        "top_p",
        "top_k",
        "tools",
        "tool_choice",
        "thinking",
        "output_config",
        "service_tier",
        "cache_control",
        "speed",
    }
)
_BETAS = (
    "interleaved-thinking-",
    "context-management-",
    "advanced-tool-use-",
    "extended-cache-ttl-2025-04-11",
    "compact-2026-01-12",
    "computer-use-2025-11-24",
)
_TOOL_TYPES = (
    "bash_20250124",
    "custom",
    "memory_20250818",
    "text_editor_20250124",
    "text_editor_20250429",
    "text_editor_20250728",
    "tool_search_tool_bm25",
    "tool_search_tool_bm25_20251119",
    "tool_search_tool_regex",
    "tool_search_tool_regex_20251119",
)
_TOOL_KEYS = frozenset({"name", "description", "input_schema", "type", "cache_control", "strict"})
_SEARCH_KEYS = frozenset({"defer_loading", "input_examples", "allowed_callers"})
_TOOL_NAME = re.compile(r"[a-zA-Z0-9_-]{1,128}")
_METADATA_KEYS = frozenset({"user_id"})


@dataclass(frozen=True, slots=True)
class Clerk:
    """Who refuses on behalf of this request's cloud, and which betas it has been asked for."""

    seals: Seals
    betas: tuple[str, ...]

    def refusal(self, message: str) -> Refusal:
        """An invalid request in the envelope of the cloud that serves it."""
        match backend_of(Scenario(), self.seals):
            case Backend.BEDROCK:
                return errors.bare(message)
            case Backend.VERTEX:
                return errors.wrapped("invalid_request_error", message)
        return errors.anthropic("invalid_request_error", message, request_id=f"req_01{self.seals.letters(22)}")

    def extra(self, path: str) -> Refusal:
        return self.refusal(f"{path}: Extra inputs are not permitted")

    def has(self, beta: str) -> bool:
        """True when a beta with this beginning was asked for."""
        return any(name.startswith(beta) for name in self.betas)


def check_messages(
    body: dict[str, Any], model: Model, headers: Mapping[str, str], seals: Seals, *, counting: bool = False
) -> None:
    """Raise the Refusal of the first rule the request breaks."""
    betas = tuple(name.strip() for name in headers.get("anthropic-beta", "").split(",") if name.strip())
    _check_betas(betas)
    clerk = Clerk(seals, betas)
    if (place := misfit(body, MESSAGES)) is not None:
        raise clerk.refusal(f"{dotted(place)}: Input should be a valid value of its type")
    _check_fields(body, clerk)
    check_cache_control(body, model, clerk)
    _check_limits(body, model, clerk)
    _check_tools(body, model, clerk)
    _check_system(body, clerk)
    _check_conversation(body["messages"], model, clerk)
    check_history(body["messages"], clerk)
    check_thinking(body, model, clerk)
    if not counting:
        _check_sampling(body, model, clerk)


def _check_betas(betas: tuple[str, ...]) -> None:
    unknown = [name for name in betas if not name.startswith(_BETAS)]
    if unknown:
        raise errors.capi(400, "invalid_request_body", f"unsupported beta header(s): {', '.join(unknown)}")


def _check_fields(body: dict[str, Any], clerk: Clerk) -> None:
    for name in body:
        if name == "context_management" and clerk.has("context-management-"):
            continue
        if name not in _KNOWN:
            raise errors.bare(f"{name}: Extra inputs are not permitted")
    if not isinstance(body.get("messages"), list) or not body["messages"]:
        raise clerk.refusal("messages: at least one message is required")
    if "max_tokens" not in body:
        raise clerk.refusal("max_tokens: Field required")
    for name in body.get("metadata") or ():
        if name not in _METADATA_KEYS:
            raise clerk.extra(f"metadata.{name}")


def _check_limits(body: dict[str, Any], model: Model, clerk: Clerk) -> None:
    wanted = body["max_tokens"]
    if not isinstance(wanted, int) or isinstance(wanted, bool) or wanted < 1:
        raise clerk.refusal("max_tokens: Input should be greater than or equal to 1")
    if wanted > model.output:
        raise errors.bare(f"The maximum tokens you requested exceeds the model limit of {model.output}")
    if body.get("service_tier") not in (None, "auto", "standard_only"):
        raise clerk.refusal("service_tier: Input should be 'auto' or 'standard_only'")
    config = body.get("output_config") or {}
    check_effort(config.get("effort"), model, "output_config.effort", lenient=False)
    form = config.get("format")
    if form is not None and (form.get("type") != "json_schema" or not isinstance(form.get("schema"), dict)):
        raise clerk.refusal("output_config.format: Input should be a json_schema with a schema")


def _check_sampling(body: dict[str, Any], model: Model, clerk: Clerk) -> None:
    if body.get("temperature") is not None and body.get("top_p") is not None and claude_version(model)[0] >= 4.5:
        raise clerk.refusal("`temperature` and `top_p` cannot both be specified for this model. Please use only one.")


def _check_tools(body: dict[str, Any], model: Model, clerk: Clerk) -> None:
    names: set[str] = set()
    for number, tool in enumerate(body.get("tools") or ()):
        _check_tool_type(tool, number, clerk)
        if tool.get("type", "custom") == "custom":
            _check_custom_tool(tool, number, model, clerk)
        if tool.get("name") in names:
            raise clerk.refusal("tools: Tool names must be unique.")
        names.add(tool.get("name"))
    choice = body.get("tool_choice") or {}
    if choice.get("type") == "tool" and choice.get("name") not in names:
        raise clerk.refusal(f"Tool '{choice.get('name')}' not found in provided tools")


def _check_tool_type(tool: dict[str, Any], number: int, clerk: Clerk) -> None:
    kind = tool.get("type") or "custom"
    if kind in _TOOL_TYPES or (kind == "computer_20251124" and clerk.has("computer-use-")):
        return
    if kind.startswith("web_search_"):
        raise errors.capi(400, "unsupported_value", "The use of the web search tool is not supported.")
    if kind.startswith("web_fetch_"):
        raise errors.capi(400, "invalid_request_body", "rejected tool(s): web_fetch")
    expected = ", ".join(f"'{name}'" for name in _TOOL_TYPES)
    raise errors.bare(
        f"tools.{number}: Input tag '{kind}' found using 'type' does not match any of the expected tags: {expected}"
    )


def _check_custom_tool(tool: dict[str, Any], number: int, model: Model, clerk: Clerk) -> None:
    name = tool.get("name")
    if not isinstance(name, str) or not _TOOL_NAME.fullmatch(name):
        raise clerk.refusal(f"tools.{number}.custom.name: String should match pattern '^[a-zA-Z0-9_-]{{1,128}}$'")
    searching = clerk.has("advanced-tool-use-") or model.supports("tool_search")
    for key in tool:
        if key not in _TOOL_KEYS and not (key in _SEARCH_KEYS and searching):
            raise clerk.extra(f"tools.{number}.custom.{key}")
    if tool.get("description") == "":
        raise errors.capi(400, "invalid_request_body", f"[StringParam] [tools[{number}].description] [empty_string]")
    schema = tool.get("input_schema")
    if not isinstance(schema, dict):
        raise clerk.refusal(f"tools.{number}.custom.input_schema: Field required")
    if "$schema" in schema:
        raise clerk.extra(f"tools.{number}.custom.input_schema.$schema")
    if schema.get("type") != "object":
        raise clerk.refusal(f"tools.{number}.custom.input_schema.type: Input should be 'object'")


def _check_system(body: dict[str, Any], clerk: Clerk) -> None:
    system = body.get("system") or []
    for number, block in enumerate([{"type": "text", "text": system}] if isinstance(system, str) else system):
        if block.get("type") != "text" or not isinstance(block.get("text"), str):
            raise clerk.refusal(f"system.{number}.type: Input should be 'text'")
        if not block["text"]:
            raise clerk.refusal("system: text content blocks must be non-empty")
        if "x-anthropic-billing-header" in block["text"]:
            raise clerk.refusal(
                "x-anthropic-billing-header is a reserved keyword and may not be used in the system prompt."
            )


def _check_conversation(messages: list[Any], model: Model, clerk: Clerk) -> None:
    for number, message in enumerate(messages):
        if not isinstance(message, dict) or not isinstance(message.get("content"), str | list):
            raise clerk.refusal(f"messages.{number}.content: Field required")
        _check_role(messages, number, model)
        for key in message:
            if key not in ("role", "content"):
                raise clerk.extra(f"messages.{number}.{key}")
        content = message["content"]
        if not content and not (message["role"] == "assistant" and number == len(messages) - 1):
            raise clerk.refusal(f"messages.{number}: all messages must have non-empty content")
        for index, block in enumerate(content if isinstance(content, list) else ()):
            check_block(block, f"messages.{number}.content.{index}", message["role"], model, clerk)
    if messages[-1]["role"] == "assistant":
        raise clerk.refusal(
            "This model does not support assistant message prefill. The conversation must end with a user message."
        )


def _check_role(messages: list[Any], number: int, model: Model) -> None:
    role = messages[number].get("role")
    if role in ("user", "assistant"):
        return
    if role != "system":
        raise errors.bare(f'messages: Unexpected role "{role}". Allowed roles are "user" or "assistant"')
    version, line = claude_version(model)
    knows = version >= (4.8 if line == "opus" else 5)
    if not knows:
        raise errors.bare(
            'messages: Unexpected role "system". The Messages API accepts a top-level `system` parameter, not "system" '
            "as an input message role."
        )
    if number != len(messages) - 1 or number == 0 or messages[number - 1].get("role") != "user":
        raise errors.bare("role 'system' is not supported on this model in this position")
