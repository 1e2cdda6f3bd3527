"""Spoilt upstream answers against everything that reads them: readers, taps, gatherers and all nine crossings.

Whatever the upstream sends, nothing but BridgeError may come out of a reader or a road; events keep their grammar; a
client gets a whole answer or one that ends in its dialect's own error, and the counts for the ledger are sane.
"""

from __future__ import annotations

import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from bridge.asked import Asked
from bridge.assembly import collect
from bridge.carrier import Carriers
from bridge.crossing import FORMATS, Crossing
from bridge.dialect import Dialect
from bridge.errors import BridgeError, BrokenStream
from bridge.events import CallHead, Event, Failed, Finished, PartOpened, SearchHead
from bridge.json_text import decode_object
from bridge.road import Heading, Road
from bridge.sse import FrameSplitter, data_of, write_data
from bridge.tally import Tally
from bridge.target import Target
from bridge.translation import Writer
from bridge.unstreamed import frames_of
from tests.bridge.grammar import check, check_unfinished
from tests.dialects.checkers import CHECKERS
from tests.dialects.frames import read_object
from tests.fuzz.loose import check_loosely, check_loosely_failed
from tests.fuzz.mutation import spoilt_bytes, spoilt_json
from tests.fuzz.recordings import Recording

SENTENCE = "The upstream failed."
REQUEST_ID = "0123456789abcdef0123456789abcdef"
# Tools that each pass has something to do with: names to restore, free text to unwrap, a stop sequence to look for.
_ASKED: Mapping[Dialect, Mapping[str, Any]] = MappingProxyType(
    {
        Dialect.CHAT: {
            "messages": [{"role": "user", "content": "x"}],
            "tools": [
                {"type": "function", "function": {"name": "get weather"}},
                {"type": "custom", "custom": {"name": "get_weather"}},
            ],
            "stop": ["the "],
            "stream_options": {"include_usage": True},
        },
        Dialect.RESPONSES: {
            "input": "x",
            "tools": [
                {"type": "custom", "name": "get_weather"},
                {"type": "namespace", "name": "n", "description": "", "tools": [{"type": "function", "name": "f"}]},
            ],
        },
        Dialect.MESSAGES: {
            "max_tokens": 100,
            "messages": [{"role": "user", "content": "x"}],
            "tools": [{"name": "get_weather", "input_schema": {"type": "object"}}],
            "stop_sequences": ["the ", "weather"],
        },
    }
)


@dataclass(frozen=True, slots=True)
class StreamCase:
    """One spoilt answer in its packets; `is_whole` when it is an unstreamed body."""

    dialect: Dialect
    packets: tuple[bytes, ...]
    is_whole: bool = False

    @property
    def described(self) -> str:
        return (
            f"{self.dialect} {'body' if self.is_whole else 'stream'} in {len(self.packets)} packets: {self.packets!r}"
        )


def drawn(dice: random.Random, recordings: Sequence[Recording]) -> StreamCase:
    """A case out of the dice."""
    recording = dice.choice(recordings)
    if recording.body and dice.random() < 0.15:
        spoil = spoilt_json if dice.random() < 0.8 else None
        body = spoil(dice, read_object(recording.body)) if spoil else spoilt_bytes(dice, recording.body)
        return StreamCase(recording.dialect, (body,), is_whole=True)
    frames = FrameSplitter().feed(recording.stream)
    for _ in range(dice.choice((0, 1, 1, 2, 3))):
        frames = _spoilt_frames(dice, frames, recordings)
    stream = b"".join(frames)
    if dice.random() < 0.25:
        stream = spoilt_bytes(dice, stream)
    if dice.random() < 0.2:
        stream = stream.replace(b"\n", dice.choice((b"\r\n", b"\r")))
    return StreamCase(recording.dialect, tuple(_packets(dice, stream)))


def run(case: StreamCase) -> None:
    """Raises whatever goes wrong: AssertionError for a broken promise, anything else for a crash."""
    if case.is_whole:
        try:
            frames = frames_of(case.packets[0], case.dialect)
        except BridgeError:
            return
        case = StreamCase(case.dialect, (frames,))
    events, error = read(case)
    _write(case.dialect, events, error)
    for stream in (True, False):
        make = FORMATS[case.dialect].tap if stream else FORMATS[case.dialect].gatherer
        _carry(make(heading_of(case.dialect, stream=stream)), case, is_stream=stream)
    if not _doubled(events):
        for door in Dialect:
            if door is not case.dialect:
                _translate(case, door, stream=True)
                _translate(case, door, stream=False)


def heading_of(dialect: Dialect, *, stream: bool) -> Heading:
    asked = Asked(dialect=dialect, fields={}, model="asked", entries=[], stream=stream, include_usage=True)
    return Heading(asked=asked, id=REQUEST_ID, created=1_750_000_000)


def read(case: StreamCase) -> tuple[list[Event], BridgeError | None]:
    """The events of the case, and the error with which its reading ended."""
    reader = FORMATS[case.dialect].reader()
    events: list[Event] = []
    error: BridgeError | None = None
    try:
        for packet in case.packets:
            events += reader.feed(packet)
            if reader.done:
                break
        events += reader.end()
    except BridgeError as broken:
        error = broken
    if error is None:
        check(events)
    else:
        check_unfinished(events)
    _check_tally(reader.tally)
    assert reader.output_bytes >= 0, reader.output_bytes
    return events, error


def _write(door: Dialect, events: list[Event], error: BridgeError | None) -> None:
    """Every answer ends well or in an error of the door's dialect."""
    writer = FORMATS[door].writer(heading_of(door, stream=True))
    is_whole = error is None and isinstance(events[-1], Finished)
    if _doubled(events):
        return
    # The end is written when all is well and not before, as the relay does it.
    pieces = [writer.write(event) for event in events if is_whole or not isinstance(event, Finished | Failed)]
    checker = CHECKERS[door]
    if is_whole and isinstance(events[-1], Finished):
        answer = checker.stream(b"".join(pieces), model="asked", json_arguments=False)
        assert answer.counts is not None
        answer.counts.check(events[-1].tally)
        body = FORMATS[door].write_reply(collect(events), heading_of(door, stream=False))
        checker.whole(body, model="asked", json_arguments=False)
        return
    _fail(writer, b"".join(pieces), door)


def _doubled(events: list[Event]) -> bool:
    """Whether a doubled frame gave two calls one id: no translation can know which of them is meant."""
    ids = [
        event.head.id
        for event in events
        if isinstance(event, PartOpened) and isinstance(event.head, CallHead | SearchHead)
    ]
    return len(set(ids)) < len(ids)


def _translate(case: StreamCase, door: Dialect, *, stream: bool) -> None:
    """The road through the hub, with all its passes: what comes out is a good answer or a good error."""
    asked = FORMATS[door].open_request(json.dumps({"model": "asked", "stream": stream, **_ASKED[door]}).encode())
    crossing = Crossing(asked, case.dialect, Target("gpt-5.4", family="gpt-5.4"), Carriers(b"key", "binding"))
    crossing.write()
    road = crossing.road(Heading(asked=asked, id=REQUEST_ID, created=1_750_000_000))
    pieces, ended = _driven(road, case)
    _check_tally(road.tally)
    checker = CHECKERS[door]
    if not ended:
        assert stream or not pieces, "something of a whole answer before it was whole"
        if stream:
            _fail(road, pieces, door)
    elif stream:
        answer = checker.stream(pieces, model="asked", json_arguments=False)
    else:
        answer = checker.whole(pieces, model="asked", json_arguments=False)
    if ended and road.counted:
        assert answer.counts is not None
        answer.counts.check(road.tally)


def _driven(road: Road, case: StreamCase) -> tuple[bytes, bool]:
    """What the road gave, and whether it came to a good end; driven as the relay drives it."""
    pieces: list[bytes] = []
    try:
        for packet in case.packets:
            pieces.append(road.feed(packet))
            if road.done or road.failure is not None:
                break
        last = road.end() if road.failure is None else b""
    except BridgeError:
        return b"".join(pieces), False
    if road.failure is not None:
        return b"".join(pieces), False
    return b"".join([*pieces, last]), True


def _fail(writer: Writer | Road, before: bytes, door: Dialect) -> None:
    failure = CHECKERS[door].broken_stream(before + writer.fail(BrokenStream(SENTENCE), SENTENCE), model="asked")
    assert failure.message == SENTENCE, failure


def _carry(road: Road, case: StreamCase, *, is_stream: bool) -> None:
    """The verbatim road: what it passes on is the upstream's own, so only the outer shape is promised."""
    body, ended = _driven(road, case)
    _check_tally(road.tally)
    if not is_stream:
        assert ended or not body, "a gatherer gave something before the answer was whole"
        if ended:
            check_loosely(case.dialect, body, is_stream=False)
    elif ended:
        check_loosely(case.dialect, body, is_stream=True)
    else:
        check_loosely_failed(case.dialect, body + road.fail(BrokenStream(SENTENCE), SENTENCE), SENTENCE)


def _check_tally(tally: Tally) -> None:
    counts = (tally.input, tally.cached, tally.cache_write, tally.output, tally.reasoning)
    assert all(isinstance(count, int) and 0 <= count < 2**63 for count in counts), tally
    assert tally.nano is None or 0 <= tally.nano < 2**63, tally


def _spoilt_frames(dice: random.Random, frames: list[bytes], recordings: Sequence[Recording]) -> list[bytes]:
    """Frames left out, doubled, exchanged, cut off, put in from elsewhere, or with their JSON spoilt."""
    if not frames:
        return [dice.choice((b"data: [DONE]\n\n", b": x\n\n", b"\n\n", write_data(b"{}")))]
    at = dice.randrange(len(frames))
    match dice.randrange(9):
        case 0:
            return frames[:at] + frames[at + 1 :]
        case 1:
            return frames[:at] + [frames[at]] * dice.choice((2, 2, 3, 60)) + frames[at + 1 :]
        case 2:
            other = dice.randrange(len(frames))
            frames = list(frames)
            frames[at], frames[other] = frames[other], frames[at]
            return frames
        case 3:
            return frames[:at]
        case 4:
            foreign = FrameSplitter().feed(dice.choice(recordings).stream)
            return [*frames[:at], dice.choice(foreign), *frames[at:]]
        case 5:
            odd = (b"data: [DONE]\n\n", b": comment\n\n", b"event: ping\n\n", b"data:\n\n", b"\n\n", b"id: 1\n\n")
            return [*frames[:at], dice.choice(odd), *frames[at:]]
        case _:
            return [*frames[:at], _spoilt_frame(dice, frames[at]), *frames[at + 1 :]]


def _spoilt_frame(dice: random.Random, frame: bytes) -> bytes:
    data = data_of(frame)
    value = decode_object(data or b"")
    if value is None:  # a comment, `[DONE]`, or what was spoilt before
        return spoilt_bytes(dice, frame)
    spoilt = spoilt_json(dice, value)
    if not dice.randrange(5):
        spoilt = spoilt.replace(b"\r\n", b"\n").replace(b"\n", b"\ndata: ")
    else:
        spoilt = spoilt.replace(b"\n", b"").replace(b"\r", b"")
    before = frame[: frame.index(b"data:")] if dice.random() < 0.9 else b""
    if dice.random() < 0.1:
        at = dice.randrange(len(spoilt) + 1)
        return before + b"data: " + spoilt[:at] + b"\ndata: " + spoilt[at:] + b"\n\n"
    return before + b"data: " + spoilt + b"\n\n"


def _packets(dice: random.Random, stream: bytes) -> list[bytes]:
    match dice.randrange(4):
        case 0:
            return [stream]
        case 1 if len(stream) < 3000:
            return [stream[at : at + 1] for at in range(len(stream))]
        case _:
            cuts = sorted(dice.randrange(len(stream) + 1) for _ in range(dice.randrange(1, 30)))
            return [stream[start:end] for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
