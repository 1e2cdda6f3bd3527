"""Pairing: every call of the history followed by its result, every result by its call behind it.

Upstreams refuse a conversation in which a call of the assistant is not answered in the very next turn, or in which a
result answers no call of the turn before; clients that cut, compact or branch a conversation send such ones. After
`pair_results`:

* adjacent turns of the assistant are one, from the first call on;
* the user turn behind calls begins with one result for each of them, brought together from all turns up to the
  assistant's next; what is missing is made up as an error;
* a result that answers no open call is text in its place, with everything that it said;
* no two calls share an id: a later one gets a number behind it, and so does its result.

Readers put calls into turns of the assistant and results into turns of the user. Quirk unpaired-calls.
"""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from itertools import count

from msgspec import structs

from bridge.parts import Call, Part, Result, Text
from bridge.prompt import Prompt, Role, Turn

_MISSING = (Text("No result was recorded for this call."),)


def pair_results(prompt: Prompt) -> Prompt:
    """The prompt with calls and results paired. Changes nothing where they are."""
    return replace(prompt, turns=_Pairing(prompt.turns).paired())


class _Pairing:
    def __init__(self, turns: tuple[Turn, ...]) -> None:
        self._turns = turns
        self._seen: set[str] = set()
        self._paired: list[Turn] = []

    def paired(self) -> tuple[Turn, ...]:
        place = 0
        while place < len(self._turns):
            turn = self._turns[place]
            if turn.role is Role.ASSISTANT:
                place = self._assistant(place)
            else:
                self._paired.append(_without_results(turn))
                place += 1
        return tuple(self._paired)

    def _assistant(self, place: int) -> int:
        """Take the assistant's turns from `place` on and, behind calls, all up to its next; returns where that is."""
        turn = _without_results(self._turns[place])
        place += 1
        if not _has_call(turn):
            self._paired.append(turn)
            return place
        parts = list(turn.parts)
        while place < len(self._turns) and self._turns[place].role is Role.ASSISTANT:
            parts += _without_results(self._turns[place]).parts
            place += 1
        end = place
        while end < len(self._turns) and self._turns[end].role is not Role.ASSISTANT:
            end += 1
        self._answered(parts, self._turns[place:end])
        return end

    def _answered(self, parts: list[Part], following: tuple[Turn, ...]) -> None:
        """Append the assistant's turn, its results, and what else `following` says."""
        open_calls: dict[str, deque[Call]] = {}
        calls: dict[str, Call] = {}
        for number, part in enumerate(parts):
            if isinstance(part, Call):
                parts[number] = call = self._unique(part)
                calls[call.id] = call
                open_calls.setdefault(part.id, deque()).append(call)
        results: list[Part] = []
        rest: list[Turn] = []
        for turn in following:
            others: list[Part] = []
            for part in turn.parts:
                waiting = open_calls.get(part.call_id) if isinstance(part, Result) else None
                if isinstance(part, Result) and waiting and turn.role is Role.USER:
                    call = waiting.popleft()
                    del calls[call.id]
                    results.append(structs.replace(part, call_id=call.id, kind=call.kind))
                else:
                    others += _told(part) if isinstance(part, Result) else (part,)
            rest.append(Turn(turn.role, tuple(others)))
        results += (Result(call.id, _MISSING, is_error=True, kind=call.kind) for call in calls.values())
        if rest and rest[0].role is Role.USER:
            results += rest.pop(0).parts
            following = following[1:]
        self._paired += (Turn(Role.ASSISTANT, tuple(parts)), Turn(Role.USER, tuple(results)))
        self._paired += (turn for turn, before in zip(rest, following, strict=True) if turn.parts or not before.parts)

    def _unique(self, call: Call) -> Call:
        call_id = call.id or "call"
        for number in count(2):
            if call_id not in self._seen:
                break
            call_id = f"{call.id or 'call'}_{number}"
        self._seen.add(call_id)
        return call if call_id == call.id else structs.replace(call, id=call_id)


def _has_call(turn: Turn) -> bool:
    return any(isinstance(part, Call) for part in turn.parts)


def _without_results(turn: Turn) -> Turn:
    """A turn that no call stands before: its results are told as text."""
    if not any(isinstance(part, Result) for part in turn.parts):
        return turn
    parts: list[Part] = []
    for part in turn.parts:
        parts += _told(part) if isinstance(part, Result) else (part,)
    return Turn(turn.role, tuple(parts))


def _told(result: Result) -> tuple[Part, ...]:
    """A result that answers no call, as text and whatever else it held; its cache hint stays behind it."""
    failed = " (an error)" if result.is_error else ""
    parts = (Text(f"[Result of an earlier tool call ID: {result.call_id}]{failed}"), *result.parts)
    if result.cache is None or parts[-1].cache is not None:
        return parts
    return (*parts[:-1], structs.replace(parts[-1], cache=result.cache))
