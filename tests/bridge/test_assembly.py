"""Events collected into a reply, and told again."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.assembly import Collector, Reply, ReplyPart, collect, events_of
from bridge.events import (
    CallHead,
    Cited,
    CompactionHead,
    Event,
    Failed,
    Finished,
    PartClosed,
    PartOpened,
    ReasoningHead,
    RefusalHead,
    Sealed,
    Searched,
    SearchHead,
    SectionBegan,
    Started,
    Stop,
    TextGrew,
    TextHead,
    Weighed,
)
from bridge.parts import (
    Call,
    CallKind,
    Citation,
    Compaction,
    Reasoning,
    Refusal,
    Seal,
    SealKind,
    Search,
    Source,
    Text,
    TokenChance,
)
from bridge.tally import Tally

words = st.text(max_size=8)
seals = st.none() | st.builds(Seal, st.sampled_from(SealKind), words)
citations = st.lists(st.builds(Citation, words, words), max_size=2).map(tuple)
chances = st.lists(st.builds(TokenChance, words, st.floats(-9, 0)), max_size=2).map(tuple)
sources = st.lists(st.builds(Source, words, words), max_size=2).map(tuple)
# One empty section is told like no section at all.
sections = st.lists(words, max_size=3).map(tuple).filter(lambda found: found != ("",))
reply_parts: st.SearchStrategy[ReplyPart] = st.one_of(
    st.builds(Text, words, citations, chances, st.sampled_from(["", "commentary"])),
    st.builds(Refusal, words),
    st.builds(Reasoning, sections, seals),
    st.builds(Call, words, words, words, st.sampled_from(CallKind), words),
    st.builds(Search, words, words, sources),
    st.builds(Compaction, words, words),
)
replies = st.builds(
    Reply,
    st.lists(reply_parts, max_size=4).map(tuple),
    st.sampled_from(Stop),
    st.none() | words,
    st.builds(Tally, st.integers(0, 9), st.integers(0, 9)),
    st.booleans(),
)


@given(replies)
def test_a_reply_told_as_events_is_collected_again(reply: Reply) -> None:
    assert collect(events_of(reply)) == reply


@given(replies)
def test_a_reply_is_told_without_empty_growth(reply: Reply) -> None:
    assert TextGrew("") not in list(events_of(reply))


def test_pieces_are_joined_in_the_part_they_grow_in() -> None:
    events: list[Event] = [
        Started(Tally(input=3)),
        PartOpened(ReasoningHead()),
        TextGrew("one"),
        TextGrew(" more"),
        SectionBegan(),
        TextGrew("two"),
        Sealed(Seal(SealKind.CIPHERTEXT, "c")),
        PartClosed(),
        PartOpened(TextHead("commentary")),
        TextGrew("he"),
        Weighed((TokenChance("he", -1.0),)),
        TextGrew("y"),
        Cited(Citation("https://example.org")),
        Weighed((TokenChance("y", -2.0),)),
        PartClosed(),
        PartOpened(SearchHead("s1")),
        Searched("what", (Source("https://example.org"),)),
        PartClosed(),
        PartOpened(CallHead("c1", "run", CallKind.CUSTOM, "box")),
        TextGrew("ls"),
        TextGrew(" -l"),
        PartClosed(),
        PartOpened(RefusalHead()),
        TextGrew("no"),
        PartClosed(),
        PartOpened(CompactionHead()),
        Sealed(Seal(SealKind.CIPHERTEXT, "digest")),
        PartClosed(),
        Finished(Stop.CALLS, None, Tally(input=3, output=9), counted=True),
    ]
    assert collect(events) == Reply(
        (
            Reasoning(("one more", "two"), Seal(SealKind.CIPHERTEXT, "c")),
            Text(
                "hey",
                (Citation("https://example.org"),),
                (TokenChance("he", -1.0), TokenChance("y", -2.0)),
                "commentary",
            ),
            Search("s1", "what", (Source("https://example.org"),)),
            Call("c1", "run", "ls -l", CallKind.CUSTOM, "box"),
            Refusal("no"),
            Compaction("digest"),
        ),
        Stop.CALLS,
        tally=Tally(input=3, output=9),
    )


def test_parts_that_never_grew_are_parts() -> None:
    heads = (TextHead(), RefusalHead(), ReasoningHead(), CallHead("c", "f"), SearchHead("s"), CompactionHead())
    events = [event for head in heads for event in (PartOpened(head), PartClosed())]
    reply = collect([Started(), *events, Finished(Stop.END)])
    assert reply.parts == (Text(""), Refusal(""), Reasoning(), Call("c", "f", ""), Search("s"), Compaction())


def test_there_is_no_reply_before_it_is_finished() -> None:
    collector = Collector()
    for event in (Started(), PartOpened(TextHead()), TextGrew("x"), PartClosed()):
        collector.add(event)
        assert collector.reply is None
    collector.add(Finished(Stop.END))
    assert collector.reply == Reply((Text("x"),), Stop.END)


@pytest.mark.parametrize("events", [[], [Started()], [Started(), PartOpened(TextHead()), Failed("gone")]])
def test_events_that_break_off_are_no_reply(events: list[Event]) -> None:
    with pytest.raises(ValueError, match="without Finished"):
        collect(events)
