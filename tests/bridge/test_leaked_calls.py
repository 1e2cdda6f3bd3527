"""Leaked calls: tool calls that Claude wrote as text become calls, and nothing else does."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.assembly import Reply, ReplyPart, collect
from bridge.events import (
    CallHead,
    Cited,
    Event,
    Failed,
    Finished,
    Head,
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
from bridge.leak_reader import LONGEST_LEAK
from bridge.leak_watch import LONGEST_BLANK
from bridge.leaked_calls import CallRecovery
from bridge.parts import Call, CallKind, Citation, Reasoning, Refusal, Text, TokenChance
from bridge.prompt import Tool
from bridge.tally import Tally
from tests.bridge.grammar import check

TALLY = Tally(input=5, output=7)
SCHEMA: dict[str, Any] = {"type": "object", "properties": {"text": {"type": "string"}, "count": {"type": "integer"}}}
TOOLS = (Tool("Read", schema=SCHEMA), Tool("Write"), Tool("raw", kind=CallKind.CUSTOM))


def invoke(tool: str, prefix: str = "", **values: str) -> str:
    lines = [f'<{prefix}parameter name="{name}">{value}</{prefix}parameter>' for name, value in values.items()]
    return "\n".join([f'<{prefix}invoke name="{tool}">', *lines, f"</{prefix}invoke>"])


def wrapped(*invokes: str, prefix: str = "", lead: str = "\n\ncall\n") -> str:
    return "\n".join([f"{lead}<{prefix}function_calls>", *invokes, f"</{prefix}function_calls>"])


READ = invoke("Read", text="a.txt")
LEAK = wrapped(READ)
CALL = Call("call_7_0", "Read", '{"text":"a.txt"}')


def text_part(*pieces: str) -> list[Event]:
    return [PartOpened(TextHead("final_answer")), *(TextGrew(piece) for piece in pieces), PartClosed()]


def a_reply(*parts: list[Event], stop: Stop = Stop.END) -> list[Event]:
    return [Started(), *(event for part in parts for event in part), Finished(stop, None, TALLY)]


def recovered(events: Iterable[Event], tools: tuple[Tool, ...] = TOOLS) -> list[Event]:
    recovery = CallRecovery(tools, "7")
    return [told for event in events for told in recovery.feed(event)]


def reply_to(*pieces: str) -> Reply:
    return collect(check(recovered(a_reply(text_part(*pieces)))))


def text(words: str) -> Text:
    return Text(words, phase="final_answer")


def said(parts: Iterable[ReplyPart]) -> list[ReplyPart]:
    """The parts with what follows upon each other as text in one."""
    joined: list[ReplyPart] = []
    for part in parts:
        last = joined[-1] if joined else None
        if isinstance(part, Text) and isinstance(last, Text):
            joined[-1] = text(last.text + part.text)
        else:
            joined.append(part)
    return joined


def untouched(words: str) -> bool:
    """Whether a text passes as text, as one piece and as single characters."""
    replies = [reply_to(words), reply_to(*words)]
    return all(reply.parts == (text(words),) and reply.stop is Stop.END for reply in replies)


def cut_at(words: str, places: Iterable[int]) -> list[str]:
    borders = [0, *sorted({place % (len(words) + 1) for place in places}), len(words)]
    return [words[start:end] for start, end in pairwise(borders) if start < end]


borders = st.lists(st.integers(0, 10**6), max_size=12)
# Nearly a leak, but never one: no tag of an invoke is whole.
harmless = st.lists(
    st.sampled_from(
        ["a", " ", "\n", "\n\n", "`", "``", "```", "<", "call\n", "call", "court\n", "<function_calls>", "<function_",
         "</invoke>", "</function_calls>", '<invoke name="', '<invoke name="Read"', "<invoke", ">", "语", "\t"]
    ),
    max_size=14,
).map("".join)  # fmt: skip
# Whole leaks and broken ones, among everything else.
anything = st.lists(
    st.one_of(harmless, st.sampled_from(
        [LEAK, READ, f"\n{READ}", f"\n{READ}\n{READ}", "```", "`", "\n", wrapped(READ, READ, prefix=""), "x",
         invoke("Unknown"), "\n" + invoke("Read", "antml:"), wrapped(invoke("Write", "antml:"), prefix="antml:")]
    )),
    max_size=6,
).map("".join)  # fmt: skip
values = (
    st.lists(st.sampled_from(["a", "\n", " ", "<", "</parameter", "`", '"', "\\", "</invoke>", "语", ">"]), max_size=8)
    .map("".join)
    .filter(lambda value: "</parameter>" not in value)
)
calls = st.lists(
    st.tuples(st.sampled_from(["Read", "Write"]), st.dictionaries(st.sampled_from(["text", "x", "y z"]), values)),
    min_size=1,
    max_size=3,
)


@given(harmless, borders)
def test_text_without_a_leak_passes_whatever_the_borders(words: str, places: list[int]) -> None:
    reply = reply_to(*cut_at(words, places))
    assert reply == Reply((text(words),), Stop.END, None, TALLY)


@given(
    harmless.filter(lambda words: not any(mark in words for mark in ("`", '<invoke name="', "function_calls>"))),
    calls,
    st.sampled_from(["", "antml:"]),
    st.sampled_from(["", "call\n", "court\n", "course\n"]),
    st.booleans(),
    borders,
)
def test_a_leak_becomes_calls_whatever_the_borders(
    before: str, leaked: list[tuple[str, dict[str, str]]], prefix: str, word: str, bare: bool, places: list[int]
) -> None:
    invokes = [invoke(tool, prefix, **values) for tool, values in leaked]
    leak = "\n\n" + word + "\n".join(invokes) if bare else wrapped(*invokes, prefix=prefix, lead=f"\n\n{word}")
    reply = reply_to(*cut_at(before + leak, places))
    told = [part for part in reply.parts if isinstance(part, Call)]
    assert [(call.id, call.name, json.loads(call.arguments)) for call in told] == [
        (f"call_7_{number}", tool, values) for number, (tool, values) in enumerate(leaked)
    ]
    rest = [part.text for part in reply.parts if isinstance(part, Text)]
    assert "".join(rest).rstrip() == before.rstrip()
    assert reply.stop is Stop.CALLS


@given(anything, borders)
def test_the_borders_of_pieces_change_nothing(words: str, places: list[int]) -> None:
    assert said(reply_to(*cut_at(words, places)).parts) == said(reply_to(words).parts)
    assert said(reply_to(*words).parts) == said(reply_to(words).parts)


@given(anything, borders)
def test_nothing_is_lost_but_the_leaks_themselves(words: str, places: list[int]) -> None:
    parts = said(reply_to(*cut_at(words, places)).parts)
    texts = [part.text for part in parts if isinstance(part, Text)]
    made = sum(isinstance(part, Call) for part in parts)
    assert sum(each.count("invoke>") for each in texts) + made == words.count("invoke>")
    assert all(each in words for each in texts)
    assert made or parts == [text(words)]


@pytest.mark.parametrize("place", range(len(LEAK) + 1))
def test_a_leak_is_recovered_when_cut_at_any_place(place: int) -> None:
    reply = reply_to("I look.", LEAK[:place] or "\n", LEAK[place:] or "\n")
    assert reply == Reply((text("I look."), CALL), Stop.CALLS, None, TALLY)


@pytest.mark.parametrize(
    "leak",
    [
        LEAK,
        wrapped(READ, lead=""),
        wrapped(READ, lead="\n"),
        wrapped(READ, lead="\n\ncount\n"),
        f"\n\n{READ}",
        f"\n\ncourt\n{READ}",
        f"\ncourt\n{READ}\n</function_calls>",
        f"\n\n{READ}\n\n ",
        wrapped(invoke("Read", "antml:", text="a.txt"), prefix="antml:"),
        f"\n{invoke('Read', 'antml:', text='a.txt')}",
        LEAK.removesuffix("</function_calls>"),
        LEAK.removesuffix("function_calls>"),
        LEAK.replace("\n<", "<").replace("call<", "\ncall\n<"),
    ],
)
def test_all_shapes_of_a_leak_are_known(leak: str) -> None:
    assert reply_to(leak).parts == (CALL,)
    assert reply_to(*leak).parts == (CALL,)


def test_neither_an_empty_nor_a_blank_part_stands_before_the_calls() -> None:
    assert check(recovered(a_reply(text_part(LEAK)))) == [
        Started(),
        PartOpened(CallHead("call_7_0", "Read")),
        TextGrew('{"text":"a.txt"}'),
        PartClosed(),
        Finished(Stop.CALLS, None, TALLY),
    ]


def test_several_leaks_are_told_in_their_order() -> None:
    second = Call("call_7_1", "Write", '{"x":"1"}')
    write = invoke("Write", x="1")
    assert reply_to(wrapped(READ, write)).parts == (CALL, second)
    assert reply_to(f"\n{READ}\n{write}").parts == (CALL, second)
    assert reply_to(LEAK + wrapped(write)).parts == (CALL, second)
    assert reply_to(LEAK + "\n\nAnd now?" + wrapped(write)).parts == (CALL, text("\n\nAnd now?"), second)


def test_calls_are_numbered_over_all_parts() -> None:
    reply = collect(check(recovered(a_reply(text_part(LEAK), text_part("and"), text_part(LEAK)))))
    assert [part.id for part in reply.parts if isinstance(part, Call)] == ["call_7_0", "call_7_1"]


def test_text_behind_a_leak_follows_as_a_part_of_its_own() -> None:
    assert reply_to("One." + LEAK, "\n\nTwo.\n").parts == (text("One."), CALL, text("\n\nTwo.\n"))
    assert reply_to("One." + LEAK, "\n \n").parts == (text("One."), CALL)
    assert reply_to(f"One.\n{READ} Two.").parts == (text("One."), CALL, text(" Two."))
    assert reply_to(LEAK, "\n\ncall").parts == (CALL, text("\n\ncall"))


@pytest.mark.parametrize(
    "words",
    [
        wrapped(invoke("Unknown", text="a")),
        wrapped(READ, invoke("Unknown", text="a")),
        f"\n{READ}\n{invoke('Unknown')}",
        wrapped(invoke("raw", input="a")),
        wrapped(),
        LEAK.removesuffix("</invoke>\n</function_calls>"),
        LEAK.removesuffix("\n</invoke>\n</function_calls>") + "\n</function_calls>",
        LEAK.replace("</parameter>", ""),
        LEAK.replace("</invoke>", "and</invoke>"),
        LEAK.replace("</function_calls>", "and so on"),
        LEAK.replace("</function_calls>", '<invoke name="Read'),
        f'\n{READ}\n<invoke name="Read">\n<parameter name="text">b.txt',
        wrapped(invoke("Read", "antml:")),
        wrapped(READ.replace("</parameter>", '</parameter><parameter name="text">b</parameter>')),
        LEAK.replace('name="text"', f'name="{"x" * 300}"'),
        LEAK.replace('"Read"', "Read"),
    ],
)  # fmt: skip
def test_what_is_unknown_or_not_whole_stays_text(words: str) -> None:
    assert untouched(words)


def test_behind_a_broken_leak_the_part_is_only_text() -> None:
    nested = invoke("Unknown", text=f"\n{READ}\n")
    assert untouched(f"\n{nested}\n")
    assert untouched(wrapped(invoke("Unknown"), READ) + f"\n{LEAK}")
    reply = collect(check(recovered(a_reply(text_part(wrapped(nested)), text_part(LEAK)))))
    assert reply.parts == (text(wrapped(nested)), CALL)


@pytest.mark.parametrize(
    "words",
    [
        f"```xml\n{READ}\n```",
        f"Like so:\n\n```\n{LEAK}\n\n{READ}\n```\nand so on",
        f"````md\n```\n{READ}\n```\n{READ}\n````",
        f"```py\nx = '```'\n{READ}\n``` no end\n{READ}\n",
        f"So: `\n{READ}` is what",
        f"``\n`\n{READ}``",
        f"`{READ}`",
        f"```\n``\n{READ}\n```",
        f"So: ```\n\n{READ}\n```",
    ],
)
def test_code_in_backticks_is_exempt(words: str) -> None:
    assert untouched(words)


@pytest.mark.parametrize(
    "before",
    [
        "```\ncode\n```",
        "```\ncode\n  ````  ",
        "`code`",
        "```code``` and",
        "``a`b``",
        "It`s so.",
        "`a\n \nb",
        "~~~",
        "a",
    ],
)
def test_a_leak_behind_code_that_has_ended_is_recovered(before: str) -> None:
    for pieces in [(before + LEAK,), tuple(before + LEAK)]:
        first, call = reply_to(*pieces).parts
        assert isinstance(first, Text)
        assert (first.text.rstrip("\n"), call) == (before, CALL)


@pytest.mark.parametrize(
    "words", [f"You write {READ}", f"- {READ}", f"> {READ}", f"a:\n    {READ}", f" {READ}", f"call {READ}"]
)
def test_a_leak_begins_at_the_head_of_a_line(words: str) -> None:
    assert untouched(words)


def test_a_word_is_only_part_of_a_leak_right_before_it() -> None:
    assert reply_to(f"call\ncall\n{READ}").parts == (text("call\n"), CALL)
    assert reply_to(f"call\n\n{READ}").parts == (text("call\n"), CALL)
    assert reply_to(f"recall\n{READ}").parts == (text("recall"), CALL)
    assert reply_to(f"call\n<invoker\n{READ}").parts == (text("call\n<invoker"), CALL)


def test_parameters_are_of_the_type_that_the_tool_declares() -> None:
    [call] = reply_to(wrapped(invoke("Read", text="12", count="12"))).parts
    assert call == Call("call_7_0", "Read", '{"text":"12","count":12}')


def test_a_call_without_parameters_has_an_empty_object() -> None:
    assert reply_to(wrapped('<invoke name="Read"></invoke>')).parts == (Call("call_7_0", "Read", "{}"),)


@pytest.mark.parametrize("size", [1, 1000, 10**6])
def test_a_leak_may_be_just_so_long(size: int) -> None:
    def leak(length: int) -> str:
        return wrapped(invoke("Write", x="a" * length), lead="")

    fits = LONGEST_LEAK - (len(leak(0)) - len("<function_calls>"))
    assert isinstance(reply_to(*pieces_of(leak(fits), size)).parts[0], Call)
    assert reply_to(*pieces_of(leak(fits + 1), size)).parts == (text(leak(fits + 1)),)


@pytest.mark.parametrize("size", [1, 500, 10**6])
def test_blanks_before_a_leak_are_held_back_within_limits(size: int) -> None:
    many = "\n" * 10_000
    recovery = CallRecovery(TOOLS, "7")
    recovery.feed(PartOpened(TextHead()))
    told = "".join(words_of(told for piece in pieces_of(many, size) for told in recovery.feed(TextGrew(piece))))
    assert len(many) - len(told) <= LONGEST_BLANK
    first, call = reply_to(*pieces_of(f"a{many}{READ}", size)).parts
    assert isinstance(first, Text)
    assert first.text.rstrip("\n") == "a"
    assert call == CALL


def test_never_more_is_held_back_than_64_ki_characters() -> None:
    words = "\n" * 1000 + '<invoke name="Write">\n<parameter name="x">' + "语\n" * 50_000
    recovery = CallRecovery(TOOLS, "7")
    recovery.feed(PartOpened(TextHead()))
    given = told = most = 0
    for piece in pieces_of(words, 7):
        given += len(piece)
        told += sum(map(len, words_of(recovery.feed(TextGrew(piece)))))
        most = max(most, given - told)
    assert LONGEST_LEAK < most <= 64 * 1024
    assert told == given


@given(harmless)
def test_only_what_may_be_a_beginning_is_held_back(words: str) -> None:
    recovery = CallRecovery(TOOLS, "7")
    recovery.feed(PartOpened(TextHead()))
    told = "".join(words_of(told for letter in words for told in recovery.feed(TextGrew(letter))))
    held = words[len(told) :]
    assert words.startswith(told)
    assert not held or held[0].isspace() or held[0] in "<c"
    assert not held or not told or held[0] == "\n" or told.endswith("\n")


def test_prose_goes_out_at_once() -> None:
    recovery = CallRecovery(TOOLS, "7")
    assert recovery.feed(PartOpened(TextHead())) == []
    assert recovery.feed(TextGrew("Hello")) == [PartOpened(TextHead()), TextGrew("Hello")]
    assert recovery.feed(TextGrew(" <invoke> world\n")) == [TextGrew(" <invoke> world")]
    assert recovery.feed(TextGrew("on and")) == [TextGrew("\non and")]
    assert recovery.feed(PartClosed()) == [PartClosed()]


def test_an_empty_part_stays_one() -> None:
    assert recovered(a_reply(text_part())) == a_reply(text_part())


def test_a_word_at_the_very_end_is_told() -> None:
    assert untouched("Give me a\ncall")
    assert untouched("call\n")


@pytest.mark.parametrize("stop", [stop for stop in Stop if stop is not Stop.END])
def test_other_reasons_to_stop_stay_as_they_are(stop: Stop) -> None:
    reply = collect(recovered(a_reply(text_part(LEAK), stop=stop)))
    assert (reply.parts, reply.stop, reply.tally) == ((CALL,), stop, TALLY)


def test_only_text_parts_are_looked_at() -> None:
    heads: list[Head] = [ReasoningHead(), RefusalHead(), CallHead("c", "Read")]
    parts: list[list[Event]] = [[PartOpened(head), TextGrew(LEAK), PartClosed()] for head in heads]
    events = a_reply(*parts)
    assert recovered(events) == events
    assert collect(events).parts == (Reasoning((LEAK,)), Refusal(LEAK), Call("c", "Read", LEAK))


def test_without_tools_nothing_is_held_back() -> None:
    events = a_reply(text_part("a\n", LEAK))
    assert recovered(events, ()) == events


def test_a_failure_releases_what_is_held_back() -> None:
    begun: list[Event] = [Started(), PartOpened(TextHead()), TextGrew("a\n\n"), TextGrew(READ)]
    assert check(recovered([*begun, Failed("gone")])) == [
        Started(),
        PartOpened(TextHead()),
        TextGrew("a"),
        TextGrew(f"\n\n{READ}"),
        Failed("gone"),
    ]


def test_what_is_said_about_text_keeps_its_place() -> None:
    chance, citation = Weighed((TokenChance("a", -1.0),)), Cited(Citation("https://a.example"))
    events: list[Event] = [
        Started(),
        PartOpened(TextHead()),
        citation,
        TextGrew("a"),
        chance,
        TextGrew("\n"),
        chance,
        TextGrew("call\n"),
        citation,
        TextGrew("<b>"),
        chance,
        PartClosed(),
        Finished(Stop.END),
    ]
    assert check(recovered(events)) == events


def test_citations_before_a_leak_are_told_before_the_calls() -> None:
    near, far = Citation("https://a.example", start=0, end=2), Citation("https://b.example", start=0, end=30)
    growth: list[Event] = [TextGrew(f"So.\n{READ}"), Cited(near), Cited(far), Weighed((TokenChance("x", -1.0),))]
    events = check(recovered(a_reply([PartOpened(TextHead()), *growth, PartClosed()])))
    assert collect(events).parts == (Text("So.", (near,)), CALL)


def test_citations_behind_a_leak_count_in_the_part_they_stand_in() -> None:
    before = len(f"\n{READ}\n</function_calls>")
    late, early = (
        Citation("https://a.example", start=before + 1, end=before + 4),
        Citation("https://b.example", start=0, end=2),
    )
    growth: list[Event] = [TextGrew(f"\n{READ}\n</function_calls>"), Cited(early), TextGrew("\nYes."), Cited(late)]
    events = check(recovered(a_reply([PartOpened(TextHead()), *growth, PartClosed()])))
    without_place = Citation("https://b.example")
    assert collect(events).parts == (
        CALL,
        Text("\nYes.", (without_place, Citation("https://a.example", start=1, end=4))),
    )


def pieces_of(words: str, size: int) -> list[str]:
    return [words[at : at + size] for at in range(0, len(words), size)]


def words_of(events: Iterable[Event]) -> Iterator[str]:
    return (event.text for event in events if isinstance(event, TextGrew))
