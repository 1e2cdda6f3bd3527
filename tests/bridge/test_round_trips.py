"""Every format there and back: a reader reads what its writer wrote, and every crossing ends in a good answer."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.asked import Asked
from bridge.assembly import Reply, collect, events_of
from bridge.carrier import Carriers
from bridge.crossing import FORMATS
from bridge.dialect import Dialect
from bridge.errors import BrokenStream, TimedOut
from bridge.events import Event
from bridge.parts import Call, CallKind, Refusal, Text
from bridge.road import Heading
from bridge.sealing import SealWrapper
from bridge.unstreamed import frames_of
from tests.bridge.event_strategies import as_one_message, normal, streams
from tests.bridge.grammar import check, check_unfinished
from tests.dialects.checkers import CHECKERS

DIALECTS = list(Dialect)
every_dialect = pytest.mark.parametrize("dialect", DIALECTS)
often = settings(deadline=None, max_examples=30)


def heading(dialect: Dialect, *, stream: bool = True) -> Heading:
    asked = Asked(dialect=dialect, fields={}, model="asked-model", entries=[], stream=stream, include_usage=True)
    return Heading(asked=asked, id="0123456789abcdef0123456789abcdef", created=1_750_000_000, estimate=7)


def written(dialect: Dialect, events: list[Event]) -> bytes:
    writer = FORMATS[dialect].writer(heading(dialect))
    return b"".join([writer.write(event) for event in events])


def read(dialect: Dialect, packets: list[bytes]) -> list[Event]:
    reader = FORMATS[dialect].reader()
    events = [event for packet in packets for event in reader.feed(packet)]
    return events + reader.end()


@every_dialect
@given(st.data())
@often
def test_what_is_written_is_a_good_stream_and_is_read_again(dialect: Dialect, data: st.DataObject) -> None:
    events = check(data.draw(streams(dialect)))
    body = written(dialect, events)
    told = collect(events)
    answer = CHECKERS[dialect].stream(body, model="asked-model")
    assert answer.counts is not None
    answer.counts.check(told.tally)
    again = collect(check(read(dialect, [body])))
    assert normal(again, dialect) == normal(told, dialect)


@every_dialect
@given(st.data())
@often
def test_what_is_written_reads_the_same_however_the_wire_cuts_and_dresses_it(
    dialect: Dialect, data: st.DataObject
) -> None:
    events = data.draw(streams(dialect))
    body = written(dialect, events)
    line_end = data.draw(st.sampled_from([b"\n", b"\r\n", b"\r"]))
    comments = data.draw(st.lists(st.sampled_from([b"", b": hi\n\n", b":\n", b"\n", b"id: 5\n"]), max_size=6))
    dressed = dressed_up(body, comments).replace(b"\n", line_end)
    cuts = data.draw(st.lists(st.integers(0, len(dressed)), max_size=12).map(sorted))
    packets = [dressed[start:end] for start, end in zip([0, *cuts], [*cuts, len(dressed)], strict=True)]
    again = collect(check(read(dialect, packets)))
    assert normal(again, dialect) == normal(collect(events), dialect)


def dressed_up(body: bytes, comments: list[bytes]) -> bytes:
    """The same stream with something that means nothing before each frame, in turn."""
    frames = body.removesuffix(b"\n\n").split(b"\n\n")
    signs = comments or [b""]
    return b"".join(signs[number % len(signs)] + frame + b"\n\n" for number, frame in enumerate(frames))


@every_dialect
@given(st.data())
@settings(deadline=None, max_examples=10)
def test_one_byte_at_a_time_reads_the_same(dialect: Dialect, data: st.DataObject) -> None:
    events = data.draw(streams(dialect))
    body = written(dialect, events)
    again = collect(check(read(dialect, [body[place : place + 1] for place in range(len(body))])))
    assert normal(again, dialect) == normal(collect(events), dialect)


@every_dialect
@given(st.data())
@often
def test_a_whole_answer_is_good_and_says_the_same_as_the_stream(dialect: Dialect, data: st.DataObject) -> None:
    reply = collect(data.draw(streams(dialect)))
    if dialect is Dialect.CHAT:
        reply = as_one_message(reply)
    body = FORMATS[dialect].write_reply(reply, heading(dialect, stream=False))
    answer = CHECKERS[dialect].whole(body, model="asked-model")
    assert answer.counts is not None
    answer.counts.check(reply.tally)
    again = collect(check(read(dialect, [frames_of(body, dialect)])))
    assert normal(again, dialect) == normal(reply, dialect)
    streamed = CHECKERS[dialect].stream(written(dialect, list(events_of(reply))))
    assert (streamed.text, streamed.refusals, streamed.stop) == (answer.text, answer.refusals, answer.stop)
    assert [(call.id, call.name) for call in streamed.calls] == [(call.id, call.name) for call in answer.calls]


@every_dialect
@given(st.data())
@often
def test_a_whole_answer_where_a_stream_was_asked_for_becomes_a_good_stream(
    dialect: Dialect, data: st.DataObject
) -> None:
    reply = collect(data.draw(streams(dialect)))
    if dialect is Dialect.CHAT:
        reply = as_one_message(reply)
    body = FORMATS[dialect].write_reply(reply, heading(dialect, stream=False))
    tap = FORMATS[dialect].tap(heading(dialect))
    answer = CHECKERS[dialect].stream(tap.feed(frames_of(body, dialect)) + tap.end(), model="asked-model")
    assert answer.text == said(reply)


@every_dialect
@given(st.data())
@often
def test_a_stream_that_was_cut_is_grammatical_up_to_there_and_never_ends_well(
    dialect: Dialect, data: st.DataObject
) -> None:
    body = written(dialect, data.draw(streams(dialect)))
    # The last frames say no more than that the answer is over; without them it may be known already.
    place = data.draw(st.integers(0, len(body) * 2 // 3))
    reader = FORMATS[dialect].reader()
    events = list(reader.feed(body[:place]))
    check_unfinished(events)
    if reader.done or reader.stop_reason:
        return
    with pytest.raises(BrokenStream):
        reader.end()


@every_dialect
@given(st.data())
@often
def test_a_writer_says_a_failure_wherever_it_comes(dialect: Dialect, data: st.DataObject) -> None:
    events = data.draw(streams(dialect))[:-1]
    writer = FORMATS[dialect].writer(heading(dialect))
    body = b"".join([writer.write(event) for event in events[: data.draw(st.integers(0, len(events)))]])
    error = TimedOut("The upstream fell silent.")
    failure = CHECKERS[dialect].broken_stream(body + writer.fail(error, str(error)), model="asked-model")
    assert failure.message == "The upstream fell silent."


@every_dialect
@given(st.data())
@often
def test_keepalives_fit_between_any_two_events(dialect: Dialect, data: st.DataObject) -> None:
    events = data.draw(streams(dialect))
    writer = FORMATS[dialect].writer(heading(dialect))
    signs = [writer.keepalive()]
    pieces = signs[:]
    for event in events[:-1]:
        pieces.append(writer.write(event))
        signs.append(writer.keepalive())
        pieces.append(signs[-1])
    assert all(signs), "nothing to fill a silence with"
    CHECKERS[dialect].stream(b"".join([*pieces, writer.write(events[-1])]))


@every_dialect
@given(st.data())
@often
def test_a_tap_passes_on_what_a_writer_wrote(dialect: Dialect, data: st.DataObject) -> None:
    events = data.draw(streams(dialect))
    body = written(dialect, events)
    tap, gatherer = FORMATS[dialect].tap(heading(dialect)), FORMATS[dialect].gatherer(heading(dialect, stream=False))
    streamed = CHECKERS[dialect].stream(tap.feed(body) + tap.end(), model="asked-model")
    assert gatherer.feed(body) == b""
    whole = CHECKERS[dialect].whole(gatherer.end(), model="asked-model")
    told = normal(collect(events), dialect)
    for road, answer in ((tap, streamed), (gatherer, whole)):
        assert (road.tally, road.counted, road.failure) == (told.tally, True, None)
        assert answer.counts is not None
        answer.counts.check(told.tally)
        assert answer.text == said(told)
        assert [call.name for call in answer.calls] == [part.name for part in told.parts if isinstance(part, Call)]


@pytest.mark.parametrize("upstream", DIALECTS)
@pytest.mark.parametrize("door", DIALECTS)
@given(st.data())
@settings(deadline=None, max_examples=20)
def test_every_crossing_ends_in_a_good_answer(upstream: Dialect, door: Dialect, data: st.DataObject) -> None:
    told = data.draw(streams(upstream).map(tuple))
    wrapper = SealWrapper(door, Carriers(b"key", "binding"))
    events = [after for event in read(upstream, [written(upstream, list(told))]) for after in wrapper.feed(event)]
    check(events)
    reply = collect(events)
    calls = [part for part in reply.parts if isinstance(part, Call)]
    # Where the caller knows no custom tools, none are called: what stands here then is no JSON.
    is_json = all(call.kind is CallKind.FUNCTION for call in calls)
    streamed = CHECKERS[door].stream(written(door, events), model="asked-model", json_arguments=is_json)
    body = FORMATS[door].write_reply(reply, heading(door, stream=False))
    whole = CHECKERS[door].whole(body, model="asked-model", json_arguments=is_json)
    for answer in (streamed, whole):
        assert answer.counts is not None
        answer.counts.check(reply.tally)
        assert answer.text + "".join(answer.refusals) == said(reply, with_refusals=True, door=door)
        assert [call.name for call in answer.calls] == [call.name for call in calls]


def said(reply: Reply, *, with_refusals: bool = False, door: Dialect | None = None) -> str:
    """The words of a reply in the order a client of the door reads them: refusals last where they stand apart."""
    texts = [part.text for part in reply.parts if isinstance(part, Text)]
    refusals = [part.text for part in reply.parts if isinstance(part, Refusal)] if with_refusals else []
    if door is Dialect.MESSAGES and with_refusals:
        return "".join(part.text for part in reply.parts if isinstance(part, Text | Refusal))
    return "".join(texts + refusals)
