"""The model list as clients of each vendor expect it: OpenAI's objects with what else is worth knowing, Claude's pages.

Shapes: https://platform.openai.com/docs/api-reference/models and https://docs.claude.com/en/api/models-list
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bridge.errors import BadRequest

# The upstream tells no dates. Claude's document allows an epoch for a date that is not known.
_UNKNOWN_DATE = "1970-01-01T00:00:00Z"
_CLAUDE_EFFORTS = ("low", "medium", "high", "xhigh", "max")
_CLAUDE_EDITS = ("clear_thinking_20251015", "clear_tool_uses_20250919", "compact_20260112")
_USUAL_LIMIT = 20
_HIGHEST_LIMIT = 1000


@dataclass(frozen=True, slots=True)
class ListedModel:
    """A model under the name it is listed by. Limits are in tokens, None when not stated.

    `doors` are the paths here that serve it, `upstream` those of GitHub Copilot that do; `context_edits` are Claude's
    names of the strategies it takes; `thinks_adaptively` and `thinks_by_budget` say which wishes for thinking reach it,
    translated or not.
    """

    id: str
    name: str
    vendor: str = ""
    max_context: int | None = None
    max_input: int | None = None
    max_output: int | None = None
    vision: bool = False
    tools: bool = False
    parallel_calls: bool = False
    structured_outputs: bool = False
    documents: bool = False
    web_search: bool = False
    context_edits: tuple[str, ...] = ()
    efforts: tuple[str, ...] = ()
    thinks_adaptively: bool = False
    thinks_by_budget: bool = False
    retires: bool = False
    preview: bool = False
    doors: tuple[str, ...] = ()
    upstream: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Page:
    """Which stretch of Claude's list is wanted; at most one of the two ids is set."""

    limit: int = _USUAL_LIMIT
    after_id: str = ""
    before_id: str = ""


def openai_list(models: Sequence[ListedModel]) -> dict[str, object]:
    return {"object": "list", "data": [openai_model(model) for model in models]}


def openai_model(model: ListedModel) -> dict[str, object]:
    """OpenAI's model object, and beside it limits, abilities, doors and the upstream's warnings."""
    return {
        "id": model.id,
        "object": "model",
        "created": 0,
        "owned_by": model.vendor or "github-copilot",
        "display_name": model.name,
        "context_window": model.max_context,
        "max_input_tokens": model.max_input,
        "max_output_tokens": model.max_output,
        "capabilities": {
            "vision": model.vision,
            "tools": model.tools,
            "parallel_tool_calls": model.parallel_calls,
            "structured_outputs": model.structured_outputs,
            "reasoning_efforts": list(model.efforts),
        },
        "preview": model.preview,
        "endpoints": list(model.doors),
        "upstream_endpoints": list(model.upstream),
        "warnings": list(model.warnings),
    }


def claude_page(models: Sequence[ListedModel], page: Page) -> dict[str, object]:
    """One page of the list. Raises BadRequest when the id that it lies beside is none of the list's."""
    ids = [model.id for model in models]
    if page.before_id:
        end = _place(ids, page.before_id, "before_id")
        start = max(0, end - page.limit)
        has_more = start > 0
    else:
        start = _place(ids, page.after_id, "after_id") + 1 if page.after_id else 0
        end = start + page.limit
        has_more = end < len(ids)
    shown = models[start:end]
    return {
        "data": [claude_model(model) for model in shown],
        "has_more": has_more,
        "first_id": shown[0].id if shown else None,
        "last_id": shown[-1].id if shown else None,
    }


def claude_model(model: ListedModel) -> dict[str, object]:
    """Claude's model object with its capabilities as far as a request through here can use them."""
    return {
        "type": "model",
        "id": model.id,
        "display_name": model.name,
        "created_at": _UNKNOWN_DATE,
        "lifecycle": "deprecated" if model.retires else "active",
        "deprecated_at": None,
        "retires_at": None,
        "line": None,
        "max_input_tokens": model.max_input or model.max_context,
        "max_tokens": model.max_output,
        "capabilities": _claude_capabilities(model),
    }


def read_page(query: Mapping[str, str]) -> Page:
    """The page that a query string asks for. Raises BadRequest with the parameter at fault."""
    limit, after_id, before_id = query.get("limit", ""), query.get("after_id", ""), query.get("before_id", "")
    if after_id and before_id:
        raise BadRequest("'after_id' and 'before_id' exclude each other. Send one of them.", param="before_id")
    if not limit:
        return Page(after_id=after_id, before_id=before_id)
    if not (limit.isascii() and limit.isdigit() and len(limit) < 10 and 1 <= int(limit) <= _HIGHEST_LIMIT):
        raise BadRequest(
            "'limit' must be a whole number from 1 to %(highest)d.", {"highest": _HIGHEST_LIMIT}, param="limit"
        )
    return Page(int(limit), after_id, before_id)


def _place(ids: list[str], wanted: str, param: str) -> int:
    if wanted not in ids:
        raise BadRequest("'%(param)s' names no model of this list.", {"param": param}, param=param)
    return ids.index(wanted)


def _claude_capabilities(model: ListedModel) -> dict[str, object]:
    thinks = model.thinks_adaptively or model.thinks_by_budget
    return {
        "batch": _supported(False),
        "citations": _supported(False),
        "code_execution": _supported(False),
        "context_management": {
            **_supported(bool(model.context_edits)),
            **{edit: _supported(edit in model.context_edits) for edit in _CLAUDE_EDITS},
        },
        "effort": {
            **_supported(bool(model.efforts)),
            **{effort: _supported(effort in model.efforts) for effort in _CLAUDE_EFFORTS},
        },
        "image_input": _supported(model.vision),
        "pdf_input": _supported(model.documents),
        "server_tools": {
            **_supported(model.web_search),
            "code_execution": _supported(False),
            "web_search": _supported(model.web_search),
        },
        "structured_outputs": _supported(model.structured_outputs),
        "thinking": {
            **_supported(thinks),
            "types": {
                "adaptive": _supported(model.thinks_adaptively),
                "between_tools": _supported(False),
                "disabled": _supported(True),
                "enabled": _supported(model.thinks_by_budget),
            },
        },
    }


def _supported(is_supported: bool) -> dict[str, object]:
    return {"supported": is_supported}
