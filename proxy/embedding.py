"""The story of one embeddings request: its inputs in batches as large as the model takes, one row for all of them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from accounts.prices.computing import HIGHEST_NANO
from bridge.copilot.endpoints import Endpoint
from bridge.copilot.initiator import Initiator
from bridge.embeddings import batches, read_batch, read_embeddings, write_embeddings
from bridge.errors import BadRequest
from bridge.tally import Tally
from proxy.attempts import Attempts
from proxy.composing import BatchComposer
from proxy.exchange import BYTES_PER_TOKEN
from proxy.plan import Plan, find_model
from proxy.record import Errand, Record
from proxy.relay import settling
from proxy.reserving import embedding_reservation
from proxy.runtime import Runtime

_ANSWER_LIMIT = 64 * 1024 * 1024


async def embed(
    runtime: Runtime, errand: Errand, read_body: Callable[[], Awaitable[bytes]]
) -> tuple[bytes, Record, Plan]:
    """The answer's body. Raises a BridgeError for whatever ends the request before it is whole."""
    record = Record(runtime, errand)
    async with settling(runtime, errand, record):
        errand.caller.check_door(errand.door, errand.address)
        asked = await read_body()
        request = read_embeddings(asked)
        record.describe(request.model, streamed=False)
        await runtime.admission.admit(errand.id, errand.caller, len(asked) // BYTES_PER_TOKEN)
        route = await find_model(runtime, errand.caller, request.model)
        if Endpoint.EMBEDDINGS not in route.model.endpoints:
            raise BadRequest(
                "'%(model)s' makes no embeddings. GET /v1/models lists the models that do.",
                {"model": route.model.id},
                param="model",
            )
        plan = Plan(
            route.seat, route.model, route.choice, Endpoint.EMBEDDINGS, Initiator.USER, vision=False, session=""
        )
        is_budgeted = runtime.directory.snapshot.is_budgeted(errand.caller)
        reserved = embedding_reservation(runtime, plan, len(asked), errand.opened_at) if is_budgeted else 0
        await record.open(plan, reserved)
        vectors: list[list[float]] = []
        for body in batches(request, route.model.id, route.model.max_inputs):
            reply = await Attempts(runtime, BatchComposer(plan, body), record).reply()
            try:
                batch = read_batch(await reply.read(_ANSWER_LIMIT))
            finally:
                await reply.aclose()
            record.first_byte()
            vectors += batch.vectors
            record.tally = _sum(record.tally, batch.tally)
        answer = write_embeddings(request, vectors, record.tally.input)
        await record.succeed()
        return answer, record, plan


def _sum(one: Tally, other: Tally) -> Tally:
    nano = None if one.nano is None and other.nano is None else (one.nano or 0) + (other.nano or 0)
    nano = None if nano is not None and nano > HIGHEST_NANO else nano  # no column holds it, and nobody paid it
    return Tally(input=one.input + other.input, output=one.output + other.output, nano=nano)
