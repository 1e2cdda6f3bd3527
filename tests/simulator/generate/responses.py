"""POST /responses (also answering at /v1/responses): answers, streamed and whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.simulator.generate.job import begin
from tests.simulator.generate.read_responses import read_responses
from tests.simulator.generate.response_rules import check_responses
from tests.simulator.generate.response_stream import ResponseStream
from tests.simulator.generate.seals import Seals

if TYPE_CHECKING:
    from tests.simulator.accounts import Account
    from tests.simulator.catalogue import Model
    from tests.simulator.wire import Request, Wire
    from tests.simulator.world import World


async def answer(world: World, account: Account, model: Model, request: Request, wire: Wire) -> None:
    """Answer one response. Raises the Refusal of the first rule the body breaks."""
    body = request.json()
    others = tuple(login for login in world.accounts if login != account.login)
    check_responses(body, model, Seals(world.seed, account.login, request.number), others)
    job = begin(world, account, model, request, wire, read_responses(body))
    stream = ResponseStream(job, body)
    if job.ask.stream:
        await job.stream(stream.steps(), error=stream.error, comment=stream.keepalive)
    else:
        await job.respond(stream.whole())
