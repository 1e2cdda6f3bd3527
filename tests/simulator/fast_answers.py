"""What the fast upstream says, as bytes made before they are needed.

A request asks for the shape of its answer inside any message: ``@@n=100,d=20,s=200@@`` is 100 content chunks,
20 ms apart, each an event of about 200 bytes. It may also carry a tag, ``@@tag=00000042@@``. The content of
every chunk holds ``@T<18 digits>@#<8 digits>#``: CLOCK_MONOTONIC in nanoseconds, read just before the write,
and that tag. So whoever reads the answer knows how old each chunk is and whether it belongs to the question.

There are two kinds of frames. *Clean* ones are OpenAI's and need no repair. *Quirky* ones come as Copilot
streams Claude: no `object`, the role on every chunk, usage on the last chunk instead of one of its own.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from typing import Any

import msgspec

CLEAN_MODEL = "gpt-4o"
QUIRKY_MODEL = "claude-sonnet-4.5"
CHAT_MODELS = (CLEAN_MODEL, "gpt-4.1", QUIRKY_MODEL)
EMBEDDING_MODEL = "text-embedding-3-small"
PROMPT_TOKENS = 20
NO_TAG = b"00000000"

_SHAPE = re.compile(rb"@@n=(\d{1,6}),d=(\d{1,6}),s=(\d{1,6})@@")
_TAG = re.compile(rb"@@tag=(\d{8})@@")
_MARK = "<here>"
_STAMP_SIZE = len("@T000000000000000000@#00000000#")
_STREAM_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
_WHOLE_SIZE = 700
"""Characters in the message of an unstreamed answer, at least; with all around it, about 1 KB."""


@dataclass(frozen=True, slots=True)
class Shape:
    """What an answer looks like: content chunks, milliseconds between them, bytes of each event."""

    chunks: int = 20
    delay: int = 10
    size: int = 200

    def __str__(self) -> str:
        return f"@@n={self.chunks},d={self.delay},s={self.size}@@"

    @property
    def seconds(self) -> float:
        """How long such a stream takes when nothing holds it up."""
        return self.chunks * self.delay / 1000

    @classmethod
    def asked_for(cls, text: bytes) -> Shape:
        """The first shape in `text`, else the default one."""
        found = _SHAPE.search(text)
        return cls(*(int(number) for number in found.groups())) if found else cls()


def tag_asked_for(text: bytes) -> bytes:
    """The eight digits of the first tag in `text`, else zeros."""
    found = _TAG.search(text)
    return found[1] if found else NO_TAG


@dataclass(frozen=True, slots=True)
class Frames:
    """The bytes of one kind of answer in one shape; a stamp goes between `before` and `after`."""

    shape: Shape
    opening: bytes
    before: bytes
    after: bytes
    closing: bytes
    whole_before: bytes
    whole_after: bytes

    def chunk(self, tag: bytes) -> bytes:
        """One content chunk, stamped now."""
        return b"%b@T%018d@#%b#%b" % (self.before, time.monotonic_ns(), tag, self.after)

    def whole(self, tag: bytes) -> bytes:
        """The unstreamed answer, with as many stamps as the stream would have."""
        stamps = b"@T%018d@#%b#" % (time.monotonic_ns(), tag) * self.shape.chunks
        return answer(self.whole_before + stamps + self.whole_after)


def frames_for(quirky: bool, shape: Shape) -> Frames:
    """All the bytes of one kind of answer."""
    usage = _usage(quirky, shape.chunks)
    if quirky:
        rest = {"created": 1_760_000_000, "id": "ba49856c-7de2-485b-87cd-6ff61c58407e", "model": QUIRKY_MODEL}
        stream_rest, whole_rest = rest, rest
        ends = [{**rest, **usage, "choices": [_choice({"content": None}, finish_reason="stop")]}]
    else:
        rest = {"created": 1_760_000_000, "id": "chatcmpl-Bh7jW2mQ4dKx0cT9sLr5eYvN", "model": CLEAN_MODEL}
        stream_rest = {**rest, "object": "chat.completion.chunk"}
        whole_rest = {**rest, "object": "chat.completion"}
        finish = {**stream_rest, "choices": [_choice({}, finish_reason="stop")]}
        ends = [finish, {**stream_rest, **usage, "choices": []}]

    def event(text: str, role: bool) -> bytes:
        delta = {"content": text, "role": "assistant"} if role else {"content": text}
        return _event({**stream_rest, "choices": [_choice(delta)]})

    filler = "x" * max(0, shape.size - len(event("", quirky)) - _STAMP_SIZE)
    chunk = _chunked(event(_MARK + filler, quirky), growth=_STAMP_SIZE - len(_MARK))
    padding = "x" * max(0, _WHOLE_SIZE - _STAMP_SIZE * shape.chunks)
    message = {"content": _MARK + padding, "role": "assistant"}
    whole = {**whole_rest, **usage, "choices": [{"finish_reason": "stop", "index": 0, "message": message}]}
    before, after = chunk.split(_MARK.encode())
    whole_before, whole_after = _sorted_json(whole).split(_MARK.encode())
    return Frames(
        shape=shape,
        opening=_STREAM_HEAD if quirky else _STREAM_HEAD + _chunked(event("", role=True)),
        before=before,
        after=after,
        closing=b"".join(map(_chunked, [*map(_event, ends), b"data: [DONE]\n\n", b""])),
        whole_before=whole_before,
        whole_after=whole_after,
    )


def answer(body: bytes, status: str = "200 OK", content_type: str = "application/json") -> bytes:
    """A whole HTTP/1.1 answer."""
    head = f"HTTP/1.1 {status}\r\nContent-Type: {content_type}\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


def json_answer(value: object) -> bytes:
    return answer(_sorted_json(value))


def plain_refusal(status: str, text: str) -> bytes:
    """A refusal in the upstream's manner: text with a newline at its end."""
    return answer(f"{text}\n".encode(), status, "text/plain; charset=utf-8")


def token(url: str) -> dict[str, Any]:
    """What the token exchange answers now."""
    expiry = int(time.time()) + 1800
    sku = "copilot_standalone_seat_quota"
    return {
        "chat_enabled": True,
        "endpoints": {"api": f"{url}/copilot"},
        "expires_at": expiry,
        "individual": False,
        "refresh_in": 1500,
        "sku": sku,
        "telemetry": "disabled",
        "token": f"tid=bench;exp={expiry};sku={sku};st=dotcom;chat=1:0",
        "tracking_id": "bench",
    }


def user() -> dict[str, Any]:
    return {"id": 1, "login": "bench", "name": "Bench", "type": "User"}


def account(url: str) -> dict[str, Any]:
    """What `/copilot_internal/user` says: a business seat, billed by token, with plenty left."""
    premium = {
        "entitlement": 1_000_000,
        "has_quota": True,
        "overage_count": 0,
        "overage_permitted": True,
        "percent_remaining": 99.0,
        "quota_id": "premium_interactions",
        "quota_remaining": 990_000.0,
        "remaining": 990_000,
        "token_based_billing": True,
        "unlimited": False,
    }
    return {
        "access_type_sku": "copilot_standalone_seat_quota",
        "chat_enabled": True,
        "copilot_plan": "business",
        "endpoints": {"api": f"{url}/copilot"},
        "login": user()["login"],
        "quota_reset_date": "2099-01-01",
        "quota_reset_date_utc": "2099-01-01T00:00:00.000Z",
        "quota_snapshots": {"premium_interactions": premium},
        "token_based_billing": True,
    }


def models() -> dict[str, Any]:
    """The model list: three for chat, one for embeddings."""
    return {"data": [*map(_chat_model, CHAT_MODELS), _embedding_model()], "object": "list"}


def _chat_model(name: str) -> dict[str, Any]:
    credits_in, credits_out = _rates("claude" in name)
    prices = {
        "cache_price": credits_in // 10,
        "context_max": 128_000,
        "input_price": credits_in,
        "output_price": credits_out,
    }
    limits = {
        "max_context_window_tokens": 144_000,
        "max_output_tokens": 16_000,
        "max_prompt_tokens": 128_000,
    }
    return {
        "billing": {"token_prices": {"batch_size": 1_000_000, "default": prices}},
        "capabilities": {
            "family": name,
            "limits": limits,
            "object": "model_capabilities",
            "supports": {"parallel_tool_calls": True, "streaming": True, "tool_calls": True},
            "tokenizer": "o200k_base",
            "type": "chat",
        },
        "id": name,
        "is_chat_default": False,
        "is_chat_fallback": name == "gpt-4.1",
        "model_picker_category": "versatile",
        "model_picker_enabled": True,
        "name": name,
        "object": "model",
        "policy": {"state": "enabled", "terms": ""},
        "preview": False,
        "supported_endpoints": ["/chat/completions"],
        "vendor": "Anthropic" if "claude" in name else "OpenAI",
        "version": name,
    }


def _embedding_model() -> dict[str, Any]:
    return {
        "capabilities": {
            "family": EMBEDDING_MODEL,
            "limits": {"max_inputs": 512},
            "object": "model_capabilities",
            "supports": {"dimensions": True},
            "tokenizer": "cl100k_base",
            "type": "embeddings",
        },
        "id": EMBEDDING_MODEL,
        "model_picker_enabled": False,
        "name": EMBEDDING_MODEL,
        "object": "model",
        "preview": False,
        "vendor": "Azure OpenAI",
        "version": EMBEDDING_MODEL,
    }


def _rates(claude: bool) -> tuple[int, int]:
    """Credits for a million input and for a million output tokens."""
    return (300, 1500) if claude else (250, 1000)


def _usage(claude: bool, output: int) -> dict[str, Any]:
    """Token counts and their price; a credit is 10**9 nano-AIU, so one per million is 1000 per token."""
    rates = _rates(claude)
    details = [
        {"batch_size": 1_000_000, "cost_per_batch": rate * 10**9, "token_count": count, "token_type": kind}
        for kind, rate, count in zip(("input", "output"), rates, (PROMPT_TOKENS, output), strict=True)
    ]
    nano = (rates[0] * PROMPT_TOKENS + rates[1] * output) * 1000
    return {
        "copilot_usage": {"token_details": details, "total_nano_aiu": nano},
        "usage": {
            "completion_tokens": output,
            "prompt_tokens": PROMPT_TOKENS,
            "prompt_tokens_details": {"cached_tokens": 0},
            "total_tokens": PROMPT_TOKENS + output,
        },
    }


def _choice(delta: dict[str, Any], finish_reason: str | None = None) -> dict[str, Any]:
    return {"delta": delta, "finish_reason": finish_reason, "index": 0}


def _event(value: object) -> bytes:
    return b"data: %b\n\n" % _sorted_json(value)


def _sorted_json(value: object) -> bytes:
    return msgspec.json.encode(value, order="sorted")


def _chunked(data: bytes, growth: int = 0) -> bytes:
    """`data` as one chunk of an HTTP/1.1 body that will be `growth` bytes longer when it is sent."""
    return b"%x\r\n%b\r\n" % (len(data) + growth, data)
