"""Count the input tokens of a request of any dialect, by an estimate that asks nobody.

All three dialects are one tree of blocks here: strings are what the model reads, except under names that hold ids,
seals or settings. So a block that is not known yet is counted by the text in it, and nothing is counted twice.
"""

from __future__ import annotations

import binascii
import math
from dataclasses import dataclass
from typing import Any

import msgspec

from bridge.asked import Asked, parsed
from bridge.carrier import is_carrier
from bridge.counting.media import claude_picture_tokens, document_tokens, picture_size, tiled_picture_tokens
from bridge.counting.text import estimate_text

_PER_REQUEST = 3
_PER_ENTRY = 4
# Prompt of its own that Claude gets as soon as there are tools, by whether it must call one:
# https://docs.claude.com/en/docs/agents-and-tools/tool-use/overview#pricing
_CLAUDE_TOOLS = 346
_CLAUDE_FORCED_TOOLS = 313

# Members of the request that are part of the prompt, besides the conversation itself.
_SPOKEN = ("system", "instructions")
_TOOLS = ("tools", "functions")
_SCHEMAS = (("response_format", "json_schema"), ("text", "format"), ("output_config", "format"))

_PICTURES = frozenset({"image", "image_url", "input_image"})
_DOCUMENTS = frozenset({"document", "file", "input_file"})
# Values the model does not read as text: ids, kinds, settings, seals, sound.
_SILENT = frozenset(
    {
        *("type", "role", "status", "phase", "id", "call_id", "tool_use_id", "tool_call_id", "item_id", "file_id"),
        *("signature", "data", "encrypted_content", "encrypted_index", "reasoning_opaque", "cache_control", "caller"),
        *("annotations", "citations", "logprobs", "index", "detail", "input_audio", "audio", "page_age"),
    }
)
# Values that the model reads as JSON.
_JSON = frozenset({"input", "arguments", "action"})


@dataclass(frozen=True, slots=True)
class _Rates:
    """How a vendor's count differs: `text` tokens for one of OpenAI's, `tools` tokens that tools bring along."""

    text: float
    tools: int


# Claude's vocabulary makes 15 to 25 % more of the same text.
_CLAUDE = _Rates(1.2, _CLAUDE_TOOLS)
_XAI = _Rates(1.03, 480)
_OPENAI = _Rates(1.0, 12)
_OTHERS = _Rates(1.05, 12)


def count_tokens(asked: Asked, vendor: str = "") -> int:
    """The input tokens of `asked` as a model of `vendor` (as the live list names it) would count them; at least 1.

    Raises BadRequest for JSON that cannot be read to its end.
    """
    rates = _rates_of(vendor)
    pile = _Pile(rates)
    for name in _SPOKEN:
        if name in asked.fields:
            pile.walk(parsed(asked.fields[name], name))
    for name in _TOOLS:
        if name in asked.fields:
            pile.add_tools(parsed(asked.fields[name], name))
    if pile.has_tools:
        pile.tokens += _CLAUDE_FORCED_TOOLS if rates is _CLAUDE and _must_call(asked) else rates.tools
    for name, member in _SCHEMAS:
        if name in asked.fields:
            pile.add_schema(parsed(asked.fields[name], name), member)
    for raw in asked.entries:
        pile.tokens += _PER_ENTRY
        pile.walk(parsed(raw, "messages"))
    return max(1, _PER_REQUEST + pile.total())


def _rates_of(vendor: str) -> _Rates:
    name = vendor.lower()
    if "anthropic" in name:
        return _CLAUDE
    if "xai" in name:
        return _XAI
    return _OPENAI if "openai" in name else _OTHERS


def _must_call(asked: Asked) -> bool:
    raw = asked.fields.get("tool_choice")
    choice = parsed(raw, "tool_choice") if raw is not None else None
    return isinstance(choice, dict) and choice.get("type") in ("any", "tool")


class _Pile:
    """The texts found so far, to be estimated in one go, and the tokens of everything else."""

    def __init__(self, rates: _Rates) -> None:
        self.tokens = 0
        self.has_tools = False
        self._rates = rates
        self._texts: list[str] = []

    def total(self) -> int:
        return self.tokens + math.ceil(estimate_text("\n".join(self._texts)) * self._rates.text)

    def walk(self, value: object) -> None:
        """Count a value of any depth; without recursion, for a request may be nested as deep as it likes."""
        left = [value]
        while left:
            match left.pop():
                case str() as text:
                    self._say(text)
                case list() as values:
                    left.extend(reversed(values))
                case dict() as block:
                    left.extend(self._open(block))

    def add_tools(self, tools: object) -> None:
        """Definitions of tools: their descriptions as text, the rest as the JSON it is."""
        for tool in tools if isinstance(tools, list) else []:
            if not isinstance(tool, dict):
                continue
            self.has_tools = True
            inner = next((tool[kind] for kind in ("function", "custom") if isinstance(tool.get(kind), dict)), tool)
            if isinstance(description := inner.get("description"), str):
                self._say(description)
            self._say_json(
                {name: value for name, value in inner.items() if name not in ("description", "cache_control")}
            )

    def add_schema(self, wish: object, member: str) -> None:
        """The schema of a structured output, wherever the dialect keeps it."""
        inner = wish.get(member) if isinstance(wish, dict) else None
        schema = inner.get("schema") if isinstance(inner, dict) else None
        if isinstance(schema, dict):
            self._say_json(schema)

    def _say(self, text: str) -> None:
        if not is_carrier(text):
            self._texts.append(text)

    def _say_json(self, value: object) -> None:
        self._say(msgspec.json.encode(value).decode())

    def _open(self, block: dict[str, Any]) -> list[object]:
        """Count what a block says itself, and return the values in it that are to be looked at in turn."""
        kind = block.get("type")
        if isinstance(kind, str) and kind in _PICTURES:
            self._add_picture(block)
            return []
        if isinstance(kind, str) and kind in _DOCUMENTS:
            return self._add_document(block)
        if isinstance(block.get("tools"), list):
            self.add_tools(block["tools"])
        left: list[object] = []
        for name, value in block.items():
            if name in _SILENT or name == "tools":
                continue
            if name in _JSON and not isinstance(value, str):
                self._say_json(value)
            else:
                left.append(value)
        left.reverse()
        return left

    def _add_picture(self, block: dict[str, Any]) -> None:
        link = block.get("image_url")
        # Chat nests the address with its detail, Responses has them side by side.
        inner: dict[str, Any] = link if isinstance(link, dict) else {"url": link, "detail": block.get("detail")}
        detail, source = inner.get("detail"), block.get("source")
        data = source.get("data") if isinstance(source, dict) else _data_of(inner.get("url"))[1]
        size = picture_size(data) if isinstance(data, str) else None
        if self._rates is _CLAUDE:
            self.tokens += claude_picture_tokens(size)
        else:
            self.tokens += tiled_picture_tokens(size, detail if isinstance(detail, str) else "")

    def _add_document(self, block: dict[str, Any]) -> list[object]:
        file: dict[str, Any] = block["file"] if isinstance(block.get("file"), dict) else block
        words: list[object] = [file.get(name) for name in ("title", "context", "filename")]
        source = block.get("source")
        if isinstance(source, dict):
            media_type, data = source.get("media_type"), source.get("data")
            if source.get("type") in ("text", "content"):
                return [*words, data, source.get("content")]
        else:
            media_type, data = _data_of(file.get("file_data"))
        if isinstance(media_type, str) and media_type.startswith("text/") and isinstance(data, str):
            return [*words, _text_of(data)]
        self.tokens += document_tokens(data if isinstance(data, str) else "")
        return words


def _data_of(url: object) -> tuple[str, str]:
    """Media type and base64 of a `data:` URL; a text without a head is all base64, an address has none."""
    if not isinstance(url, str) or url[:8].lower().startswith(("http://", "https://")):
        return "", ""
    if not url.startswith("data:"):
        return "", url
    head, _, data = url.partition(",")
    return head[5:].partition(";")[0], data


def _text_of(data: str) -> str:
    try:
        return binascii.a2b_base64(data).decode("utf-8", "replace")
    except (binascii.Error, ValueError):
        return data
