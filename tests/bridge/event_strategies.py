"""Replies made up by hypothesis, restricted to what a dialect can say, and told as grammatical events.

`replies(dialect)` draws replies in the dialect's normal form: writing one and reading it back gives it again, but for
what `normal` takes away. `streams(dialect)` draws the events of such a reply, its texts cut into pieces.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import assert_never

from hypothesis import strategies as st

from bridge.assembly import Reply, ReplyPart, events_of
from bridge.dialect import Dialect
from bridge.events import (
    Event,
    Started,
    Stop,
    TextGrew,
    Weighed,
)
from bridge.parts import (
    NATIVE_SEAL,
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

# What has broken readers: line ends of other alphabets, halves and pairs, JSON's and SSE's own signs, control signs.
_AWKWARD = (
    "\u2028",
    "\u2029",
    "\x85",
    "\r",
    "\n\n",
    "\r\n\r\n",
    "\x00",
    "\x7f",
    '"',
    "\\",
    "\\u0041",
    "\\ud83d",
    "😀",
    "👩‍👩‍👧",
    "é",
    "ﷺ",
    "[DONE]",
    "data: {}\n\n",
    "event: error\n",
    ": ",
    '"usage":{',
    '"error"',
    '"finish_reason":"stop"',
    '"tool_calls"',
    "\ufeff",
    "\ufffd",
    " ",
)
_signs = st.characters(exclude_categories=["Cs"])
_pieces = st.one_of(st.sampled_from(_AWKWARD), st.text(_signs, min_size=1, max_size=12))
texts = st.lists(_pieces, min_size=1, max_size=5).map("".join)
maybe_empty = st.one_of(st.just(""), texts)
_names = st.from_regex(r"[a-zA-Z0-9_-]{1,40}", fullmatch=True)
_urls = st.builds("https://example.test/{}".format, st.text("abcdefgh/?&=%-\u00e9", max_size=12))
_json_leaves = st.one_of(st.none(), st.booleans(), st.integers(-(2**53), 2**53), maybe_empty)
_json_values = st.recursive(
    _json_leaves,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(maybe_empty, inner, max_size=3)),
    max_leaves=6,
)
_arguments = st.builds(
    json.dumps, st.dictionaries(maybe_empty, _json_values, max_size=4), ensure_ascii=st.booleans(), indent=st.none()
)


def replies(dialect: Dialect) -> st.SearchStrategy[Reply]:
    """Replies that the dialect can say, in normal form."""
    return _replies(dialect)


@st.composite
def streams(draw: st.DrawFn, dialect: Dialect) -> list[Event]:
    """The events of such a reply: texts in pieces, log probabilities between them."""
    reply = draw(replies(dialect))
    events: list[Event] = [Started(draw(st.one_of(st.none(), _tallies(dialect))))]
    first_piece = 0
    for event in list(events_of(reply))[1:]:
        match event:
            case TextGrew(text):
                first_piece = len(events) + 1
                events += [TextGrew(piece) for piece in draw(_cut(text))]
            case Weighed(chances):
                place = draw(st.integers(0, len(chances)))
                events += [Weighed(chances[place:])] if place < len(chances) else []
                events[first_piece:first_piece] = [Weighed(chances[:place])] if place else []
            case _:
                events.append(event)
    return events


def normal(reply: Reply, dialect: Dialect) -> Reply:
    """What of a reply must come through: without parts that say nothing, and without ids that the writer makes anew."""
    parts = [_normal_part(part, dialect) for part in reply.parts]
    return replace(reply, parts=tuple(part for part in parts if not _says_nothing(part)))


def as_one_message(reply: Reply) -> Reply:
    """What Chat's unstreamed answer can say of a reply: one part of each kind, in its order, and all calls."""
    firsts = [
        next((part for part in reply.parts if isinstance(part, kind)), None) for kind in (Reasoning, Text, Refusal)
    ]
    calls = [part for part in reply.parts if isinstance(part, Call)]
    return replace(reply, parts=(*(part for part in firsts if part is not None), *calls))


@st.composite
def _replies(draw: st.DrawFn, dialect: Dialect) -> Reply:
    parts = _numbered(_told_apart(draw(st.lists(_parts(dialect), max_size=5)), dialect))
    has_calls = any(isinstance(part, Call) for part in parts)
    stop = draw(st.sampled_from(_stops(dialect, has_calls=has_calls)))
    sequence = draw(st.one_of(st.none(), texts)) if stop is Stop.SEQUENCE else None
    return Reply(tuple(parts), stop, sequence, draw(_tallies(dialect)))


def _parts(dialect: Dialect) -> st.SearchStrategy[ReplyPart]:
    kinds: list[st.SearchStrategy[ReplyPart]] = [_texts(dialect), _reasoning(dialect), _calls(dialect)]
    if dialect is not Dialect.MESSAGES:  # there the model's own words for a refusal are text
        kinds.append(st.builds(Refusal, texts if dialect is Dialect.CHAT else maybe_empty))
    if dialect is not Dialect.CHAT:
        titles = maybe_empty if dialect is Dialect.MESSAGES else st.just("")
        sources = st.lists(st.builds(Source, _urls, titles), max_size=3).map(tuple)
        kinds.append(st.builds(Search, st.just("search"), maybe_empty, sources))
    match dialect:
        case Dialect.RESPONSES:
            kinds.append(st.builds(Compaction, ciphertext=texts))
        case Dialect.MESSAGES:
            kinds.append(st.builds(Compaction, text=texts))
        case Dialect.CHAT:
            pass
        case _:
            assert_never(dialect)
    return st.one_of(kinds)


@st.composite
def _texts(draw: st.DrawFn, dialect: Dialect) -> Text:
    text = draw(texts if dialect is Dialect.CHAT else maybe_empty)
    phase = draw(st.sampled_from(["", "commentary", "final_answer"])) if dialect is Dialect.RESPONSES else ""
    citations = draw(st.lists(_citations(dialect, len(text)), max_size=2)) if text else []
    can_weigh = text and dialect is not Dialect.MESSAGES
    chances = draw(st.lists(_chances(dialect), max_size=3)) if can_weigh else []
    return Text(text, tuple(citations), tuple(chances), phase)


def _chances(dialect: Dialect) -> st.SearchStrategy[TokenChance]:
    """Responses always tells the bytes of a token, which are those of its text; Chat may leave them out."""
    octets = st.one_of(st.none(), st.lists(st.integers(0, 255), max_size=4).map(tuple))
    plain = st.builds(TokenChance, maybe_empty, st.floats(-100, 0), octets)
    if dialect is Dialect.RESPONSES:
        plain = plain.map(lambda chance: TokenChance(chance.token, chance.logprob, tuple(chance.token.encode())))
    others = st.lists(plain, max_size=2).map(tuple)
    return st.builds(lambda one, top: TokenChance(one.token, one.logprob, one.bytes, top), plain, others)


def _citations(dialect: Dialect, length: int) -> st.SearchStrategy[Citation]:
    """Anthropic's citations tell the words that are cited, OpenAI's the place in the text."""
    if dialect is Dialect.MESSAGES:
        return st.builds(Citation, _urls, maybe_empty, quote=maybe_empty)
    places = st.tuples(st.integers(0, length), st.integers(0, length)).map(sorted)
    return st.builds(lambda url, title, place: Citation(url, title, place[0], place[1]), _urls, maybe_empty, places)


@st.composite
def _reasoning(draw: st.DrawFn, dialect: Dialect) -> Reasoning:
    sections: tuple[str, ...] = tuple(draw(st.lists(texts, max_size=3 if dialect is Dialect.RESPONSES else 1)))
    seal = draw(st.one_of(st.none(), texts.map(lambda value: Seal(NATIVE_SEAL[dialect], value))))
    if dialect is Dialect.MESSAGES and draw(st.integers(0, 4)) == 0:
        return Reasoning((), Seal(SealKind.REDACTED, draw(texts)))
    return Reasoning(sections, seal)


@st.composite
def _calls(draw: st.DrawFn, dialect: Dialect) -> Call:
    kinds = [CallKind.FUNCTION] if dialect is Dialect.MESSAGES else list(CallKind)
    kind = draw(st.sampled_from(kinds))
    namespace = draw(st.one_of(st.just(""), _names)) if dialect is Dialect.RESPONSES else ""
    return Call("call", draw(_names), draw(_arguments if kind is CallKind.FUNCTION else maybe_empty), kind, namespace)


def _stops(dialect: Dialect, *, has_calls: bool) -> list[Stop]:
    usual = [Stop.CALLS if has_calls else Stop.END, Stop.LENGTH, Stop.FILTER]
    return [*usual, Stop.SEQUENCE, Stop.PAUSE, Stop.CONTEXT] if dialect is Dialect.MESSAGES else usual


@st.composite
def _tallies(draw: st.DrawFn, dialect: Dialect) -> Tally:
    counts = st.integers(0, 10**6)
    fresh, cached, output = draw(counts) + 1, draw(counts), draw(counts) + 1
    is_messages = dialect is Dialect.MESSAGES
    written = draw(counts) if is_messages else 0
    return Tally(fresh, cached, written, output, 0 if is_messages else draw(st.integers(0, output)))


def _told_apart(parts: list[ReplyPart], dialect: Dialect) -> list[ReplyPart]:
    """In Chat two neighbours of one kind are one: nothing says where the first ends."""
    if dialect is Dialect.MESSAGES:
        return _not_ending_in_a_seal(parts)
    if dialect is Dialect.RESPONSES:
        return parts
    saying = [part for part in parts if not _says_nothing(part)]
    return [
        part
        for index, part in enumerate(saying)
        if index == 0 or isinstance(part, Call) or type(saying[index - 1]) is not type(part)
    ]


def _not_ending_in_a_seal(parts: list[ReplyPart]) -> list[ReplyPart]:
    """Quirk messages-last-block: a seal without words is not written behind everything else."""
    while len(parts) > 1 and isinstance(last := parts[-1], Reasoning) and not any(last.sections):
        parts = parts[:-1]
    return parts


def _numbered(parts: list[ReplyPart]) -> list[ReplyPart]:
    """Calls, searches and seals made unlike each other, as real ones are."""
    numbered: list[ReplyPart] = []
    for number, part in enumerate(parts):
        match part:
            case Call(_, name, arguments, kind, namespace):
                numbered.append(Call(f"call_{number}", name, arguments, kind, namespace))
            case Search(_, query, sources):
                numbered.append(Search(f"srvtoolu_{number}", query, sources))
            case Reasoning(sections, Seal(kind=seal_kind, value=value)):
                numbered.append(Reasoning(sections, Seal(seal_kind, f"{value}{number}")))
            case _:
                numbered.append(part)
    return numbered


def _normal_part(part: ReplyPart, dialect: Dialect) -> ReplyPart:
    match part:
        case Search(_, query, sources):
            return Search("", query, sources)
        case Call(call_id, name, arguments, CallKind.FUNCTION, namespace) if dialect is Dialect.MESSAGES:
            # A whole answer holds the object itself, not the text the model wrote.
            told = json.dumps(json.loads(arguments or "{}"), sort_keys=True)
            return Call(call_id, name, told, CallKind.FUNCTION, namespace)
        case _:
            return part


def _says_nothing(part: ReplyPart) -> bool:
    match part:
        case Text(text) | Refusal(text):
            return not text
        case Reasoning(sections, seal):
            return not any(sections) and seal is None
        case Compaction(ciphertext, text):
            return not ciphertext and not text
        case Call() | Search():
            return False
        case _:
            assert_never(part)


def _cut(text: str) -> st.SearchStrategy[list[str]]:
    places = st.lists(st.integers(0, len(text)), max_size=4).map(sorted)
    return places.map(
        lambda cuts: [text[start:end] for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True) if start < end]
    )
