"""The features of an answer: the events that tell it, and how one knows it in what a client reads."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from bridge.asked import Asked
from bridge.carrier import Carriers
from bridge.crossing import FORMATS, Crossing
from bridge.dialect import Dialect
from bridge.events import (
    CallHead,
    Cited,
    Event,
    Finished,
    PartClosed,
    PartOpened,
    ReasoningHead,
    RefusalHead,
    Sealed,
    Searched,
    SearchHead,
    Started,
    Stop,
    TextGrew,
    TextHead,
    Weighed,
)
from bridge.parts import NATIVE_SEAL, Citation, Seal, Source, TokenChance
from bridge.road import Heading
from bridge.tally import Tally
from tests.dialects.answer import Answer
from tests.dialects.chat_stream import validated as chat_validated
from tests.dialects.messages_stream import validated as messages_validated
from tests.dialects.responses_stream import validated as responses_validated
from tests.matrix.crossing import TARGETS, Mark
from tests.matrix.features import FEATURES

_TALLY = Tally(input=70, cached=20, cache_write=0, output=9, reasoning=3)


@dataclass(frozen=True, slots=True)
class AnswerFeature:
    """`told` are the parts' events as the upstream tells them, from its own kind of seal; `speakers` can tell it.

    `names` are the words by which a loss is named.
    """

    name: str
    told: Callable[[Dialect], list[Event]]
    seen: Callable[[Answer], bool]
    speakers: frozenset[Dialect] = frozenset(Dialect)
    stop: Stop = Stop.END
    names: frozenset[str] = frozenset()


def _text(text: str, *growth: Event) -> list[Event]:
    return [PartOpened(TextHead()), TextGrew(text), *growth, PartClosed()]


def _thought(upstream: Dialect) -> list[Event]:
    seal = Seal(NATIVE_SEAL[upstream], "c2VhbA==")
    return [PartOpened(ReasoningHead()), TextGrew("Thinking"), Sealed(seal), PartClosed(), *_text("Yes")]


def _calls(_: Dialect) -> list[Event]:
    calls: list[Event] = []
    for number in ("1", "2"):
        calls += [PartOpened(CallHead(f"call_{number}", "look")), TextGrew(f'{{"at":{number}}}'), PartClosed()]
    return calls


_CITATION = Citation("https://example.org/", "Example", 0, 3, "Yes")
_CHANCES = (TokenChance("Yes", -0.1, tuple(b"Yes")),)
_SEARCH = Searched("monads", (Source("https://example.org/", "Example"),))

ANSWERS = (
    AnswerFeature("text", lambda _: _text("Yes"), lambda answer: answer.text == "Yes"),
    AnswerFeature("reasoning in words", _thought, lambda answer: "Thinking" in answer.reasoning),
    AnswerFeature("the seal of reasoning, for the next turn", _thought, lambda answer: any(answer.seals)),
    AnswerFeature(
        "parallel calls",
        _calls,
        lambda answer: [call.id for call in answer.calls] == ["call_1", "call_2"],
        stop=Stop.CALLS,
    ),
    AnswerFeature(
        "refusal in words",
        lambda _: [PartOpened(RefusalHead()), TextGrew("I will not"), PartClosed()],
        lambda answer: "I will not" in answer.text or "I will not" in "".join(answer.refusals),
        frozenset({Dialect.CHAT, Dialect.RESPONSES}),
    ),
    AnswerFeature(
        "content filter",
        lambda _: _text("Ye"),
        lambda answer: answer.stop in ("content_filter", "refusal"),
        stop=Stop.FILTER,
    ),
    AnswerFeature(
        "output limit reached",
        lambda _: _text("Ye"),
        lambda answer: answer.stop in ("length", "max_tokens", "max_output_tokens"),
        stop=Stop.LENGTH,
    ),
    AnswerFeature(
        "citations",
        lambda _: _text("Yes", Cited(_CITATION)),
        lambda answer: answer.citations != [],
    ),
    AnswerFeature(
        "web searches made",
        lambda _: [PartOpened(SearchHead("ws_1")), _SEARCH, PartClosed(), *_text("Yes")],
        lambda answer: answer.searches != [],
        frozenset({Dialect.RESPONSES}),
        names=frozenset({"web_search_call"}),
    ),
    AnswerFeature(
        "log probabilities",
        lambda _: _text("Yes", Weighed(_CHANCES)),
        lambda answer: answer.tokens != [],
        frozenset({Dialect.CHAT, Dialect.RESPONSES}),
        names=frozenset({"logprobs"}),
    ),
    AnswerFeature(
        "usage, cached tokens apart",
        lambda _: _text("Yes"),
        lambda answer: answer.counts is not None and (answer.counts.prompt, answer.counts.cached) == (90, 20),
    ),
)


def answer_mark_of(feature: AnswerFeature, door: Dialect, upstream: Dialect) -> Mark:
    """Let the upstream tell the feature, and read what a client at the door gets."""
    if upstream not in feature.speakers:
        return Mark.UNSAYABLE
    asked = _asked(door)
    heading = Heading(asked, "0" * 32, 1_790_000_000)
    crossing = Crossing(asked, upstream, TARGETS[upstream], Carriers(b"key", "matrix"))
    crossing.write()
    road = crossing.road(heading)
    body = road.feed(_told(feature, upstream)) + road.end()
    if feature.seen(_read(door, body)):
        return Mark.CARRIED
    return Mark.NAMED if feature.names & set(road.dropped) else Mark.LOST


def _asked(door: Dialect) -> Asked:
    request = dict(FEATURES[0].requests[door]) | {"stream": True}
    if door is Dialect.CHAT:
        request["stream_options"] = {"include_usage": True}
    return FORMATS[door].open_request(msgspec.json.encode({"model": "asked", **request}))


def _told(feature: AnswerFeature, upstream: Dialect) -> bytes:
    """The feature as the upstream's stream."""
    writer = FORMATS[upstream].writer(Heading(_asked(upstream), "f" * 32, 1_790_000_000))
    events = [Started(), *feature.told(upstream), Finished(feature.stop, None, _TALLY)]
    return b"".join(writer.write(event) for event in events)


def _read(door: Dialect, body: bytes) -> Answer:
    match door:
        case Dialect.CHAT:
            return chat_validated(body, include_usage=True)
        case Dialect.RESPONSES:
            return responses_validated(body)
        case Dialect.MESSAGES:
            return messages_validated(body)
