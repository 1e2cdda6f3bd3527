"""Calls told in words, for a model that refuses calls without its own proof beside them.

Gemini signs its calls and answers 400 when a history brings one back unsigned, as the histories of other models and
of clients that drop its proof do. Told in words, the same history goes through. Quirk unsigned-calls.
"""

from __future__ import annotations

from dataclasses import replace

from bridge.parts import Call, Document, Image, Part, Reasoning, Result, Text
from bridge.prompt import Prompt, Role, Turn


def tell_unsigned_calls(prompt: Prompt) -> Prompt:
    """The prompt with every call that no sealed reasoning stands beside, and its result, as text.

    Results are expected right behind their calls, as `pair_results` leaves them.
    """
    turns: list[Turn] = []
    told: dict[str, str] = {}
    for turn in prompt.turns:
        if turn.role is Role.ASSISTANT and not any(isinstance(part, Reasoning) and part.seal for part in turn.parts):
            told |= {part.id: part.name for part in turn.parts if isinstance(part, Call)}
        parts = tuple(said for part in turn.parts for said in _in_words(part, told))
        turns.append(Turn(turn.role, parts))
    return replace(prompt, turns=tuple(turns)) if told else prompt


def _in_words(part: Part, told: dict[str, str]) -> tuple[Part, ...]:
    match part:
        case Call(call_id, name, arguments) if call_id in told:
            return (Text(f"[Called the tool {name} with {arguments or 'nothing'}]", cache=part.cache),)
        case Result(call_id, parts, is_error) if call_id in told:
            word = "failed with" if is_error else "gave"
            shown = tuple(inner for inner in parts if isinstance(inner, Image | Document))
            text = "\n".join(inner.text for inner in parts if isinstance(inner, Text))
            return (Text(f"[The tool {told[call_id]} {word}]\n{text}", cache=part.cache), *shown)
        case _:
            return (part,)
