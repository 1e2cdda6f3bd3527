"""The items of a Responses answer: how each grows by events, and what each must hold once it is done.

    message    := (content_part.added delta* annotation* text.done content_part.done)*
    reasoning  := (summary_part.added delta* text.done summary_part.done)*  or content parts of reasoning text
    call       := delta* done
    web search := in_progress searching? completed

Every event of an item bears the item's own id.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tests.dialects.answer import Answer, Called
from tests.dialects.frames import check_arguments, need, need_text

_PREFIXES = {
    "message": "msg_",
    "reasoning": "rs_",
    "function_call": "fc_",
    "custom_tool_call": "ctc_",
    "web_search_call": "ws_",
    "compaction": "cmp_",
}
# By the item's type: the member that its arguments stand in, and the events that bring them.
_CALLS = {
    "function_call": ("arguments", "response.function_call_arguments"),
    "custom_tool_call": ("input", "response.custom_tool_call_input"),
}
# By the part's type: the member that its text stands in, and the events that bring it.
_PARTS = {
    "output_text": ("text", "response.output_text"),
    "refusal": ("refusal", "response.refusal"),
    "reasoning_text": ("text", "response.reasoning_text"),
    "summary_text": ("text", "response.reasoning_summary_text"),
}
_PART_EVENTS = {
    "response.content_part.added": ("content", "content_index"),
    "response.reasoning_summary_part.added": ("summary", "summary_index"),
    "response.content_part.done": ("content", "content_index"),
    "response.reasoning_summary_part.done": ("summary", "summary_index"),
}
_SEARCH_STEPS = {
    "response.web_search_call.in_progress": 1,
    "response.web_search_call.searching": 2,
    "response.web_search_call.completed": 3,
}


@dataclass(slots=True)
class _OpenPart:
    kind: str
    index: int
    text: str = ""
    annotations: list[Any] = field(default_factory=list)
    is_said: bool = False


class OpenItem:
    """One item from output_item.added to output_item.done."""

    def __init__(self, index: int, item: dict[str, Any]) -> None:
        self.index = index
        self.kind = need_text(item, "type", "item")
        self.id = need_text(item, "id", f"the {self.kind} item")
        _check_id(self.kind, self.id)
        self._first = item
        self._part: _OpenPart | None = None
        self._parts: dict[str, list[Any]] = {"content": [], "summary": []}
        self._arguments = ""
        self._arguments_are_said = False
        self._step = 0
        self._check_start(item)

    def grow(self, kind: str, event: dict[str, Any]) -> None:
        assert event["item_id"] == self.id, f"{kind} names the item {event['item_id']!r}, not {self.id!r}"
        if kind in _PART_EVENTS:
            (self._part_added if kind.endswith(".added") else self._part_done)(kind, event)
        elif kind in _SEARCH_STEPS:
            assert self.kind == "web_search_call", f"{kind} in a {self.kind} item"
            assert _SEARCH_STEPS[kind] > self._step, f"{kind} out of order"
            self._step = _SEARCH_STEPS[kind]
        elif self.kind in _CALLS and kind.startswith(_CALLS[self.kind][1] + "."):
            self._grow_arguments(kind, event)
        else:
            self._grow_part(kind, event)

    def done(self, item: dict[str, Any]) -> dict[str, Any]:
        """The finished item; asserts that it says what its events said."""
        where = f"the {self.kind} item {self.index}"
        assert item.get("id") == self.id, f"the id of {where} changes from {self.id!r} to {item.get('id')!r}"
        assert item.get("type") == self.kind, f"the type of {where} changes to {item.get('type')!r}"
        assert self._part is None, f"{where} is done with an open part"
        if self.kind in _CALLS:
            name = _CALLS[self.kind][0]
            assert self._arguments_are_said, f"{where} is done without its {name}.done"
            assert item[name] == self._arguments, f"{name} of {where} are not what the deltas added up to"
            for member in ("call_id", "name", "namespace"):
                assert item.get(member) == self._first.get(member), f"{member} of {where} changes"
        if self.kind in ("message", "reasoning"):
            for name, parts in self._parts.items():
                said = [_comparable(part) for part in item.get(name) or []]
                assert said == [_comparable(part) for part in parts], f"{name} of {where} is not what its parts were"
        if self.kind == "web_search_call":
            assert self._step in (0, 3), f"{where} is done before it was completed"
        return item

    def _check_start(self, item: dict[str, Any]) -> None:
        where = f"the {self.kind} item {self.index}"
        if self.kind == "message":
            assert item.get("content") == [], f"{where} starts with content"
        if self.kind == "reasoning":
            assert item.get("summary") == [], f"{where} starts with a summary"
            assert not item.get("content"), f"{where} starts with content"
        if self.kind in _CALLS:
            assert item.get(_CALLS[self.kind][0]) == "", f"{where} starts with its {_CALLS[self.kind][0]}"
        if self.kind in ("message", "web_search_call", *_CALLS):
            assert item.get("status") == "in_progress", f"{where} starts with the status {item.get('status')!r}"

    def _part_added(self, kind: str, event: dict[str, Any]) -> None:
        name, index_name = _PART_EVENTS[kind]
        assert self._part is None, f"a part begins while another is open, in item {self.index}"
        parts = self._parts[name]
        assert event[index_name] == len(parts), f"part {event[index_name]} after {len(parts)} parts"
        part = event["part"]
        fitting = {"message": ("output_text", "refusal"), "reasoning": ("reasoning_text", "summary_text")}
        assert part["type"] in fitting.get(self.kind, ()), f"a {part['type']} part in a {self.kind} item"
        assert part[_PARTS[part["type"]][0]] == "", "a part that begins with text"
        assert not part.get("annotations"), "a part that begins with annotations"
        self._part = _OpenPart(part["type"], event[index_name])

    def _part_done(self, kind: str, event: dict[str, Any]) -> None:
        name, index_name = _PART_EVENTS[kind]
        opened = self._part
        assert opened is not None, f"{kind} without a part"
        assert event[index_name] == opened.index, f"{kind} for part {event[index_name]}, not {opened.index}"
        assert opened.is_said, f"{kind} before the text was done"
        part = event["part"]
        assert part["type"] == opened.kind, f"the part's type changes to {part['type']!r}"
        assert part[_PARTS[opened.kind][0]] == opened.text, "the part's text is not what the deltas added up to"
        if opened.kind == "output_text":
            assert part["annotations"] == opened.annotations, "the part's annotations are not those that were added"
        self._parts[name].append(part)
        self._part = None

    def _grow_part(self, kind: str, event: dict[str, Any]) -> None:
        opened = self._part
        assert opened is not None, f"{kind} in a {self.kind} item without an open part"
        index = event.get("summary_index" if opened.kind == "summary_text" else "content_index")
        assert index == opened.index, f"{kind} for part {index}, not {opened.index}"
        member, events = _PARTS[opened.kind]
        if kind == "response.output_text.annotation.added":
            assert event["annotation_index"] == len(opened.annotations), "a gap in the numbers of the annotations"
            opened.annotations.append(event["annotation"])
            return
        assert kind in (f"{events}.delta", f"{events}.done"), f"{kind} in a part of the type {opened.kind!r}"
        assert not opened.is_said, f"{kind} behind the text's done"
        if kind.endswith(".delta"):
            opened.text += event["delta"]
        else:
            assert event[member] == opened.text, f"{kind} says {event[member]!r:.80}, the deltas {opened.text!r:.80}"
            opened.is_said = True

    def _grow_arguments(self, kind: str, event: dict[str, Any]) -> None:
        assert not self._arguments_are_said, f"{kind} behind the arguments' done"
        if kind.endswith(".delta"):
            self._arguments += event["delta"]
            return
        name = _CALLS[self.kind][0]
        assert event[name] == self._arguments, f"{kind} says {event[name]!r:.80}, the deltas {self._arguments!r:.80}"
        self._arguments_are_said = True


def check_item(item: dict[str, Any], *, is_whole: bool) -> None:
    """Asserts what a finished item must hold; `is_whole` when nothing may be cut short."""
    kind = need_text(item, "type", "item")
    where = f"the {kind} item"
    _check_id(kind, need_text(item, "id", where))
    statuses = ("completed",) if is_whole else ("completed", "incomplete")
    if kind in ("message", "web_search_call", *_CALLS):
        assert item.get("status") in statuses, f"{where} ends with the status {item.get('status')!r}"
    if kind == "message":
        assert item.get("role") == "assistant", f"{where} has the role {item.get('role')!r}"
        need(item, "content", list, where)
    if kind == "reasoning":
        need(item, "summary", list, where)
    if kind in _CALLS:
        need_text(item, "call_id", where)
        need_text(item, "name", where)
    if kind == "function_call" and is_whole:
        check_arguments(need(item, "arguments", str, where), where)
    if kind == "compaction":
        need_text(item, "encrypted_content", where)


def add_item(answer: Answer, item: dict[str, Any]) -> None:
    """Put what a finished item says into the answer."""
    match item["type"]:
        case "message":
            for part in item["content"]:
                _add_part(answer, part)
        case "reasoning":
            parts = [*item["summary"], *(item.get("content") or [])]
            answer.reasonings += [part["text"] for part in parts]
            answer.seals += [item["encrypted_content"]] if item.get("encrypted_content") else []
        case "function_call" | "custom_tool_call":
            member = _CALLS[item["type"]][0]
            kind = "function" if member == "arguments" else "custom"
            answer.calls.append(Called(item["call_id"], item["name"], item[member], kind, item.get("namespace") or ""))
        case "web_search_call":
            action = item.get("action") or {}
            found = tuple(source["url"] for source in action.get("sources") or [])
            answer.searches.append((action.get("query") or "", found))
        case "compaction":
            answer.compactions.append(item["encrypted_content"])


def _add_part(answer: Answer, part: dict[str, Any]) -> None:
    if part["type"] == "refusal":
        answer.refusals.append(part["refusal"])
        return
    assert part["type"] == "output_text", f"a part of the type {part['type']!r}"
    answer.texts.append(part["text"])
    for annotation in need(part, "annotations", list, "output_text"):
        if annotation["type"] == "url_citation":
            answer.citations.append(need_text(annotation, "url", "annotation"))
            assert 0 <= annotation["start_index"] <= annotation["end_index"], (
                f"a citation from end to start: {annotation}"
            )
    answer.tokens += [entry["token"] for entry in part.get("logprobs") or []]


def _check_id(kind: str, item_id: str) -> None:
    prefix = _PREFIXES.get(kind, "")
    assert item_id.startswith(prefix), f"the id {item_id!r} of a {kind} item does not begin with {prefix!r}"
    assert len(item_id) <= 64, f"the id {item_id!r} is longer than OpenAI takes back"


def _comparable(part: dict[str, Any]) -> dict[str, Any]:
    """Without what may be left out of one telling: empty lists of log probabilities."""
    return {name: value for name, value in part.items() if name != "logprobs" or value}
