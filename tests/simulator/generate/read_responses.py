"""Reading a responses body into an Ask."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.simulator.generate.ask import Ask, Tool, Turn, image_segment, segment, spoken
from tests.simulator.generate.images import from_data_url

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.simulator.generate.memory import Segment

_CALLS = ("function_call", "custom_tool_call", "local_shell_call", "tool_search_call")
_OUTPUTS = ("function_call_output", "custom_tool_call_output", "local_shell_call_output")


def read_responses(body: dict[str, Any]) -> Ask:
    """The Ask of a body that `response_rules` has let pass."""
    items = input_items(body)
    raw_tools = list(all_tools(body))
    segments: list[Segment] = [segment(tool) for tool in raw_tools]
    turns: list[Turn] = []
    if body.get("instructions"):
        turns.append(Turn("system", [body["instructions"]]))
        segments.append(segment(body["instructions"]))
    turns += [_turn(item, segments) for item in items if item.get("type") != "additional_tools"]
    form = (body.get("text") or {}).get("format") or {}
    reasoning = body.get("reasoning") or {}
    return Ask(
        **spoken(turns),
        segments=tuple(segments),
        tools=tuple(tool for raw in raw_tools for tool in _tools(raw)),
        choice=_choice(body.get("tool_choice")),
        parallel=body.get("parallel_tool_calls", True) is not False,
        effort=reasoning.get("effort"),
        thinks=bool(reasoning) and reasoning.get("effort") != "none",
        shows_thoughts=reasoning.get("summary") not in (None, "none"),
        schema=form.get("schema") if form.get("type") == "json_schema" else None,
        json=form.get("type") == "json_object",
        max_output=body.get("max_output_tokens"),
        stream=body.get("stream") is True,
    )


def input_items(body: dict[str, Any]) -> list[dict[str, Any]]:
    """The input as a list of items, each with a type."""
    raw = body.get("input")
    if isinstance(raw, str):
        return [{"type": "message", "role": "user", "content": raw}]
    return [item if "type" in item else {"type": "message", **item} for item in raw or []]


def all_tools(body: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Every tool of the request, at the top level or in `additional_tools` items; namespaces unopened."""
    yield from body.get("tools") or ()
    for item in input_items(body):
        if item.get("type") in ("additional_tools", "tool_search_output"):
            yield from item.get("tools") or ()


def _turn(item: dict[str, Any], segments: list[Segment]) -> Turn:
    kind = item.get("type")
    if kind == "message":
        return _message(item, segments)
    if kind in _OUTPUTS:
        turn = Turn("tool")
        _parts(turn, item.get("output"), segments)
        turn.results.append("\n".join(turn.texts))
        turn.texts = []
        return turn
    content = {name: value for name, value in item.items() if name not in ("id", "encrypted_content", "status")}
    segments.append(segment(content))
    return Turn("assistant", calls=int(kind in _CALLS))


def _message(item: dict[str, Any], segments: list[Segment]) -> Turn:
    role = str(item.get("role"))
    turn = Turn("system" if role == "developer" else role)
    _parts(turn, item.get("content"), segments)
    return turn


def _parts(turn: Turn, content: Any, segments: list[Segment]) -> None:
    for part in [{"text": content}] if isinstance(content, str) else content or []:
        if part.get("type") == "input_image":
            url = part.get("image_url") or ""
            image = from_data_url(url)
            turn.images.append(image)
            segments.append(image_segment(image, url))
        else:
            text = part.get("text") or part.get("refusal") or ""
            turn.texts.append(text)
            segments.append(segment(f"{turn.role}: {text}"))


def _tools(raw: dict[str, Any], namespace: str = "") -> Iterator[Tool]:
    if raw.get("type") == "namespace":
        for inner in raw.get("tools") or ():
            yield from _tools(inner, raw.get("name", ""))
        return
    kind = raw.get("type") or "function"
    schema = raw.get("parameters") or {}
    yield Tool(raw.get("name") or kind, kind, raw.get("description") or "", schema, namespace)


def _choice(raw: Any) -> str:
    if isinstance(raw, dict):
        if raw.get("type") == "allowed_tools":
            return str(raw.get("mode", "auto"))
        return str(raw.get("name") or "required")
    return str(raw or "auto")
