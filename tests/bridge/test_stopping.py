"""Stop sequences: the text ends where the first of them begins, however it came in pieces."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bridge.assembly import collect
from bridge.events import (
    CallHead,
    Cited,
    Event,
    Failed,
    Finished,
    PartClosed,
    PartOpened,
    ReasoningHead,
    RefusalHead,
    Started,
    Stop,
    TextGrew,
    TextHead,
    Weighed,
)
from bridge.parts import Call, Citation, Reasoning, Refusal, Text, TokenChance
from bridge.stopping import LONGEST, StopCutter
from bridge.tally import Tally
from tests.bridge.grammar import check

# Few letters, so that sequences overlap, repeat and nearly match.
letters = st.text("ab\U0001f600", max_size=6)
pieces = st.lists(letters.filter(bool), max_size=12)
stops = st.lists(letters, max_size=4).map(tuple)
TALLY = Tally(input=5, output=7)


def text_part(*pieces: str) -> list[Event]:
    return [PartOpened(TextHead()), *(TextGrew(piece) for piece in pieces), PartClosed()]


def a_reply(*parts: list[Event]) -> list[Event]:
    return [Started(), *(event for part in parts for event in part), Finished(Stop.END, None, TALLY)]


def cut(events: list[Event], *stops: str) -> list[Event]:
    cutter = StopCutter(stops)
    return [told for event in events for told in cutter.feed(event)]


def first_stop(text: str, stops: tuple[str, ...]) -> tuple[int, str] | None:
    """The place and the words of the first stop sequence by looking at the whole text at once."""
    found = [(text.find(stop), len(stop), stop) for stop in stops if stop and stop in text]
    place, _, stop = min(found, default=(-1, 0, ""))
    return (place, stop) if stop else None


@given(pieces, stops)
def test_the_text_ends_where_looking_at_the_whole_would_end_it(pieces: list[str], stops: tuple[str, ...]) -> None:
    reply = collect(cut(a_reply(text_part(*pieces)), *stops))
    whole = "".join(pieces)
    found = first_stop(whole, stops)
    text = whole if found is None else whole[: found[0]]
    assert reply.parts == (Text(text),)
    assert (reply.stop, reply.sequence) == ((Stop.END, None) if found is None else (Stop.SEQUENCE, found[1]))
    assert reply.tally == TALLY


@given(pieces, stops)
def test_never_more_is_held_back_than_could_begin_a_sequence(pieces: list[str], stops: tuple[str, ...]) -> None:
    cutter = StopCutter(stops)
    cutter.feed(PartOpened(TextHead()))
    longest = max(map(len, stops), default=0)
    given, told = "", ""
    for piece in pieces:
        given += piece
        events = cutter.feed(TextGrew(piece))
        told += "".join(event.text for event in events if isinstance(event, TextGrew))
        if cutter.found:
            break
        assert given.startswith(told)
        assert len(given) - len(told) <= max(0, longest - 1)
        held = given[len(told) :]
        assert not held or any(stop.startswith(held[:1]) for stop in stops)


@given(st.lists(pieces, max_size=3), stops)
def test_a_cut_reply_still_has_one_end_and_whole_parts(parts: list[list[str]], stops: tuple[str, ...]) -> None:
    events = check(cut(a_reply(*(text_part(*part) for part in parts)), *stops))
    assert isinstance(events[-1], Finished)


def test_everything_behind_the_cut_is_swallowed_but_the_bill() -> None:
    call: list[Event] = [PartOpened(CallHead("c", "f")), TextGrew("{}"), PartClosed()]
    cutter = StopCutter(("STOP",))
    events = [told for event in a_reply(text_part("one ST", "OP two"), call) for told in cutter.feed(event)]
    assert cutter.found
    assert events == [
        Started(),
        PartOpened(TextHead()),
        TextGrew("one "),
        PartClosed(),
        Finished(Stop.SEQUENCE, "STOP", TALLY),
    ]


def test_the_part_is_closed_as_soon_as_the_sequence_came() -> None:
    cutter = StopCutter(("x",))
    cutter.feed(PartOpened(TextHead()))
    assert cutter.feed(TextGrew("ax")) == [TextGrew("a"), PartClosed()]
    assert cutter.feed(TextGrew("b")) == []
    assert cutter.feed(Failed("gone")) == [Failed("gone")]


def test_the_beginning_of_a_longer_sequence_waits_for_its_end() -> None:
    assert collect(cut(a_reply(text_part("abc", "e")), "abcd", "c")).parts == (Text("ab"),)
    assert collect(cut(a_reply(text_part("abc", "d")), "abcd", "c")).parts == (Text(""),)
    reply = collect(cut(a_reply(text_part("abc")), "abcd", "c"))
    assert (reply.parts, reply.sequence) == ((Text("ab"),), "c")


def test_of_two_sequences_at_one_place_the_shorter_counts() -> None:
    assert collect(cut(a_reply(text_part("xabc")), "abc", "ab")).sequence == "ab"


def test_what_is_held_back_comes_with_the_end_of_the_part_or_an_error() -> None:
    assert collect(cut(a_reply(text_part("a\n")), "\n\n")).parts == (Text("a\n"),)
    broken: list[Event] = [PartOpened(TextHead()), TextGrew("a\n"), Failed("gone")]
    assert cut(broken, "\n\n") == [PartOpened(TextHead()), TextGrew("a"), TextGrew("\n"), Failed("gone")]


def test_a_sequence_is_looked_for_in_each_text_for_itself_and_nowhere_else() -> None:
    reply = collect(
        cut(
            a_reply(
                [PartOpened(ReasoningHead()), TextGrew("STOP"), PartClosed()],
                text_part("ST"),
                text_part("OP"),
                [PartOpened(RefusalHead()), TextGrew("STOP"), PartClosed()],
                [PartOpened(CallHead("c", "f")), TextGrew('"STOP"'), PartClosed()],
            ),
            "STOP",
        )
    )
    assert reply.parts == (Reasoning(("STOP",)), Text("ST"), Text("OP"), Refusal("STOP"), Call("c", "f", '"STOP"'))
    assert reply.stop is Stop.END


def test_empty_and_endless_sequences_are_not_looked_for() -> None:
    events = a_reply(text_part("x" * (LONGEST + 1)))
    assert cut(events, "", "x" * (LONGEST + 1)) == events


def weighed(*tokens: str) -> Weighed:
    return Weighed(tuple(TokenChance(token, -1.0) for token in tokens))


def test_log_probabilities_never_come_before_their_text_nor_for_text_that_was_cut() -> None:
    cutter = StopCutter(("STOP",))
    cutter.feed(PartOpened(TextHead()))
    assert cutter.feed(TextGrew("a S")) == [TextGrew("a ")]
    assert cutter.feed(weighed("a", " ", "S")) == [weighed("a", " ")]
    assert cutter.feed(TextGrew("un")) == [TextGrew("Sun"), weighed("S")]
    assert cutter.feed(weighed("un")) == [weighed("un")]
    assert cutter.feed(TextGrew(" ST")) == [TextGrew(" ")]
    assert cutter.feed(weighed(" ", "ST")) == [weighed(" ")]
    assert cutter.feed(TextGrew("OP")) == [PartClosed()]
    assert cutter.feed(weighed("OP")) == []


def test_a_citation_waits_for_the_text_it_speaks_of() -> None:
    near, far = Cited(Citation("https://a.org", end=1)), Cited(Citation("https://b.org", end=2))
    cutter = StopCutter(("bb",))
    cutter.feed(PartOpened(TextHead()))
    assert cutter.feed(TextGrew("ab")) == [TextGrew("a")]
    assert cutter.feed(near) == [near]
    assert cutter.feed(far) == []
    assert cutter.feed(PartClosed()) == [TextGrew("b"), far, PartClosed()]


def test_without_sequences_everything_passes() -> None:
    events = [*a_reply([PartOpened(TextHead()), TextGrew("a"), weighed("a", "b"), PartClosed()])]
    assert cut(events) == events
