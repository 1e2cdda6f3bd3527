"""Spoilt requests against everything that reads them: opening, translating to every upstream, counting tokens.

Whatever a client sends, nothing but BridgeError may come out, said in the door's own dialect; what is taken becomes a
body that is a JSON object, asks for a stream and names the model.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from bridge.asked import Asked, Written
from bridge.carrier import Carriers
from bridge.counting import count_tokens
from bridge.crossing import FORMATS, Crossing
from bridge.dialect import Dialect
from bridge.embeddings import batches, read_embeddings
from bridge.errors import BridgeError
from bridge.formats.messages.verbatim import open_request as open_messages
from bridge.json_text import decode_object
from bridge.target import Repair, Target, WireProfile
from tests.dialects.checkers import CHECKERS
from tests.dialects.frames import read_object
from tests.fuzz import seeds
from tests.fuzz.mutation import nested, spoilt_bytes, spoilt_json

Value = TypeVar("Value")

TARGETS: Mapping[Dialect, tuple[Target, ...]] = {
    Dialect.CHAT: (
        Target("gpt-4o", vendor="Azure OpenAI", family="gpt-4o", max_output_tokens=4096, max_images=1),
        Target("gemini-3.8-flash", vendor="Google", family="gemini-3.8-flash", structured_outputs=False),
        Target("kimi-k3", vendor="Moonshot AI", family="kimi-k3", efforts=(), parallel_calls=False),
    ),
    Dialect.RESPONSES: (
        Target("gpt-5.4", vendor="OpenAI", family="gpt-5.4", efforts=("low", "high"), cache_key="k"),
        Target("gpt-6-sol", vendor="OpenAI", family="gpt-6-sol", profile=WireProfile.LITE, max_output_tokens=100),
        Target("grok-5", vendor="xAI", family="grok", profile=WireProfile.FOREIGN, refused=frozenset({"text"})),
        Target("gpt-5.4", vendor="OpenAI", family="gpt-5.4", repairs=frozenset(Repair)),
    ),
    Dialect.MESSAGES: (
        Target("claude-sonnet-5.5", vendor="Anthropic", adaptive_thinking=True, efforts=("low", "high"), max_images=1),
        Target("claude-haiku-4.5", vendor="Anthropic", min_thinking_budget=1024, max_thinking_budget=8000),
        Target("claude-sonnet-4", vendor="Anthropic", max_output_tokens=500, refused=frozenset({"thinking"})),
        Target("claude-sonnet-4", vendor="Anthropic", repairs=frozenset(Repair)),
    ),
}
_SEEDS: Mapping[Dialect, tuple[tuple[seeds.Json, ...], tuple[str, ...]]] = {
    Dialect.CHAT: (seeds.CHAT, seeds.CHAT_MODELS),
    Dialect.RESPONSES: (seeds.RESPONSES, seeds.RESPONSES_MODELS),
    Dialect.MESSAGES: (seeds.MESSAGES, seeds.MESSAGES_MODELS),
}


@dataclass(frozen=True, slots=True)
class RequestCase:
    """`door` is a dialect, `count_tokens` or `embeddings`."""

    door: str
    body: bytes

    @property
    def described(self) -> str:
        return f"{self.door}: {self.body!r}"


def drawn(dice: random.Random) -> RequestCase:
    """A case out of the dice: a good request made worse, or bytes that never were one."""
    door = dice.choice((*Dialect, *Dialect, "count_tokens", "embeddings"))
    if dice.random() < 0.03:
        return RequestCase(door, _nonsense(dice))
    body = _good(dice, door)
    if dice.random() < 0.08:
        return RequestCase(door, spoilt_bytes(dice, spoilt_json(dice, body)))
    return RequestCase(door, spoilt_json(dice, body))


def run(case: RequestCase) -> None:
    """Raises whatever goes wrong: AssertionError for a broken promise, anything else for a crash."""
    match case.door:
        case "embeddings":
            _embed(case.body)
        case "count_tokens":
            asked = _tried(Dialect.MESSAGES, lambda: open_messages(case.body, needs_max_tokens=False))
            if asked is not None:
                assert count_tokens(asked) > 0
        case _:
            _cross(Dialect(case.door), case.body)


def _good(dice: random.Random, door: str) -> seeds.Json:
    if door == "embeddings":
        return {"model": dice.choice(seeds.EMBEDDING_MODELS), **dice.choice(seeds.EMBEDDINGS)}
    bodies, models = _SEEDS[Dialect.MESSAGES if door == "count_tokens" else Dialect(door)]
    return {"model": dice.choice(models), **dice.choice(bodies)}


def _cross(door: Dialect, body: bytes) -> None:
    asked = _tried(door, lambda: FORMATS[door].open_request(body))
    if asked is None:
        return
    assert count_tokens(asked) > 0
    for upstream, targets in TARGETS.items():
        for target in targets:
            _write(asked, upstream, target)


def _write(asked: Asked, upstream: Dialect, target: Target) -> None:
    carriers = Carriers(b"key", "binding")
    crossing = Crossing(asked, upstream, target, carriers, betas=("context-management-2025-06-27",))
    written: Written | None = _tried(asked.dialect, crossing.write)
    if written is None:
        return
    body = decode_object(written.body)  # what passes untouched may say a name twice; the upstream judges that
    assert body is not None, f"not a JSON object: {written.body[:300]!r}"
    assert body["model"] == target.model, body.get("model")
    assert body["stream"] is True, body.get("stream")
    assert all(isinstance(name, str) for name in written.dropped), written.dropped
    assert len(set(written.dropped)) == len(written.dropped), f"named twice: {written.dropped}"


def _embed(body: bytes) -> None:
    request = _tried(Dialect.CHAT, lambda: read_embeddings(body))
    for batch in batches(request, "text-embedding-3-small", 512) if request is not None else ():
        assert isinstance(read_object(batch)["input"], list)


def _tried(door: Dialect, attempt: Callable[[], Value]) -> Value | None:
    """What the attempt gives; None when it was refused, as a fault of the caller's and in the door's dialect."""
    try:
        return attempt()
    except BridgeError as error:
        refusal = error
    assert refusal.status < 500, f"a fault of the gateway: {refusal}"
    failure = CHECKERS[door].error(FORMATS[door].write_error(refusal, str(refusal), "req_1"), None)
    assert failure.message, "an error that says nothing"
    return None


def _nonsense(dice: random.Random) -> bytes:
    return dice.choice(
        (
            b"",
            b" ",
            b"null",
            b"[]",
            b'"hello"',
            b"{}",
            b"\x00",
            b"\xff\xfe{\x00}\x00",
            b"\xef\xbb\xbf{}",
            b"model=gpt-4o&input=x",
            dice.randbytes(dice.choice((1, 40, 5000))),
            nested(dice.choice((500, 100_000)), as_list=True),
            nested(dice.choice((500, 100_000)), as_list=False),
            b'{"model":"gpt-4o","messages":' + nested(50_000, as_list=True) + b"}",
            b'{"model":"' + b"x" * 1_000_000 + b'"}',
            b'{"messages":[' + b"{}," * 50_000 + b"{}]}",
            b"{" + b'"a":1,' * 100_000 + b'"b":2}',
        )
    )
