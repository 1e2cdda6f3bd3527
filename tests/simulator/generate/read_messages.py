"""Reading an Anthropic messages body into an Ask."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.simulator.generate.ask import Ask, Tool, Turn, image_segment, segment, spoken
from tests.simulator.generate.images import from_base64

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.simulator.generate.memory import Segment

_DOCUMENT_TOKENS = 1500
_BUILT_IN: Mapping[str, dict[str, Any]] = {
    "bash": {"command": {"type": "string"}},
    "str_replace_based_edit_tool": {
        "command": {"enum": ["view", "create", "str_replace", "insert"]},
        "path": {"type": "string"},
        "file_text": {"type": "string"},
    },
    "str_replace_editor": {
        "command": {"enum": ["view", "create", "str_replace", "insert"]},
        "path": {"type": "string"},
        "file_text": {"type": "string"},
    },
    "memory": {"command": {"enum": ["view", "create"]}, "path": {"type": "string"}},
}


def read_messages(body: dict[str, Any]) -> Ask:
    """The Ask of a body that `message_rules` has let pass."""
    segments: list[Segment] = [segment(tool, marked=_marked(tool)) for tool in body.get("tools") or ()]
    turns = [_turn("system", body.get("system") or [], segments)]
    turns += [_turn(message["role"], message["content"], segments) for message in body["messages"]]
    if body.get("cache_control") and segments:
        last = segments[-1]
        segments[-1] = segment(last.text, images=last.tokens, marked=True)
    thinking = body.get("thinking") or {}
    form = (body.get("output_config") or {}).get("format") or {}
    return Ask(
        **spoken(turns),
        segments=tuple(segments),
        tools=tuple(_tool(tool) for tool in body.get("tools") or ()),
        choice=_choice(body.get("tool_choice")),
        parallel=not (body.get("tool_choice") or {}).get("disable_parallel_tool_use"),
        effort=(body.get("output_config") or {}).get("effort"),
        thinks=thinking.get("type") in ("enabled", "adaptive"),
        shows_thoughts=thinking["display"] == "summarized" if "display" in thinking else None,
        schema=form.get("schema"),
        max_output=body.get("max_tokens"),
        stops=tuple(body.get("stop_sequences") or ()),
        stream=body.get("stream") is True,
    )


def _turn(role: str, content: Any, segments: list[Segment]) -> Turn:
    turn = Turn(role)
    blocks = [{"type": "text", "text": content}] if isinstance(content, str) else content
    for block in blocks:
        _block(turn, block, segments)
    return turn


def _block(turn: Turn, block: dict[str, Any], segments: list[Segment]) -> None:
    marked = _marked(block)
    match block.get("type"):
        case "text":
            turn.texts.append(block["text"])
            segments.append(segment(f"{turn.role}: {block['text']}", marked=marked))
        case "image":
            source = block["source"]
            image = from_base64(source.get("data", ""), source.get("media_type", ""))
            turn.images.append(image)
            segments.append(image_segment(image, source.get("data", ""), marked=marked))
        case "document":
            segments.append(segment(block, images=_DOCUMENT_TOKENS, marked=marked))
        case "tool_result":
            _result(turn, block, segments)
        case "tool_use" | "server_tool_use":
            turn.calls += 1
            segments.append(segment([block.get("name"), block.get("input")], marked=marked))
        case "thinking":
            segments.append(segment(block.get("thinking", ""), marked=marked))
        case _:
            segments.append(segment(block, marked=marked))


def _result(turn: Turn, block: dict[str, Any], segments: list[Segment]) -> None:
    content = block.get("content") or []
    inner = Turn("result")
    parts: list[Segment] = []
    for part in [{"type": "text", "text": content}] if isinstance(content, str) else content:
        _block(inner, part, parts)
    turn.images += inner.images
    turn.results.append("\n".join(inner.texts))
    text = "".join(part.text for part in parts)
    segments.append(segment(text, images=sum(part.tokens for part in parts) or 1, marked=_marked(block)))


def _marked(block: dict[str, Any]) -> bool:
    return bool(block.get("cache_control"))


def _tool(raw: dict[str, Any]) -> Tool:
    kind = str(raw.get("type") or "custom")
    built_in = {"type": "object", "properties": _BUILT_IN.get(raw.get("name", ""), {})}
    schema = raw.get("input_schema") or {**built_in, "required": list(built_in["properties"])}
    return Tool(raw.get("name", ""), "function" if kind == "custom" else kind, raw.get("description", ""), schema)


def _choice(raw: Any) -> str:
    match raw or {}:
        case {"type": "tool", "name": name}:
            return str(name)
        case {"type": "any"}:
            return "required"
        case {"type": "none"}:
            return "none"
    return "auto"
