"""What /responses refuses in the body: parameters, tools, formats. `input_rules` looks at the input items."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.simulator import errors
from tests.simulator.generate.families import Family, family_of
from tests.simulator.generate.input_rules import check_input
from tests.simulator.generate.read_responses import all_tools, input_items
from tests.simulator.generate.shapes import RESPONSES, bracketed, misfit
from tests.simulator.generate.strict_schema import check_strict
from tests.simulator.generate.tool_rules import check_description, check_effort, check_function_tools

if TYPE_CHECKING:
    from tests.simulator.catalogue import Model
    from tests.simulator.generate.seals import Seals
    from tests.simulator.wire import Refusal

_KNOWN = frozenset(
    {
        "model",
        "input",
        "instructions",
        "stream",
        "store",
        "tools",
        "tool_choice",
        "parallel_tool_calls",
        "max_output_tokens",
        "max_tool_calls",
        "temperature",
        "top_p",
        "reasoning",
        "include",
        "text",
        "truncation",
        "metadata",
        "user",
        "prompt_cache_key",
        "prompt_cache_retention",
        "safety_identifier",
        "top_logprobs",
        "background",
        "context_management",
        "client_metadata",
        "stream_options",
        "previous_response_id",
        "service_tier",
    }
)
_INCLUDES = (
    "reasoning.encrypted_content",
    "web_search_call.action.sources",
    "message.output_text.logprobs",
    "message.input_image.image_url",
    "web_search_call.results",
)
_TOOLS = (
    "function",
    "custom",
    "namespace",
    "web_search",
    "web_search_preview",
    "tool_search",
    "local_shell",
    "shell",
    "apply_patch",
)
_VERBOSITIES = ("low", "medium", "high")
_LONGEST_KEY = 64
_LEAST_OUTPUT = 16


def check_responses(body: dict[str, Any], model: Model, seals: Seals, others: tuple[str, ...]) -> None:
    """Raise the Refusal of the first rule that `body` breaks; `others` are the logins of the other accounts."""
    for name in body:
        if name not in _KNOWN:
            raise refused(f"Unknown parameter: '{name}'.", name, "unknown_parameter")
    if (place := misfit(body, RESPONSES)) is not None:
        raise refused(f"Invalid type for '{bracketed(place)}'.", bracketed(place), "invalid_type")
    if not isinstance(body.get("input"), str | list) or not body["input"]:
        raise refused("Missing required parameter: 'input'.", "input", "missing_required_parameter")
    _check_switches(body, model)
    _check_limits(body, model)
    _check_tools(body, model)
    _check_text(body.get("text") or {})
    check_input(input_items(body), model, seals, others)


def refused(message: str, param: str | None, code: str = "invalid_request_body") -> Refusal:
    """A 400 in Copilot's own envelope."""
    return errors.capi(400, code, message, param=param)


def _check_switches(body: dict[str, Any], model: Model) -> None:
    for name in ("store", "background"):
        if body.get(name):
            raise refused(f"{name} is not supported", name, "unsupported_value")
    if "service_tier" in body:
        raise refused("service_tier is not supported", "service_tier", "unsupported_value")
    if gone := body.get("previous_response_id"):
        message = f"Previous response with id '{gone}' not found."
        raise refused(message, "previous_response_id", "previous_response_not_found")
    for name in body.get("include") or ():
        if name not in _INCLUDES:
            message = f"Invalid value: '{name}'. Supported values are: {', '.join(_INCLUDES)}"
            raise refused(message, "include", "invalid_value")
    _check_profile(body, model)


def _check_profile(body: dict[str, Any], model: Model) -> None:
    """What depends on the model: sampling, effort, and the dialect of the back end."""
    plain_dialect = family_of(model) in (Family.GROK, Family.OTHER)
    for name in ("temperature", "top_p"):
        if body.get(name) is not None and (plain_dialect or not model.sampling):
            message = f"Unsupported parameter: '{name}' is not supported with this model."
            raise refused(message, name, "unsupported_parameter")
    reasoning = body.get("reasoning") or {}
    check_effort(reasoning.get("effort"), model, "reasoning.effort")
    if plain_dialect and "context" in reasoning:
        raise errors.plain(503, "upstream error: reasoning.context is not supported")
    if plain_dialect and "client_metadata" in body:
        raise refused("Unknown parameter: 'client_metadata'.", "client_metadata", "unknown_parameter")


def _check_limits(body: dict[str, Any], model: Model) -> None:
    wanted = body.get("max_output_tokens")
    if wanted is not None and wanted < _LEAST_OUTPUT:
        raise refused(
            f"Invalid 'max_output_tokens': integer below minimum value. Expected a value >= {_LEAST_OUTPUT}, but got "
            f"{wanted} instead.",
            "max_output_tokens",
            "integer_below_min_value",
        )
    if wanted is not None and wanted > model.output:
        raise refused(
            f"max_output_tokens is too large: {wanted}. This model supports at most {model.output}.",
            "max_output_tokens",
        )
    for name in ("prompt_cache_key", "safety_identifier", "user"):
        value = body.get(name)
        if isinstance(value, str) and len(value) > _LONGEST_KEY:
            raise refused(
                f"Invalid '{name}': string too long. Expected a string with maximum length {_LONGEST_KEY}, but got a "
                f"string with length {len(value)} instead.",
                name,
                "string_above_max_length",
            )


def _check_tools(body: dict[str, Any], model: Model) -> None:
    if any(item.get("type") == "additional_tools" for item in input_items(body)) and family_of(model) is not Family.GPT:
        raise refused("Invalid value: 'additional_tools'.", "input", "invalid_value")
    for number, tool in enumerate(body.get("tools") or ()):
        _check_kind(tool, f"tools[{number}]", model)
    functions = [tool for tool in all_tools(body) if tool.get("type", "function") in ("function", "custom")]
    check_function_tools(functions, nested=False)
    for item_number, item in enumerate(input_items(body)):
        for number, tool in enumerate(item.get("tools") or ()):
            _check_described(tool, f"input[{item_number}].tools[{number}]")
    for number, tool in enumerate(body.get("tools") or ()):
        _check_described(tool, f"tools[{number}]")


def _check_kind(tool: dict[str, Any], path: str, model: Model) -> None:
    kind = tool.get("type")
    if kind not in _TOOLS:
        raise refused(f"The requested tool {kind} is not supported.", f"{path}.type", "unsupported_value")
    if str(kind).startswith("web_search") and family_of(model) is not Family.GPT:
        raise refused("The use of the web search tool is not supported.", f"{path}.type", "unsupported_value")
    if kind == "function" and tool.get("name") == "tool_search":
        raise refused("Invalid function name: 'tool_search' is reserved.", f"{path}.name")
    if kind == "namespace" and tool.get("name") == "collaboration":
        raise refused("The namespace 'collaboration' is reserved.", f"{path}.name")
    if kind == "function" and tool.get("strict") is True:
        check_strict(tool.get("parameters") or {}, f"function '{tool.get('name')}'", f"{path}.parameters")


def _check_described(tool: dict[str, Any], path: str) -> None:
    check_description(tool, path)
    for number, inner in enumerate(tool.get("tools") or ()):
        _check_described(inner, f"{path}.tools[{number}]")


def _check_text(text: dict[str, Any]) -> None:
    if text.get("verbosity") not in (None, *_VERBOSITIES):
        raise refused(f"Invalid value: '{text['verbosity']}'.", "text.verbosity", "invalid_value")
    form = text.get("format") or {}
    if form.get("type") != "json_schema":
        return
    for name in ("name", "schema"):
        if name not in form:
            raise refused(
                f"Missing required parameter: 'text.format.{name}'.",
                f"text.format.{name}",
                "missing_required_parameter",
            )
    if form.get("strict"):
        check_strict(form["schema"], f"response_format '{form['name']}'", "text.format.schema")
