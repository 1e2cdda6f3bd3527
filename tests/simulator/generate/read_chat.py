"""Reading a chat completions body into an Ask."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.simulator.generate.ask import Ask, Tool, Turn, image_segment, segment, spoken
from tests.simulator.generate.images import from_data_url

if TYPE_CHECKING:
    from tests.simulator.generate.memory import Segment

_ROLES = {"developer": "system", "function": "tool"}


def read_chat(body: dict[str, Any]) -> Ask:
    """The Ask of a body that `chat_rules` has let pass."""
    turns: list[Turn] = []
    segments: list[Segment] = [segment(tool) for tool in body.get("tools") or body.get("functions") or ()]
    for message in body["messages"]:
        turns.append(_turn(message, segments))
    form = body.get("response_format") or {}
    limit = body.get("max_completion_tokens") or body.get("max_tokens")
    stops = body.get("stop") or ()
    return Ask(
        **spoken(turns),
        segments=tuple(segments),
        tools=tuple(_tool(tool) for tool in body.get("tools") or ()),
        choice=_choice(body.get("tool_choice")),
        parallel=body.get("parallel_tool_calls", True) is not False,
        effort=body.get("reasoning_effort"),
        thinks=bool(body.get("thinking_budget")) or body.get("reasoning_effort") not in (None, "none"),
        schema=(form.get("json_schema") or {}).get("schema") if form.get("type") == "json_schema" else None,
        json=form.get("type") == "json_object",
        max_output=int(limit) if limit else None,
        stops=(stops,) if isinstance(stops, str) else tuple(stops),
        stream=body.get("stream") is True,
    )


def _turn(message: dict[str, Any], segments: list[Segment]) -> Turn:
    role = str(message.get("role"))
    turn = Turn(_ROLES.get(role, role), calls=len(message.get("tool_calls") or ()))
    marked = bool(message.get("copilot_cache_control"))
    content = message.get("content")
    parts = [{"type": "text", "text": content}] if isinstance(content, str) else content or []
    for number, part in enumerate(parts, 1):
        last = marked and number == len(parts)
        if part.get("type") == "image_url":
            url = part["image_url"]["url"]
            image = from_data_url(url)
            turn.images.append(image)
            segments.append(image_segment(image, url, marked=last))
        else:
            turn.texts.append(part.get("text", ""))
            segments.append(segment(f"{role}: {part.get('text', '')}", marked=last))
    if message.get("tool_calls"):
        segments.append(segment(message["tool_calls"], marked=marked and not parts))
    if turn.role == "tool":
        turn.results.append("\n".join(turn.texts))
        turn.texts = []
    return turn


def _tool(raw: dict[str, Any]) -> Tool:
    function = raw.get("function") or raw.get("custom") or raw
    kind = "custom" if raw.get("type") == "custom" else "function"
    return Tool(function.get("name", ""), kind, function.get("description", ""), function.get("parameters") or {})


def _choice(raw: Any) -> str:
    if isinstance(raw, dict):
        return str((raw.get("function") or raw.get("custom") or {}).get("name", "required"))
    return str(raw or "auto")
