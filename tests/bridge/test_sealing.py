"""Seals: only the upstream's own go upstream, and foreign ones come to the caller as carriers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.carrier import SIZE_LIMIT, Carriers, is_carrier
from bridge.dialect import Dialect
from bridge.events import (
    CompactionHead,
    Event,
    Finished,
    PartClosed,
    PartOpened,
    ReasoningHead,
    Sealed,
    Started,
    Stop,
    TextGrew,
    TextHead,
)
from bridge.parts import NATIVE_SEAL, Call, Compaction, Part, Reasoning, Seal, SealKind, Text
from bridge.prompt import Prompt, Role, Turn
from bridge.sealing import SealWrapper, is_native, open_seals, strip_reasoning
from tests.bridge.grammar import check

CARRIERS = Carriers(b"k" * 32, "model|profile|seat")
OTHERS = Carriers(b"k" * 32, "model|profile|another seat")

kinds = st.sampled_from(SealKind)
dialects = st.sampled_from(Dialect)


def carried(seal: Seal, carriers: Carriers = CARRIERS) -> str:
    carrier = carriers.wrap(seal)
    assert carrier is not None
    return carrier


def prompt_of(*parts: Part) -> Prompt:
    return Prompt((Turn(Role.USER, (Text("go"),)), Turn(Role.ASSISTANT, (*parts, Text("said")))))


def opened(part: Part, upstream: Dialect) -> tuple[Part, ...]:
    return open_seals(prompt_of(part), upstream, CARRIERS).turns[1].parts[:-1]


@given(kinds, dialects)
def test_a_seal_of_the_upstreams_own_kind_goes_as_it_is_and_no_other(kind: SealKind, upstream: Dialect) -> None:
    part = Reasoning(("thought",), Seal(kind, "proof"))
    assert opened(part, upstream) == ((part,) if is_native(kind, upstream) else ())


def test_redacted_thinking_belongs_to_messages_alone() -> None:
    assert [dialect for dialect in Dialect if is_native(SealKind.REDACTED, dialect)] == [Dialect.MESSAGES]


@given(kinds, kinds, dialects)
def test_a_carrier_goes_as_what_is_in_it(inside: SealKind, outside: SealKind, upstream: Dialect) -> None:
    seal = Seal(inside, "proof")
    part = Reasoning(("a", "b"), Seal(outside, carried(seal)))
    assert opened(part, upstream) == ((Reasoning(("a", "b"), seal),) if is_native(inside, upstream) else ())


@given(kinds, dialects)
def test_a_carrier_of_another_hand_never_goes_upstream(kind: SealKind, upstream: Dialect) -> None:
    foreign = carried(Seal(NATIVE_SEAL[upstream], "proof"), OTHERS)
    for carrier in (foreign, foreign[:-1], "brg1.", "brg1.???"):
        assert opened(Reasoning(("thought",), Seal(kind, carrier)), upstream) == ()


@pytest.mark.parametrize("upstream", Dialect)
def test_a_carrier_inside_a_carrier_never_goes_upstream(upstream: Dialect) -> None:
    kind = NATIVE_SEAL[upstream]
    nested = carried(Seal(kind, carried(Seal(kind, "proof"))))
    assert opened(Reasoning((), Seal(kind, nested)), upstream) == ()


def test_reasoning_without_a_seal_stays_for_chat_alone() -> None:
    part = Reasoning(("thought",))
    assert [upstream for upstream in Dialect if opened(part, upstream)] == [Dialect.CHAT]


def test_left_out_reasoning_is_no_loss_and_an_emptied_turn_goes_with_it() -> None:
    asked = Prompt((Turn(Role.ASSISTANT, (Reasoning(("x",)),)), Turn(Role.USER, (Text("go"),))))
    assert open_seals(asked, Dialect.MESSAGES, CARRIERS) == Prompt((Turn(Role.USER, (Text("go"),)),))


def test_a_prompt_without_seals_stays_as_it_is() -> None:
    asked = Prompt((Turn(Role.USER, ()), Turn(Role.ASSISTANT, (Call("c", "f", "{}"),))), dropped=("seed",))
    assert open_seals(asked, Dialect.RESPONSES, CARRIERS) == asked
    assert strip_reasoning(asked) == asked


@pytest.mark.parametrize("ciphertext", ["digest", carried(Seal(SealKind.CIPHERTEXT, "digest"))])
def test_a_sealed_compaction_goes_to_responses_alone(ciphertext: str) -> None:
    part = Compaction(ciphertext)
    assert opened(part, Dialect.RESPONSES) == (Compaction("digest"),)
    for upstream in (Dialect.CHAT, Dialect.MESSAGES):
        assert opened(part, upstream) == ()
        assert open_seals(prompt_of(part, part), upstream, CARRIERS).dropped == ("compaction",)


def test_a_compaction_of_another_hand_is_lost_by_name() -> None:
    part = Compaction(carried(Seal(SealKind.CIPHERTEXT, "digest"), OTHERS))
    assert open_seals(prompt_of(part), Dialect.RESPONSES, CARRIERS).dropped == ("compaction",)


@pytest.mark.parametrize("upstream", Dialect)
def test_a_compaction_in_words_stays(upstream: Dialect) -> None:
    assert opened(Compaction(text="earlier"), upstream) == (Compaction(text="earlier"),)
    assert opened(Compaction("brg1.x", "earlier"), upstream) == (Compaction(text="earlier"),)


def test_stripping_takes_everything_sealed_and_leaves_the_rest() -> None:
    asked = prompt_of(
        Reasoning(("x",), Seal(SealKind.SIGNATURE, "s")), Compaction("digest"), Compaction("digest", "in words")
    )
    stripped = strip_reasoning(asked)
    assert stripped.turns[1].parts == (Compaction(text="in words"), Text("said"))
    assert stripped.dropped == ("compaction",)


def wrapped(events: list[Event], caller: Dialect) -> tuple[list[Event], tuple[str, ...]]:
    wrapper = SealWrapper(caller, CARRIERS)
    return [told for event in events for told in wrapper.feed(event)], wrapper.dropped


def thought(seal: Seal, *growth: Event) -> list[Event]:
    return [
        Started(),
        PartOpened(ReasoningHead()),
        *growth,
        Sealed(seal),
        PartClosed(),
        PartOpened(TextHead()),
        TextGrew("so"),
        PartClosed(),
        Finished(Stop.END),
    ]


@given(kinds, dialects, st.text())
def test_a_seal_comes_back_from_every_caller_as_it_was(kind: SealKind, caller: Dialect, value: str) -> None:
    seal = Seal(kind, value)
    events = thought(seal, TextGrew("hm"))
    told, dropped = wrapped(events, caller)
    assert [event for event in told if not isinstance(event, Sealed)] == [
        event for event in events if not isinstance(event, Sealed)
    ]
    assert dropped == ()
    given_back = next(event.seal for event in told if isinstance(event, Sealed))
    assert is_native(given_back.kind, caller)
    assert is_carrier(given_back.value) == (not is_native(kind, caller) or is_carrier(value))
    home = next(dialect for dialect in Dialect if is_native(kind, dialect))
    if not is_carrier(value):
        assert opened(Reasoning(("hm",), given_back), home) == (Reasoning(("hm",), seal),)


def test_a_seal_too_long_to_travel_is_left_out_by_name_and_its_part_stays_whole() -> None:
    events = thought(Seal(SealKind.CIPHERTEXT, "x" * SIZE_LIMIT))
    told, dropped = wrapped(events, Dialect.MESSAGES)
    assert check(told) == [event for event in events if not isinstance(event, Sealed)]
    assert dropped == ("reasoning",)


def test_a_compactions_ciphertext_stays_as_it_is() -> None:
    events: list[Event] = [
        PartOpened(ReasoningHead()),
        PartClosed(),
        PartOpened(CompactionHead()),
        Sealed(Seal(SealKind.CIPHERTEXT, "digest")),
        PartClosed(),
    ]
    assert wrapped(events, Dialect.MESSAGES) == (events, ())
