"""What is written for the upstream reads back as the same Prompt, and is of this format whatever the Prompt."""

from __future__ import annotations

import base64
import json
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.formats.chat import read_request, write_request
from bridge.formats.chat.verbatim import open_request
from bridge.parts import (
    Cache,
    Call,
    CallKind,
    Compaction,
    Document,
    Image,
    Part,
    Reasoning,
    Refusal,
    Result,
    Seal,
    SealKind,
    Search,
    Text,
)
from bridge.prompt import (
    Choice,
    OutputWish,
    Prompt,
    ReasoningWish,
    Role,
    Sampling,
    Tool,
    ToolChoice,
    Turn,
)
from bridge.target import Target
from tests.bridge.formats.chat.test_write_request import CLAUDE, GPT, REASONING

_words = st.text(alphabet=st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)
_names = st.from_regex(r"[a-zA-Z_][a-zA-Z0-9_-]{0,12}", fullmatch=True)
_texts = st.builds(Text, _words)
_base64 = st.binary(min_size=1, max_size=6).map(lambda data: base64.b64encode(data).decode())
_images = st.builds(
    Image, media_type=st.just("image/png"), data=_base64, detail=st.sampled_from(["", "low"])
) | st.builds(Image, url=st.just("https://images.example/a.png"))
_calls = st.builds(Call, id=_names, name=_names, arguments=_words)
_results = st.builds(
    Result, call_id=_names, parts=st.lists(_texts, max_size=3).map(tuple), cache=st.sampled_from([None, Cache.USUAL])
)
_seals = st.builds(Seal, st.just(SealKind.OPAQUE), _words)
_thoughts = st.builds(Reasoning, st.lists(_words, max_size=1).map(tuple), _seals)


def _said(parts: tuple[list[Reasoning], list[Text], list[Refusal], list[Call]]) -> tuple[Part, ...]:
    return tuple(part for kind in parts for part in kind)


_assistant = st.tuples(
    st.lists(_thoughts, max_size=1),
    st.lists(_texts, max_size=1),
    st.lists(st.builds(Refusal, _words), max_size=1),
    st.lists(_calls, max_size=3),
).filter(lambda parts: any(parts[1:]))
_cached = st.lists(_texts, max_size=2).flatmap(
    lambda texts: _words.map(lambda word: (*texts, Text(word, cache=Cache.USUAL)))
)
_user_turns = (st.lists(_texts | _images, min_size=1, max_size=3).map(tuple) | _cached).map(
    lambda p: Turn(Role.USER, p)
)
_other_turns = st.one_of(
    _assistant.map(lambda parts: Turn(Role.ASSISTANT, _said(parts))),
    st.lists(_results, min_size=1, max_size=3).map(lambda parts: Turn(Role.USER, tuple(parts))),
    _texts.map(lambda text: Turn(Role.SYSTEM, (text,))),
)


def _apart(turns: list[Turn]) -> list[Turn]:
    """Results in a row are one turn in this format, so two such turns never meet."""
    kept: list[Turn] = []
    for turn in turns:
        if not (kept and isinstance(turn.parts[0], Result) and isinstance(kept[-1].parts[0], Result)):
            kept.append(turn)
    return kept


_schemas = st.sampled_from([None, {}, {"type": "object", "properties": {"x": {"type": "string"}}}])
_tools = st.builds(
    Tool, name=_names, description=st.none() | st.text(max_size=5), schema=_schemas, strict=st.none() | st.booleans()
)
_choices = st.none() | st.sampled_from([Choice.AUTO, Choice.NONE, Choice.REQUIRED]).map(ToolChoice)
_choices |= _names.map(lambda name: ToolChoice(Choice.NAMED, name))
_numbers = st.none() | st.integers(0, 2) | st.floats(0, 2)
_offers = st.tuples(st.just(()), st.none(), st.none()) | st.tuples(
    st.lists(_tools, min_size=1, max_size=3).map(tuple), _choices, st.none() | st.booleans()
)
_systems = st.tuples() | st.tuples(_texts) | st.tuples(st.builds(Text, _words, cache=st.just(Cache.USUAL)), _texts)
_outputs = (
    st.none()
    | st.just(OutputWish())
    | st.builds(OutputWish, st.just({"type": "object"}), _names, st.text(max_size=5), st.none() | st.booleans())
)


@st.composite
def prompts(draw: st.DrawFn) -> Prompt:
    """Prompts that this format can say to an OpenAI model, in the form in which it says them."""
    tools, choice, parallel = draw(_offers)
    return Prompt(
        turns=(draw(_user_turns), *_apart(draw(st.lists(_other_turns | _user_turns, max_size=5)))),
        system=draw(_systems),
        tools=tools,
        tool_choice=choice,
        parallel_calls=parallel,
        max_output=draw(st.none() | st.integers(1, 16384)),
        sampling=Sampling(
            temperature=draw(_numbers),
            top_p=draw(_numbers),
            presence_penalty=draw(_numbers),
            frequency_penalty=draw(_numbers),
            seed=draw(st.none() | st.integers(-(2**40), 2**40)),
            logit_bias=draw(st.none() | st.just({"7": -100.0})),
        ),
        stop=tuple(draw(st.lists(_words, max_size=4))),
        reasoning=ReasoningWish(effort=draw(st.sampled_from(["", "low", "high"]))),
        output=draw(_outputs),
        verbosity=draw(st.sampled_from(["", "low"])),
        top_logprobs=draw(st.none() | st.integers(0, 5)),
        cache_key=draw(st.sampled_from(["", "k"])),
    )


@settings(max_examples=200, deadline=None)
@given(prompts())
def test_what_is_written_is_read_back_as_the_same_prompt(prompt: Prompt) -> None:
    target = replace(GPT, efforts=("low", "high"))
    result = write_request(prompt, target)
    assert result.dropped == ()
    assert read_request(open_request(result.body)) == prompt


_any_parts = st.one_of(
    _texts,
    _images,
    _calls,
    _results,
    _thoughts,
    st.builds(Refusal, _words),
    st.builds(Document, text=_words | st.just(""), title=_words | st.just("")),
    st.builds(Search, id=_names, query=_words | st.just("")),
    st.builds(Compaction, st.just("c") | st.just(""), _words | st.just("")),
    st.builds(Call, id=_names, name=_names, arguments=_words, kind=st.just(CallKind.CUSTOM)),
)


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.builds(Turn, st.sampled_from(Role), st.lists(_any_parts, max_size=4).map(tuple)), max_size=4),
    st.sampled_from([GPT, REASONING, CLAUDE, Target("kimi-k3", family="kimi-k3"), replace(GPT, max_images=1)]),
)
def test_whatever_a_prompt_holds_the_messages_are_of_this_format(turns: list[Turn], target: Target) -> None:
    sent = json.loads(write_request(Prompt(tuple(turns)), target).body)["messages"]
    for message in sent:
        assert message["role"] in {"system", "user", "assistant", "tool"}
        assert message["content"] is not None or message["role"] == "assistant"
        assert message["content"] != []
        assert (message["role"] == "tool") == ("tool_call_id" in message)
