"""Log probabilities of output tokens, read and written."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bridge.formats.responses.item_frames import objects_in, text_in
from bridge.parts import TokenChance


def read_chances(value: Any) -> tuple[TokenChance, ...]:
    """Log probabilities of tokens, each with its likeliest rivals."""
    return tuple(_chance(each) for each in objects_in(value))


def _chance(value: dict[str, Any]) -> TokenChance:
    raw = value.get("bytes")
    logprob = value.get("logprob")
    return TokenChance(
        token=text_in(value.get("token")),
        logprob=float(logprob) if isinstance(logprob, int | float) else 0.0,
        bytes=tuple(each for each in raw if isinstance(each, int)) if isinstance(raw, list) else None,
        top=read_chances(value.get("top_logprobs")),
    )


def write_chances(chances: Sequence[TokenChance]) -> list[dict[str, Any]]:
    return [_told(chance) | {"top_logprobs": [_told(other) for other in chance.top]} for chance in chances]


def _told(chance: TokenChance) -> dict[str, Any]:
    spelled = chance.bytes if chance.bytes is not None else chance.token.encode()
    return {"token": chance.token, "logprob": chance.logprob, "bytes": list(spelled)}
