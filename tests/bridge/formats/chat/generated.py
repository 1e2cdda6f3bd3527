"""Answers made up by hypothesis and told in the manners of the model families."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from bridge.tally import Tally


@dataclass(frozen=True, slots=True)
class Manner:
    """How a family tells an answer."""

    has_object: bool
    has_id: bool
    repeats_role: bool
    index_from: int | None  # None: every call has index 0
    whole_calls: bool
    name_without_arguments: bool
    preamble: bool
    finish: str | None
    usage_on: str  # "finish", "own" or "every"
    own_choices: bool


@dataclass(frozen=True, slots=True)
class Answer:
    recording: tuple[str, ...]
    text: str
    calls: tuple[tuple[str, str], ...]
    finish: str
    tally: Tally


_manners = st.builds(
    Manner,
    has_object=st.booleans(),
    has_id=st.booleans(),
    repeats_role=st.booleans(),
    index_from=st.sampled_from([None, 0, 1]),
    whole_calls=st.booleans(),
    name_without_arguments=st.booleans(),
    preamble=st.booleans(),
    finish=st.sampled_from([None, "stop", "length", "tool_calls"]),
    usage_on=st.sampled_from(["finish", "own", "every"]),
    own_choices=st.booleans(),
)
_pieces = st.text(alphabet=st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)
_calls = st.tuples(st.sampled_from(["read_file", "edit", "run"]), st.lists(_pieces, min_size=1, max_size=4))
_ZEROS = {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0, "prompt_tokens_details": {"cached_tokens": 0}}


@st.composite
def answers(draw: st.DrawFn) -> Answer:
    manner = draw(_manners)
    texts = draw(st.lists(_pieces, max_size=5))
    calls = draw(st.lists(_calls, max_size=3))
    used = draw(st.tuples(st.integers(1, 10**6), st.integers(1, 10**6)))
    usage = _ZEROS | {"prompt_tokens": used[0], "completion_tokens": used[1], "total_tokens": sum(used)}
    deltas: list[dict[str, Any]] = [{"content": text} for text in texts]
    for number, (name, pieces) in enumerate(calls):
        deltas += _told(manner, number, name, pieces)
    chunks = [_chunk(manner, number, delta, choice_of(manner, delta)) for number, delta in enumerate(deltas)]
    chunks.append(_chunk(manner, len(deltas), {}, 0, manner.finish))
    if manner.usage_on == "own":
        chunks.append({**_chunk(manner, 1, {}, 0), "choices": []})
    elif manner.usage_on == "every":
        chunks = [{**chunk, "usage": _ZEROS} for chunk in chunks]
    chunks[-1]["usage"] = usage
    if manner.preamble:
        chunks.insert(0, {"choices": [], "created": 0, "id": "", "prompt_filter_results": []})
    finish = "tool_calls" if calls and manner.finish in (None, "stop") else manner.finish or "stop"
    return Answer(
        recording=(*(json.dumps(chunk, ensure_ascii=False, separators=(",", ":")) for chunk in chunks), "[DONE]"),
        text="".join(texts),
        calls=tuple((name, "".join(pieces)) for name, pieces in calls),
        finish=finish,
        tally=Tally(input=used[0], output=used[1]),
    )


def choice_of(manner: Manner, delta: dict[str, Any]) -> int:
    return 1 if manner.own_choices and "tool_calls" in delta else 0


def _told(manner: Manner, number: int, name: str, pieces: list[str]) -> list[dict[str, Any]]:
    index = 0 if manner.index_from is None else manner.index_from + number
    head: dict[str, Any] = {"id": f"call_{number}", "index": index, "type": "function", "function": {"name": name}}
    if manner.whole_calls:
        head["function"]["arguments"] = "".join(pieces)
        return [{"content": None, "tool_calls": [head]}]
    if not manner.name_without_arguments:
        head["function"]["arguments"] = ""
    rest = [{"index": index, "function": {"arguments": piece}} for piece in pieces]
    return [{"tool_calls": [call]} for call in (head, *rest)]


def _chunk(manner: Manner, number: int, delta: dict[str, Any], index: int, finish: str | None = None) -> dict[str, Any]:
    if number == 0 or manner.repeats_role:
        delta = {"role": "assistant", **delta}
    choice: dict[str, Any] = {"index": index, "delta": delta, "finish_reason": finish}
    chunk: dict[str, Any] = {"choices": [choice], "created": 1_750_000_000, "model": "upstream-model"}
    if manner.has_id:
        chunk["id"] = "chatcmpl-made"
    if manner.has_object:
        chunk["object"] = "chat.completion.chunk"
    return chunk
