"""Embeddings: OpenAI's format on both sides, with what the upstream cannot do done here.

The upstream takes lists of texts only, no more at once than the model's list entry says, and answers with numbers. So
a lone text is wrapped, long lists are sent in batches, and base64, which OpenAI's own SDKs ask for unless told
otherwise, is made here. Quirks embeddings-array-input, embeddings-bare-answer.
Shape: https://platform.openai.com/docs/api-reference/embeddings/create
"""

from __future__ import annotations

import base64
import binascii
import math
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from msgspec import Raw

from bridge.asked import parsed, read_fields, typed
from bridge.errors import BadRequest, BrokenStream
from bridge.json_text import decode_object
from bridge.tally import Tally, read_openai_usage, with_copilot_usage

_MOST_INPUTS = 2048
_FORMATS = ("float", "base64")
_LAST_TOKEN = 2**31

Input = str | list[int]


@dataclass(frozen=True, slots=True)
class EmbeddingsRequest:
    """`inputs` are texts, or texts as the numbers of their tokens; `dimensions` None: the model's own."""

    model: str
    inputs: tuple[Input, ...]
    is_base64: bool = False
    dimensions: int | None = None
    user: str = ""


@dataclass(frozen=True, slots=True)
class Batch:
    """The vectors of one answer in the order of its inputs, and what it was billed."""

    vectors: list[list[float]]
    tally: Tally


def read_embeddings(body: bytes) -> EmbeddingsRequest:
    """Read a caller's body. Raises BadRequest with the field at fault in `param`."""
    fields = read_fields(body)
    model = typed(fields, "model", str)
    if not model:
        raise BadRequest("'model' is missing. Name one of the models that GET /v1/models lists.", param="model")
    encoding = typed(fields, "encoding_format", str) or "float"
    if encoding not in _FORMATS:
        raise BadRequest("'encoding_format' must be 'float' or 'base64'.", param="encoding_format")
    dimensions = typed(fields, "dimensions", int)
    if dimensions is not None and dimensions < 1:
        raise BadRequest("'dimensions' must be at least 1.", param="dimensions")
    return EmbeddingsRequest(
        model=model,
        inputs=_read_inputs(fields),
        is_base64=encoding == "base64",
        dimensions=dimensions,
        user=typed(fields, "user", str) or "",
    )


def batches(request: EmbeddingsRequest, model_id: str, max_inputs: int | None) -> list[bytes]:
    """Bodies for the upstream, one after the other; `max_inputs` is what the model takes at once, None: not told."""
    size = max_inputs or _MOST_INPUTS
    settings: dict[str, object] = {"model": model_id}
    if request.dimensions is not None:
        settings["dimensions"] = request.dimensions
    if request.user:
        settings["user"] = request.user
    return [
        msgspec.json.encode({"input": request.inputs[start : start + size], **settings})
        for start in range(0, len(request.inputs), size)
    ]


def read_batch(body: bytes) -> Batch:
    """Read the upstream's answer. Raises BrokenStream when vectors cannot be read from it."""
    reply = decode_object(body)
    rows = reply.get("data") if reply is not None else None
    if reply is None or not isinstance(rows, list):
        raise _broken()
    vectors = [_read_vector(row) for row in rows]
    usage, billed = reply.get("usage"), reply.get("copilot_usage")
    tally = read_openai_usage(usage if isinstance(usage, dict) else {})
    if isinstance(billed, dict):
        tally = with_copilot_usage(tally, billed)
    return Batch(_in_order(rows, vectors), tally)


def write_embeddings(request: EmbeddingsRequest, vectors: Sequence[Sequence[float]], tokens: int) -> bytes:
    """The whole answer: the vectors of all batches, `tokens` of all. Raises BrokenStream when one is missing."""
    if len(vectors) != len(request.inputs):
        raise _broken()
    return msgspec.json.encode(
        {
            "object": "list",
            "data": [
                {
                    "object": "embedding",
                    "index": index,
                    "embedding": _as_base64(vector) if request.is_base64 else vector,
                }
                for index, vector in enumerate(vectors)
            ],
            "model": request.model,
            "usage": {"prompt_tokens": tokens, "total_tokens": tokens},
        }
    )


def _read_inputs(fields: dict[str, Raw]) -> tuple[Input, ...]:
    if "input" not in fields:
        raise BadRequest("'input' is missing. Send a text or a list of texts.", param="input")
    value = parsed(fields["input"], "input")
    inputs: list[Any] = [value] if isinstance(value, str) or _are_tokens(value) else value
    if not isinstance(inputs, list) or not inputs:
        raise BadRequest(
            "'input' must be a text, or a list of texts or of token numbers that is not empty.", param="input"
        )
    if len(inputs) > _MOST_INPUTS:
        raise BadRequest("'input' holds more than %(most)d entries.", {"most": _MOST_INPUTS}, param="input")
    for index, each in enumerate(inputs):
        if not (isinstance(each, str) and each) and not _are_tokens(each):
            raise BadRequest(
                "'input[%(index)d]' must be a text or a list of token numbers, and not empty.",
                {"index": index},
                param="input",
            )
    return tuple(inputs)


def _are_tokens(value: object) -> bool:
    return (
        isinstance(value, list)
        and bool(value)
        and all(isinstance(each, int) and not isinstance(each, bool) and 0 <= each < _LAST_TOKEN for each in value)
    )


def _read_vector(row: object) -> list[float]:
    vector = row.get("embedding") if isinstance(row, dict) else None
    if isinstance(vector, str):
        return _from_base64(vector)
    if not isinstance(vector, list) or not vector or not all(_is_number(each) for each in vector):
        raise _broken()
    return vector


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _in_order(rows: list[Any], vectors: list[list[float]]) -> list[list[float]]:
    """By `index` when it numbers the rows from 0 on; where it is missing or odd, as they came."""
    places = [row.get("index") for row in rows]
    if not all(isinstance(place, int) for place in places) or sorted(places) != list(range(len(rows))):
        return vectors
    by_place = dict(zip(places, vectors, strict=True))
    return [by_place[place] for place in range(len(rows))]


def _as_base64(vector: Sequence[float]) -> str:
    """32-bit floats, little-endian, as OpenAI's SDKs unpack them. Raises BrokenStream for a number beyond them."""
    try:
        return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()
    except OverflowError as error:
        raise _broken() from error


def _from_base64(text: str) -> list[float]:
    try:
        packed = base64.b64decode(text, validate=True)
        return list(struct.unpack(f"<{len(packed) // 4}f", packed))
    except (binascii.Error, ValueError, struct.error) as error:
        raise _broken() from error


def _broken() -> BrokenStream:
    return BrokenStream("GitHub Copilot's answer is not a list of embeddings. Try again.")
