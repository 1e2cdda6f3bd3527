"""POST /embeddings: vectors derived from the text, so that equal texts are equal and different ones are not."""

from __future__ import annotations

import hashlib
import math
import struct
from typing import TYPE_CHECKING, Any

from tests.simulator import errors
from tests.simulator.generate.ask import Ask, segment
from tests.simulator.generate.job import begin
from tests.simulator.generate.script import Script
from tests.simulator.generate.usage import Tokens, bill, count
from tests.simulator.scenario import asked_in, without_words
from tests.simulator.wire import Refusal

if TYPE_CHECKING:
    from tests.simulator.accounts import Account
    from tests.simulator.catalogue import Model
    from tests.simulator.wire import Request, Wire
    from tests.simulator.world import World

_DIMENSIONS = 1536
_LONGEST = 8191


async def answer(world: World, account: Account, model: Model, request: Request, wire: Wire) -> None:
    """Answer with one vector per text; `object_field: false` leaves out object, index and model."""
    body = request.json()
    texts = _texts(body, model)
    size = _size(body, model)
    job = begin(world, account, model, request, wire, _ask(texts))
    bare = job.scenario.object_field is False
    rows = [{"embedding": vector(text, size), "index": n, "object": "embedding"} for n, text in enumerate(texts)]
    tokens = sum(count(text) for text in texts)
    reply: dict[str, Any] = {
        "data": [{"embedding": row["embedding"]} for row in rows] if bare else rows,
        "usage": {"prompt_tokens": tokens, "total_tokens": tokens},
    }
    if not bare:
        reply |= {"model": job.model_name, "object": "list"}
    job.script, job.prompt = Script(), Tokens(input=tokens)
    if job.bills_tokens:
        reply["copilot_usage"] = bill(job.prompt, model).usage
    await job.respond(reply)


def vector(text: str, size: int) -> list[float]:
    """A unit vector of `size` numbers that depends on the text alone."""
    raw = hashlib.shake_128(text.encode()).digest(size * 4)
    numbers = [value / 2**31 for value in struct.unpack(f">{size}i", raw)]
    length = math.sqrt(math.fsum(number * number for number in numbers)) or 1.0
    return [round(number / length, 8) for number in numbers]


def _texts(body: dict[str, Any], model: Model) -> list[str]:
    texts = body.get("input")
    if not isinstance(texts, list) or not texts or not all(isinstance(text, str) for text in texts):
        raise errors.plain(400, "bad request: input must be an array of strings")
    if "encoding_format" in body and body["encoding_format"] != "float":
        raise errors.capi(400, "invalid_request_body", "encoding_format is not supported", param="encoding_format")
    if model.max_inputs and len(texts) > model.max_inputs:
        raise errors.capi(
            400, "invalid_request_body", f"too many inputs: {len(texts)} exceeds the limit of {model.max_inputs}"
        )
    for text in texts:
        if not text:
            raise errors.capi(400, "invalid_request_body", "input must not contain empty strings", param="input")
        if count(text) > _LONGEST:
            raise errors.prompt_too_long(count(text), _LONGEST)
    return texts


def _size(body: dict[str, Any], model: Model) -> int:
    wanted = body.get("dimensions")
    if wanted is None:
        return _DIMENSIONS
    if not model.supports("dimensions"):
        raise errors.capi(
            400, "invalid_request_body", "this model does not support specifying dimensions", param="dimensions"
        )
    if not isinstance(wanted, int) or isinstance(wanted, bool) or not 1 <= wanted <= _DIMENSIONS:
        raise errors.capi(
            400, "invalid_request_body", f"dimensions must be between 1 and {_DIMENSIONS}", param="dimensions"
        )
    return wanted


def _ask(texts: list[str]) -> Ask:
    try:
        words = asked_in(texts[-1])
        question = without_words(texts[-1])
    except ValueError as error:
        raise Refusal(400, f"simulator: {error}\n".encode()) from error
    return Ask(question=question, words=words, segments=(segment(question),), background="")
