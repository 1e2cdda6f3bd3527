"""Refusals that several endpoints share: function tools, effort words, images."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from tests.simulator import errors
from tests.simulator.generate.families import Family, family_of
from tests.simulator.generate.images import from_data_url

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.simulator.catalogue import Model

_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_MOST_TOOLS = 128
_ANY_EFFORT = ("none", "minimal", "low", "medium", "high", "xhigh", "max")


def check_function_tools(tools: Sequence[Any], *, nested: bool, path: str = "tools") -> None:
    """Refuse too many tools, bad names, empty descriptions and parameters that are no object schema.

    `nested` says that name, description and parameters stand inside `function` (chat) and not beside the type.
    """
    if len(tools) > _MOST_TOOLS:
        raise errors.capi(
            400,
            "invalid_request_body",
            f"Invalid '{path}': array too long. Expected an array with maximum length {_MOST_TOOLS}, "
            f"but got an array with length {len(tools)} instead.",
            param=path,
        )
    for number, tool in enumerate(tools):
        inner = (tool.get("function") or tool.get("custom") or {}) if nested else tool
        _check_tool(inner, f"{path}[{number}].function" if nested else f"{path}[{number}]")


def check_description(tool: dict[str, Any], path: str) -> None:
    """Refuse an empty description; an absent one is fine."""
    if tool.get("description") == "":
        raise errors.capi(400, "invalid_request_body", f"[StringParam] [{path}.description] [empty_string]")


def check_effort(effort: Any, model: Model, path: str, *, lenient: bool = True) -> None:
    """Refuse an effort the model does not list; `lenient` lets models without any list ignore it."""
    if effort is None or effort in model.efforts:
        return
    if (
        lenient
        and not model.efforts
        and family_of(model) in (Family.CLAUDE, Family.GEMINI, Family.KIMI)
        and effort in _ANY_EFFORT
    ):
        return
    listed = " ".join(model.efforts)
    raise errors.capi(
        400,
        "invalid_reasoning_effort",
        f'{path} "{effort}" is not supported by model {model.id}; supported values: [{listed}]',
    )


def check_image(url: str, model: Model) -> None:
    """Refuse an image for a model without eyes, or of a type it does not read."""
    if not model.vision:
        raise errors.capi(400, "invalid_request_body", f"model {model.id} does not support image input")
    if url.startswith("data:"):
        kind = from_data_url(url).media_type
        if kind not in model.media:
            raise errors.capi(400, "invalid_request_body", f"image media type {kind} is not supported")


def _check_tool(tool: dict[str, Any], path: str) -> None:
    name = tool.get("name")
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise errors.capi(
            400,
            "invalid_request_body",
            f"Invalid '{path}.name': string does not match pattern. Expected a string that matches the pattern "
            "'^[a-zA-Z0-9_-]+$'.",
            param=f"{path}.name",
        )
    check_description(tool, path)
    parameters = tool.get("parameters")
    if parameters is not None and parameters.get("type", "object") != "object":
        raise errors.capi(
            400,
            "invalid_function_parameters",
            f"Invalid schema for function '{name}': schema must be a JSON Schema of 'type: \"object\"', "
            f"got 'type: \"{parameters['type']}\"'.",
            param=f"{path}.parameters",
        )
