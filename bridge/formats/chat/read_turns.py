"""Chat Completions, request side: messages read into the hub's turns, in order.

System and developer messages at the head are the prompt's system, later ones turns of their own. The results of tools
are a turn of the user; those in a row share one.
"""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Raw

from bridge.asked import parsed
from bridge.errors import BadRequest
from bridge.formats.chat.read_parts import cache_of, read_content, with_cache
from bridge.formats.chat.seal_ids import open_id
from bridge.parts import Call, CallKind, Document, Image, Part, Reasoning, Refusal, Result, Seal, SealKind, Text
from bridge.prompt import Role, Turn


class TurnReader:
    """`read` each message; then `system`, `turns` and `dropped` stand."""

    def __init__(self) -> None:
        self.system: list[Text] = []
        self.turns: list[Turn] = []
        self.dropped: list[str] = []
        self._results: list[Result] = []
        self._legacy_id = ""
        self._custom_ids: set[str] = set()

    def read(self, index: int, raw: Raw) -> None:
        """Take the message at `index` in. Raises BadRequest with the member at fault in `param`."""
        place = f"messages[{index}]"
        message: dict[str, Any] = parsed(raw, place)
        match message["role"]:
            case "tool" | "function" as role:
                self._add_result(self._result(message, place, role))
            case "assistant":
                self._add(Role.ASSISTANT, self._said(message, place))
            case "user":
                self._add(Role.USER, self._content(message, place))
            case _:
                self._add_instructions(self._content(message, place))

    def _content(self, message: dict[str, Any], place: str) -> list[Part]:
        parts = read_content(message.get("content"), f"{place}.content", self.dropped)
        return with_cache(parts, cache_of(message))

    def _add(self, role: Role, parts: list[Part]) -> None:
        self._results = []
        if parts:
            self.turns.append(Turn(role, tuple(parts)))

    def _add_instructions(self, parts: list[Part]) -> None:
        texts = [part for part in parts if isinstance(part, Text)]
        if self.turns:
            self._add(Role.SYSTEM, list(texts))
        else:
            self.system += texts
        self.dropped += ["image_url" for part in parts if isinstance(part, Image)]

    def _add_result(self, result: Result) -> None:
        if self._results:
            self.turns.pop()
        self._results.append(result)
        self.turns.append(Turn(Role.USER, tuple(self._results)))

    def _result(self, message: dict[str, Any], place: str, role: str) -> Result:
        said_id = message.get("tool_call_id") if role == "tool" else self._legacy_id
        if not isinstance(said_id, str):
            raise BadRequest(
                "'%(place)s.tool_call_id' must be a string.", {"place": place}, param=f"{place}.tool_call_id"
            )
        call_id, _ = open_id(said_id)
        parts = read_content(message.get("content"), f"{place}.content", self.dropped)
        kept = tuple(part for part in parts if isinstance(part, Text | Image | Document))
        kind = CallKind.CUSTOM if call_id in self._custom_ids else CallKind.FUNCTION
        return Result(call_id, kept, kind=kind, cache=cache_of(message))

    def _said(self, message: dict[str, Any], place: str) -> list[Part]:
        parts = [*_reasoning(message), *read_content(message.get("content"), f"{place}.content", self.dropped)]
        refusal = message.get("refusal")
        if isinstance(refusal, str) and refusal:
            parts.append(Refusal(refusal))
        if isinstance(message.get("audio"), dict):
            self.dropped.append("audio")
        parts += self._calls(message, place)
        return with_cache(parts, cache_of(message))

    def _calls(self, message: dict[str, Any], place: str) -> list[Call]:
        listed = message.get("tool_calls")
        if listed is not None and not isinstance(listed, list):
            raise BadRequest("'%(place)s.tool_calls' must be a list.", {"place": place}, param=f"{place}.tool_calls")
        calls = [_call(call, f"{place}.tool_calls[{index}]") for index, call in enumerate(listed or [])]
        self._custom_ids |= {call.id for call in calls if call.kind is CallKind.CUSTOM}
        if isinstance(legacy := message.get("function_call"), dict):
            self._legacy_id = f"call_{len(self.turns)}"
            calls.append(_call({"id": self._legacy_id, "function": legacy}, f"{place}.function_call"))
        return calls


def _reasoning(message: dict[str, Any]) -> list[Reasoning]:
    """Quirk gemini-seal-in-ids: where the seal itself was not given back, a call's id may hold it."""
    text = message.get("reasoning_text") or message.get("reasoning_content")
    calls = message.get("tool_calls")
    ids = [call.get("id") for call in calls if isinstance(call, dict)] if isinstance(calls, list) else []
    carried = [open_id(call_id)[1] for call_id in ids if isinstance(call_id, str)]
    opaque = message.get("reasoning_opaque") or next(filter(None, carried), None)
    sections = (text,) if isinstance(text, str) and text else ()
    seal = Seal(SealKind.OPAQUE, opaque) if isinstance(opaque, str) and opaque else None
    return [Reasoning(sections, seal)] if sections or seal else []


def _call(call: object, place: str) -> Call:
    match call:
        case {"id": str(call_id), "custom": {"name": str(name), "input": str(text)}}:
            return Call(open_id(call_id)[0], name, text, CallKind.CUSTOM)
        case {"id": str(call_id), "function": {"name": str(name)} as function}:
            return Call(open_id(call_id)[0], name, _arguments(function.get("arguments")))
        case _:
            raise BadRequest(
                "'%(place)s' must have an 'id' and a 'function' with a 'name'.", {"place": place}, param=place
            )


def _arguments(value: object) -> str:
    """Arguments are JSON as text; some clients send the object itself."""
    if isinstance(value, str):
        return value
    return "" if value is None else msgspec.json.encode(value).decode()
