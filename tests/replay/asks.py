"""What is asked in a replay: request number N of a seed is the same in every run.

Every request carries its number three times, so that nothing has to be guessed afterwards: in its text, which reaches
the upstream whatever format it is translated to; in the program name, which stands in the ledger row; and through the
request id of its answer. What the upstream is to do wrong stands in the text as well, in the simulator's own words.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import lru_cache
from types import MappingProxyType
from typing import Any

from tests.replay.bodies import PATHS, Wish, body_of, embeddings
from tests.replay.cast import BUDGETED, FEW_DOORS, FEW_MODELS, HURRIED, ORDINARY, SPENT, TIRED

# By the one upstream format that each of them has.
MODELS: Mapping[str, tuple[str, ...]] = MappingProxyType({
    "chat": ("gemini-3.8-flash", "gpt-4.1", "kimi-k3"),
    "responses": ("gpt-6-luna", "gpt-5.3-codex", "gpt-5.5"),
    "messages": ("claude-opus-5.5",),
})  # fmt: skip
EITHER = ("claude-sonnet-5", "gpt-5.4", "claude-haiku-5.5")
SEEING = ("gemini-3.8-flash", "gpt-4.1", "gpt-6-luna", "claude-opus-5.5")
EMBEDDING = "text-embedding-3-small"
DOORS = ("chat", "responses", "messages")
# One answer at the budgeted key, as the simulator is told to count it: 1000 tokens in, 500 out, gpt-4.1's prices.
BUDGETED_MODEL = "gpt-4.1"
BUDGETED_NANO = 1000 * 200_000 + 500 * 800_000
_SYSTEM = "You are a careful engineer who explains every step before it is taken. " * 90
_TOPICS = ("the tides", "a binary heap", "Go channels", "tea", "B-trees", "the moon", "sorting", "rivers", "中文分词")
_MARK = re.compile(rb"#r(\d{6})#")


class Kind(StrEnum):
    """What is special about a request. The first group is to be answered in full, unless its key is limited."""

    PLAIN = "plain"
    PACED = "paced"
    TOOLS = "tools"
    IMAGE = "image"
    CACHED = "cached"
    CLAIMED = "claimed"  # token counts of every size, cached and written ones among them
    EMBEDDED = "embedded"
    RETRIED = "retried"
    REPAIRED = "repaired"

    FILTERED = "filtered"
    LEFT_EARLY = "left early"  # by the client, before a first byte
    LEFT = "left"  # by the client, anywhere
    BROKEN = "broken"
    FAILING = "failing"  # however often it is tried
    LIMITED = "limited"
    SPENT = "spent"
    UNKNOWN_MODEL = "unknown model"
    BAD_BODY = "bad body"
    WRONG_DOOR = "wrong door"
    WRONG_MODEL = "wrong model"
    HURRIED = "hurried"
    BUDGETED = "budgeted"

    @property
    def is_answered(self) -> bool:
        return self in _ANSWERED


_ANSWERED = frozenset(list(Kind)[: list(Kind).index(Kind.FILTERED)])
WEIGHTS: Mapping[Kind, int] = MappingProxyType({
    Kind.PLAIN: 300, Kind.PACED: 90, Kind.TOOLS: 80, Kind.IMAGE: 20, Kind.CACHED: 60, Kind.CLAIMED: 80,
    Kind.EMBEDDED: 40, Kind.RETRIED: 40, Kind.REPAIRED: 20, Kind.FILTERED: 12, Kind.LEFT_EARLY: 30, Kind.LEFT: 70,
    Kind.BROKEN: 50, Kind.FAILING: 6, Kind.LIMITED: 8, Kind.SPENT: 6, Kind.UNKNOWN_MODEL: 10, Kind.BAD_BODY: 12,
    Kind.WRONG_DOOR: 8, Kind.WRONG_MODEL: 8, Kind.HURRIED: 10, Kind.BUDGETED: 40,
})  # fmt: skip
_RETRIED: tuple[dict[str, Any], ...] = (
    {"fault": "status", "status": 500},
    {"fault": "status", "status": 502, "body": "plain"},
    {"fault": "status", "status": 503},
    {"fault": "html_502"},
    {"fault": "reset_before_headers"},
    {"fault": "reset_after_headers"},
)
_BROKEN = ("cut", "clean_eof", "hang_up", "error_event", "failed")
_BILLS = ("sent", "whole", "nothing")


@dataclass(frozen=True, slots=True)
class Leave:
    """When the client goes away: after so many seconds or packets, whichever is set."""

    seconds: float | None = None
    packets: int | None = None


@dataclass(frozen=True, slots=True)
class Ask:
    number: int
    kind: Kind
    key: str
    door: str
    model: str
    streamed: bool
    body: bytes
    conversation: str
    leave: Leave | None = None

    @property
    def path(self) -> str:
        return PATHS[self.door]

    @property
    def program(self) -> str:
        """The `User-Agent`; `number_in_program` reads the number back."""
        return f"replay-{'agent' if 'agent' in self.key else 'laptop'}/1.0 r{self.number:06d}"


def asks(seed: str, count: int) -> Iterator[Ask]:
    return (drawn(seed, number) for number in range(count))


def drawn(seed: str, number: int) -> Ask:
    """The request of that number."""
    dice = random.Random(f"{seed}/{number}")
    kind = _kind_of(seed, number)
    key = _KEYS_OF.get(kind) or dice.choice(ORDINARY).name
    door = _door(kind, dice)
    model = _model(kind, dice)
    leave = None
    wishes: dict[str, Any] = {"delay_ms": dice.choice((0, 0, 1, 3)), **_wishes(kind, dice, number)}
    text = f"Tell me about {dice.choice(_TOPICS)}. {mark(number)}"
    wish = Wish(model, "", dice.random() < 0.6)
    if kind in (Kind.LEFT, Kind.LEFT_EARLY):
        leave = _leave(kind, dice, wishes)
    wish = replace(_dressed(kind, dice, wish), text=f"{text} @sim{json.dumps(wishes)}")
    if kind is Kind.EMBEDDED:
        body, streamed = embeddings(EMBEDDING, _texts(dice, wish.text)), False
    else:
        body, streamed = body_of(door, wish), wish.streamed
    raw = _spoilt(dice, body) if kind is Kind.BAD_BODY else json.dumps(body).encode()
    return Ask(number, kind, key, door, model, streamed, raw, f"{key}-{dice.randrange(12)}", leave)


def mark(number: int) -> str:
    return f"#r{number:06d}#"


def number_in_body(body: bytes) -> int | None:
    """The request's number as it stands in what the upstream got."""
    found = _MARK.search(body)
    return int(found[1]) if found else None


def number_in_program(program: str) -> int | None:
    name, _, number = program.rpartition(" r")
    return int(number) if name.startswith("replay-") and number.isdigit() else None


def _kind_of(seed: str, number: int) -> Kind:
    """Kinds come in shuffled decks, so that a thousand requests in a row hold every kind by its weight."""
    deck, place = divmod(number, sum(WEIGHTS.values()))
    return _deck(seed, deck)[place]


@lru_cache(maxsize=16)
def _deck(seed: str, deck: int) -> tuple[Kind, ...]:
    cards = [kind for kind, weight in WEIGHTS.items() for _ in range(weight)]
    random.Random(f"{seed}/deck/{deck}").shuffle(cards)
    return tuple(cards)


_KEYS_OF: Mapping[Kind, str] = MappingProxyType({
    Kind.LIMITED: TIRED.name, Kind.SPENT: SPENT.name, Kind.WRONG_DOOR: FEW_DOORS.name,
    Kind.WRONG_MODEL: FEW_MODELS.name, Kind.HURRIED: HURRIED.name, Kind.BUDGETED: BUDGETED.name,
})  # fmt: skip


def _door(kind: Kind, dice: random.Random) -> str:
    if kind is Kind.EMBEDDED:
        return "embeddings"
    return dice.choice(DOORS[1:] if kind is Kind.WRONG_DOOR else DOORS)


def _model(kind: Kind, dice: random.Random) -> str:
    match kind:
        case Kind.EMBEDDED:
            return EMBEDDING
        case Kind.BUDGETED:
            return BUDGETED_MODEL
        case Kind.UNKNOWN_MODEL:
            return f"gpt-99-{dice.choice(('sun', 'moon'))}"
        case Kind.WRONG_MODEL:
            return "claude-sonnet-5"
        case Kind.IMAGE:
            return dice.choice(SEEING)
        case _ if dice.random() < 0.1:
            return dice.choice(EITHER)
        case _:
            return dice.choice(MODELS[dice.choice(DOORS)])


def _wishes(kind: Kind, dice: random.Random, number: int) -> dict[str, Any]:
    """The scenario; faults that strike a number of times carry the request's own mark, and so are counted apart."""
    own = {"message": f"simulated {mark(number)}"}
    match kind:
        case Kind.PACED:
            return {"delay_ms": dice.randrange(10, 40), "chunks": dice.randrange(5, 25)}
        case Kind.TOOLS:
            return {"call": "get_weather"} if dice.random() < 0.6 else {}
        case Kind.CLAIMED:
            return {"tokens": _claimed(dice)}
        case Kind.RETRIED:
            return {**dice.choice(_RETRIED), **own, "fail_times": dice.choice((1, 1, 2))}
        case Kind.REPAIRED:
            told = f"The encrypted content for item rs_1 could not be verified. {mark(number)}"
            return {"fault": "status", "status": 400, "message": told, "fail_times": 1}
        case Kind.FILTERED:
            return {"content_filter": True}
        case Kind.BROKEN:
            after, bill = dice.randrange(6), dice.choice(_BILLS)
            return {"fault": dice.choice(_BROKEN), "after": after, "chunks": 8, "broken_bill": bill, **own}
        case Kind.FAILING:
            return {**dice.choice(_RETRIED[:3]), **own}
        case Kind.LIMITED:
            return {"fault": "status", "status": 429, "retry_after": "1", **own} if dice.random() < 0.5 else {}
        case Kind.SPENT:
            return {"fault": "status", "status": 402, **own}
        case Kind.BUDGETED:
            return {"tokens": {"input": 1000, "cached": 0, "cache_write": 0, "output": 500}, "delay_ms": 5}
        case _:
            return {}


def _claimed(dice: random.Random) -> dict[str, int]:
    """Numbers of every magnitude, on both sides of the tiers and with odd remains."""
    total = dice.choice((1, 7, 999, 99_999, 100_000, 100_001, 199_999, 272_000, 272_001, 400_000)) + dice.randrange(3)
    cached = dice.randrange(total + 1) if dice.random() < 0.7 else 0
    written = dice.randrange(total - cached + 1) if dice.random() < 0.4 else 0
    return {"input": total, "cached": cached, "cache_write": written, "output": dice.randrange(5000)}


def _leave(kind: Kind, dice: random.Random, wishes: dict[str, Any]) -> Leave:
    wishes["broken_bill"] = dice.choice(_BILLS)
    if kind is Kind.LEFT_EARLY:
        wishes["ttft_ms"] = dice.randrange(300, 900)
        return Leave(seconds=dice.random() * 0.4)
    wishes |= {"chunks": 20, "delay_ms": dice.randrange(5, 30), "ttft_ms": dice.randrange(30)}
    if dice.random() < 0.5:
        return Leave(seconds=dice.random() * 0.7)
    return Leave(packets=dice.randrange(1, 25))


def _dressed(kind: Kind, dice: random.Random, wish: Wish) -> Wish:
    match kind:
        case Kind.TOOLS:
            return replace(wish, tools=True, told=dice.random() < 0.4)
        case Kind.IMAGE:
            return replace(wish, image=True)
        case Kind.CACHED:
            return replace(wish, system=f"{dice.randrange(3)} {_SYSTEM}")
        case Kind.BUDGETED:
            return replace(wish, most=600)
        case _:
            return wish


def _texts(dice: random.Random, text: str) -> list[str]:
    """One text, some, or more than go in one request upstream; each batch holds its mark and its scenario."""
    count = dice.choice((1, 1, 2, 5, 600))
    return [f"{n} {text}" for n in range(count)] if count > 500 else [*(f"text {n}" for n in range(count - 1)), text]


def _spoilt(dice: random.Random, body: dict[str, Any]) -> bytes:
    raw = json.dumps(body).encode()
    match dice.randrange(4):
        case 0:
            return raw[: len(raw) // 2]
        case 1:
            return json.dumps({**body, "messages": 5, "input": 5}).encode()
        case 2:
            return json.dumps({name: value for name, value in body.items() if name != "model"}).encode()
        case _:
            return b"[]"
