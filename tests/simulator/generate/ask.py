"""Ask: one request as the simulated model sees it, whatever the format it came in."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import msgspec

from tests.simulator.generate.memory import Segment
from tests.simulator.generate.usage import count
from tests.simulator.scenario import asked_in, without_words
from tests.simulator.wire import Refusal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.simulator.generate.images import Image

_REMINDER = re.compile(r"<(system-reminder|environment_context|user_instructions)>.*?</\1>", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool on offer. `kind` is "function", "custom" (free text in) or a server tool's own type."""

    name: str
    kind: str
    description: str
    schema: Mapping[str, Any]
    namespace: str = ""


@dataclass(slots=True)
class Turn:
    """One message or item of the conversation."""

    role: str
    texts: list[str] = field(default_factory=list)
    images: list[Image] = field(default_factory=list)
    results: list[str] = field(default_factory=list)
    calls: int = 0


@dataclass(frozen=True, slots=True)
class Ask:
    """What is wanted: the question, what came with it, and what the answer may and must be."""

    question: str
    words: Mapping[str, Any]
    segments: tuple[Segment, ...]
    background: str
    """What was said by system and user, in which the working directory of an agent is found."""
    tools: tuple[Tool, ...] = ()
    choice: str = "auto"
    """"auto", "none", "required", or the name of the tool that must be called."""
    parallel: bool = True
    results: tuple[str, ...] = ()
    rounds: int = 0
    """Rounds of tool calls since the user last spoke."""
    calls_made: int = 0
    """Calls in the whole conversation so far."""
    images: tuple[Image, ...] = ()
    thinks: bool = False
    effort: str | None = None
    shows_thoughts: bool | None = None
    """Whether thoughts are to be shown in words; None leaves it to the model."""
    schema: Mapping[str, Any] | None = None
    json: bool = False
    max_output: int | None = None
    stops: tuple[str, ...] = ()
    stream: bool = False

    @property
    def prompt_tokens(self) -> int:
        return sum(segment.tokens for segment in self.segments)


def spoken(turns: list[Turn]) -> dict[str, Any]:
    """The fields of an Ask that follow from the turns alone.

    Raises Refusal(400) when words meant for the simulator are malformed, so that a typing mistake in a test shows.
    """
    at = next((i for i in range(len(turns) - 1, -1, -1) if turns[i].role == "user" and _said(turns[i])), None)
    last = Turn("user") if at is None else turns[at]
    since = turns if at is None else turns[at + 1 :]
    raw = "\n".join(last.texts)
    try:
        words = asked_in(raw)
        question = without_words(_said(last))
    except ValueError as error:
        raise Refusal(400, f"simulator: {error}\n".encode()) from error
    return {
        "question": question,
        "words": words,
        "results": tuple(_latest_results(turns)),
        "rounds": _rounds(since) or int(bool(last.results)),
        "calls_made": sum(turn.calls for turn in turns),
        "images": tuple(image for turn in [last, *since] for image in turn.images),
        "background": "\n".join(text for turn in turns if turn.role in ("system", "user") for text in turn.texts),
    }


def segment(value: Any, *, images: int = 0, marked: bool = False) -> Segment:
    """A prompt segment out of a text or a JSON value; `images` are tokens on top, their data left out of the count."""
    text = value if isinstance(value, str) else msgspec.json.encode(value, order="sorted").decode()
    return Segment(text, images or count(text), marked)


def image_segment(image: Image, source: str, *, marked: bool = False) -> Segment:
    """An image, which costs by its pixels and not by its bytes."""
    return Segment(source, image.tokens, marked)


def _said(turn: Turn) -> str:
    """The last text of a turn that a person wrote, without what programs put around it."""
    for text in reversed(turn.texts):
        if plain := _REMINDER.sub("", text).strip():
            return plain
    return ""


def _latest_results(turns: list[Turn]) -> list[str]:
    results: list[str] = []
    for turn in reversed(turns):
        if turn.role == "assistant":
            break
        results = [*turn.results, *results]
    return results


def _rounds(turns: list[Turn]) -> int:
    rounds = 0
    before = ""
    for turn in turns:
        if turn.calls and before != "calls":
            rounds += 1
        before = "calls" if turn.calls else turn.role
    return rounds
