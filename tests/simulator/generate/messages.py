"""POST /v1/messages and /v1/messages/count_tokens: answers, streamed and whole."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.simulator.generate import sse
from tests.simulator.generate.job import Job, begin
from tests.simulator.generate.message_body import message_body
from tests.simulator.generate.message_rules import check_messages
from tests.simulator.generate.message_stream import message_steps
from tests.simulator.generate.read_messages import read_messages
from tests.simulator.generate.seals import Seals

if TYPE_CHECKING:
    from tests.simulator.accounts import Account
    from tests.simulator.catalogue import Model
    from tests.simulator.wire import Request, Wire
    from tests.simulator.world import World


async def answer(world: World, account: Account, model: Model, request: Request, wire: Wire) -> None:
    """Answer one message. Raises the Refusal of the first rule the request breaks."""
    body = request.json()
    check_messages(body, model, request.headers, Seals(world.seed, account.login, request.number))
    job = begin(world, account, model, request, wire, read_messages(body))
    if job.ask.stream:
        ping = sse.event({"type": "ping"})
        await job.stream(message_steps(job), error=lambda: sse.event(_error(job)), comment=lambda: ping)
    else:
        await job.respond(message_body(job))


async def count_tokens(world: World, account: Account, model: Model, request: Request, wire: Wire) -> None:
    """Answer how many tokens the prompt has; costs nothing. `max_tokens` is not needed here."""
    body = {"max_tokens": 1, **request.json()}
    check_messages(body, model, request.headers, Seals(world.seed, account.login, request.number), counting=True)
    await wire.respond(200, {"input_tokens": max(1, read_messages(body).prompt_tokens)})


def _error(job: Job) -> dict[str, Any]:
    scenario = job.scenario
    error = {"message": scenario.message or "stream error", "type": scenario.error_type or "api_error"}
    return {"error": error, "type": "error"}
