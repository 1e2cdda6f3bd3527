"""The grammar's checker: what is grammatical passes, and each rule has events that break it."""

from __future__ import annotations

import pytest

from bridge.events import (
    CallHead,
    Cited,
    CompactionHead,
    Event,
    Failed,
    Finished,
    Head,
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
from bridge.parts import Citation, Seal, SealKind, TokenChance
from bridge.tally import Tally
from tests.bridge.grammar import check, check_unfinished

END = Finished(Stop.END)
SEAL = Sealed(Seal(SealKind.SIGNATURE, "sig"))
CIPHER = Sealed(Seal(SealKind.CIPHERTEXT, "gAAAA"))
WORD = TextGrew("word")
CITED = Cited(Citation("https://a.example"))
WEIGHED = Weighed((TokenChance("word", -0.5),))


def part(head: Head, *growth: Event) -> list[Event]:
    return [PartOpened(head), *growth, PartClosed()]


GOOD = [
    [Started(), END],
    [Started(), Failed("no")],
    [Started(), PartOpened(TextHead()), WORD, Failed("no")],
    [Started(), *part(TextHead(), WORD, CITED, WEIGHED, WORD), END],
    [Started(), *part(RefusalHead(), WORD), *part(TextHead()), END],
    [Started(), *part(ReasoningHead(), WORD, WORD, SectionBegan(), WORD, SEAL), END],
    [Started(), *part(ReasoningHead(), SEAL), END],
    [Started(), *part(CallHead("a", "b"), WORD, WORD), *part(CallHead("c", "b")), Finished(Stop.CALLS)],
    [Started(), *part(SearchHead("a"), Searched("x")), *part(SearchHead("b")), END],
    [Started(), *part(CompactionHead(), WORD), *part(CompactionHead(), CIPHER), END],
    [Started(Tally(input=1)), Finished(Stop.SEQUENCE, "x", Tally(output=2, reasoning=2))],
]


@pytest.mark.parametrize("events", GOOD)
def test_what_is_grammatical_passes(events: list[Event]) -> None:
    assert check(iter(events)) == events


BAD: list[tuple[str, list[Event]]] = [
    ("end without Finished or Failed", []),
    ("end without Finished or Failed", [Started()]),
    ("event 0 is", [END]),
    ("event 1 is", [Started(), Started(), END]),
    ("comes after", [Started(), END, END]),
    ("comes after", [Started(), Failed("no"), *part(TextHead())]),
    ("opened inside of", [Started(), PartOpened(TextHead()), *part(TextHead()), PartClosed(), END]),
    ("closed without a part", [Started(), PartClosed(), END]),
    ("finished inside of", [Started(), PartOpened(TextHead()), END]),
    ("growth without a part", [Started(), WORD, END]),
    ("in TextHead", [Started(), *part(TextHead(), SEAL), END]),
    ("in TextHead", [Started(), *part(TextHead(), SectionBegan()), END]),
    ("in RefusalHead", [Started(), *part(RefusalHead(), CITED), END]),
    ("in ReasoningHead", [Started(), *part(ReasoningHead(), WEIGHED), END]),
    ("in CallHead", [Started(), *part(CallHead("a", "b"), CITED), END]),
    ("in SearchHead", [Started(), *part(SearchHead("a"), WORD), END]),
    ("in CompactionHead", [Started(), *part(CompactionHead(), SectionBegan()), END]),
    ("an empty text", [Started(), *part(TextHead(), TextGrew("")), END]),
    ("an empty seal", [Started(), *part(ReasoningHead(), Sealed(Seal(SealKind.OPAQUE, ""))), END]),
    ("something behind the seal", [Started(), *part(ReasoningHead(), SEAL, WORD), END]),
    ("something behind the seal", [Started(), *part(ReasoningHead(), SEAL, SEAL), END]),
    ("sealed by signature", [Started(), *part(CompactionHead(), SEAL), END]),
    ("before the first", [Started(), *part(ReasoningHead(), SectionBegan(), WORD), END]),
    ("behind an empty one", [Started(), *part(ReasoningHead(), WORD, SectionBegan(), SectionBegan(), WORD), END]),
    ("says nothing at the end", [Started(), *part(ReasoningHead(), WORD, SectionBegan()), END]),
    ("a section that says nothing", [Started(), *part(ReasoningHead(), WORD, SectionBegan(), SEAL), END]),
    ("searched twice", [Started(), *part(SearchHead("a"), Searched("x"), Searched("x")), END]),
    ("no log probabilities", [Started(), *part(TextHead(), Weighed(())), END]),
    ("a call without an id", [Started(), *part(CallHead("", "b")), END]),
    ("a search without an id", [Started(), *part(SearchHead("")), END]),
    ("a sequence with end", [Started(), Finished(Stop.END, "x")]),
    ("a negative count", [Started(), Finished(Stop.END, tally=Tally(input=-1))]),
    ("more reasoning than output", [Started(), Finished(Stop.END, tally=Tally(output=1, reasoning=2))]),
]


@pytest.mark.parametrize(("sentence", "events"), BAD)
def test_every_rule_has_events_that_break_it(sentence: str, events: list[Event]) -> None:
    with pytest.raises(AssertionError, match=sentence):
        check(events)


def test_events_that_were_cut_are_checked_up_to_there() -> None:
    whole = [Started(), *part(TextHead(), WORD), END]
    for length in range(len(whole) + 1):
        assert check_unfinished(whole[:length]) == whole[:length]
    with pytest.raises(AssertionError, match="closed without a part"):
        check_unfinished([Started(), PartClosed()])
