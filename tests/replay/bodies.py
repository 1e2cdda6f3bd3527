"""The same wish in the words of each door: a question, and at times a tool, an image, a long system prompt."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]

PATHS = {
    "chat": "/v1/chat/completions",
    "responses": "/v1/responses",
    "messages": "/v1/messages",
    "embeddings": "/v1/embeddings",
}
_PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
_TOOL = "get_weather"
_SCHEMA: Json = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
_ARGUMENTS = '{"city":"Paris"}'


@dataclass(frozen=True, slots=True)
class Wish:
    """`system` is empty for none; `tools` offers one, `told` puts a finished call of it behind the question."""

    model: str
    text: str
    streamed: bool
    system: str = ""
    tools: bool = False
    told: bool = False
    image: bool = False
    most: int | None = None


def body_of(door: str, wish: Wish) -> Json:
    """The request as that door's clients write it."""
    match door:
        case "chat":
            return _chat(wish)
        case "responses":
            return _responses(wish)
        case "messages":
            return _messages(wish)
    raise ValueError(f"text does not come in at the door {door}")


def embeddings(model: str, texts: list[str]) -> Json:
    return {"model": model, "input": texts, "dimensions": 8}


def _chat(wish: Wish) -> Json:
    content: Any = wish.text
    if wish.image:
        image = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{_PNG}"}}
        content = [{"type": "text", "text": wish.text}, image]
    system = [{"role": "system", "content": wish.system}] if wish.system else []
    messages: list[Json] = [*system, {"role": "user", "content": content}]
    if wish.told:
        call = {"id": "call_1", "type": "function", "function": {"name": _TOOL, "arguments": _ARGUMENTS}}
        messages += [
            {"role": "assistant", "content": None, "tool_calls": [call]},
            {"role": "tool", "tool_call_id": "call_1", "content": "22 degrees"},
        ]
    body: Json = {"model": wish.model, "messages": messages, "stream": wish.streamed}
    if wish.tools or wish.told:
        body["tools"] = [{"type": "function", "function": {"name": _TOOL, "parameters": _SCHEMA}}]
    return body | ({"max_tokens": wish.most} if wish.most else {})


def _responses(wish: Wish) -> Json:
    content: list[Json] = [{"type": "input_text", "text": wish.text}]
    if wish.image:
        content.append({"type": "input_image", "image_url": f"data:image/png;base64,{_PNG}"})
    items: list[Json] = [{"role": "user", "content": content}]
    if wish.told:
        items += [
            {"type": "function_call", "call_id": "call_1", "name": _TOOL, "arguments": _ARGUMENTS},
            {"type": "function_call_output", "call_id": "call_1", "output": "22 degrees"},
        ]
    body: Json = {"model": wish.model, "input": items, "stream": wish.streamed}
    if wish.system:
        body["instructions"] = wish.system
    if wish.tools or wish.told:
        body["tools"] = [{"type": "function", "name": _TOOL, "parameters": _SCHEMA, "strict": False}]
    return body | ({"max_output_tokens": wish.most} if wish.most else {})


def _messages(wish: Wish) -> Json:
    content: list[Json] = [{"type": "text", "text": wish.text}]
    if wish.image:
        source = {"type": "base64", "media_type": "image/png", "data": _PNG}
        content.append({"type": "image", "source": source})
    messages: list[Json] = [{"role": "user", "content": content}]
    if wish.told:
        call = {"type": "tool_use", "id": "toolu_1", "name": _TOOL, "input": {"city": "Paris"}}
        result = {"type": "tool_result", "tool_use_id": "toolu_1", "content": "22 degrees"}
        messages += [{"role": "assistant", "content": [call]}, {"role": "user", "content": [result]}]
    body: Json = {
        "model": wish.model, "messages": messages, "stream": wish.streamed, "max_tokens": wish.most or 4096,
    }  # fmt: skip
    if wish.system:
        body["system"] = [{"type": "text", "text": wish.system, "cache_control": {"type": "ephemeral"}}]
    if wish.tools or wish.told:
        body["tools"] = [{"name": _TOOL, "input_schema": _SCHEMA}]
    return body
