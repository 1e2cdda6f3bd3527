"""Job: one request on its way to an answer, with everything the formats share.

What is billed, exactly:

* nothing for a refusal, and nothing while no content has left (reset before the first chunk, a client that leaves
  during the time to first token, an unstreamed answer still being made);
* the whole answer once its last content chunk has left; it is booked before the closing events are sent, so that who
  has seen the end of a stream finds it billed;
* of a stream that the client cancels or a fault breaks off: the whole prompt and the output sent until then, unless
  the scenario's `broken_bill` says that the real service would bill all of it, or nothing.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from tests.simulator import errors
from tests.simulator.accounts import Era
from tests.simulator.generate.families import Family, always_thinks, backend_of, family_of
from tests.simulator.generate.playing import Ending, Pace, Played, Step, deliver, open_stream, play
from tests.simulator.generate.script import Script, script_for
from tests.simulator.generate.seals import Seals
from tests.simulator.generate.usage import Bill, Tokens, bill
from tests.simulator.scenario import Backend, Body, BrokenBill, Fault, Scenario
from tests.simulator.wire import TYPE_JSON, TYPE_STREAM, Refusal, encode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.simulator.accounts import Account
    from tests.simulator.catalogue import Model
    from tests.simulator.generate.ask import Ask
    from tests.simulator.wire import Request, Wire
    from tests.simulator.world import World

_UNSTREAMED_LIMIT = 16_000
_HTML = (
    b"<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n"
    b"<body><center><h1>502 Bad Gateway</h1></center></body>\r\n</html>\r\n"
)
_CODES = {400: "invalid_request_body", 402: "quota_exceeded", 429: "rate_limited", 503: "service_unavailable"}
_STAMP = "@T%018d@"


@dataclass(slots=True)
class Job:
    """One answer in the making."""

    world: World
    account: Account
    model: Model
    request: Request
    wire: Wire
    ask: Ask
    scenario: Scenario
    seals: Seals
    script: Script
    prompt: Tokens
    created: int
    played: Played = field(default_factory=Played)

    @property
    def family(self) -> Family:
        return family_of(self.model)

    @property
    def backend(self) -> Backend:
        return backend_of(self.scenario, self.seals)

    @property
    def model_name(self) -> str:
        """The name the answer gives the model: the provider's, not the requested one."""
        return self.scenario.model or self.model.answers_as

    @property
    def bills_tokens(self) -> bool:
        """True when answers to this account carry `copilot_usage`."""
        return self.account.billing in (Era.CREDITS, Era.FREE_NEW)

    def pieces(self, overhead: int = 0) -> Iterator[str]:
        """The content chunks of the text; for a bench shape each with its time stamp, `overhead` bytes around it."""
        if self.scenario.bench is None:
            yield from self.script.pieces
            return
        chunks, _, size = self.scenario.bench
        padding = "x" * max(0, size - overhead - 20)
        for _ in range(chunks):
            yield _STAMP % time.monotonic_ns() + padding

    def final(self) -> Bill:
        """The bill of the whole answer."""
        if self.scenario.bench is not None:
            tokens = replace(self.prompt, output=self.played.output_tokens)
        else:
            script = self.script
            tokens = replace(self.prompt, output=script.output_tokens, reasoning=script.reasoning_tokens)
        return bill(tokens.claiming(self.scenario.tokens), self.model)

    def partial(self) -> Bill:
        """The bill of what has been sent so far."""
        played = self.played
        tokens = replace(self.prompt, output=played.output_tokens, reasoning=played.reasoning_tokens)
        wanted = {
            name: n for name, n in (self.scenario.tokens or {}).items() if name in ("input", "cached", "cache_write")
        }
        return bill(tokens.claiming(wanted), self.model)

    async def stream(self, steps: Iterator[Step], *, error: Callable[[], bytes], comment: Callable[[], bytes]) -> None:
        """Play the steps as an event stream and book what was sent."""
        if not await open_stream(self.wire, self.scenario, TYPE_STREAM):
            return
        await self.wire.start(headers={"cache-control": "no-cache"})
        ending = Ending(error, comment, lambda: self._book(self.final()), self._book_broken)
        try:
            await play(self.wire, steps, self.scenario, self._pace(), ending, self.played)
        finally:
            self._book_broken()

    async def respond(self, body: dict[str, Any]) -> None:
        """Send the answer as one JSON body, after the time it takes to make it, and book it."""
        if self.scenario.fault in (Fault.ERROR_EVENT, Fault.FAILED):
            raise errors.capi(
                500, self.scenario.code or "internal_error", self.scenario.message or "internal server error"
            )
        if not await open_stream(self.wire, self.scenario, TYPE_JSON):
            return
        pace = self._pace()
        await asyncio.sleep((pace.ttft_ms + pace.delay_ms * len(self.script.pieces)) / 1000)
        self.played.complete = True
        self._book(self.final())
        await deliver(self.wire, encode(body), TYPE_JSON, self.scenario)

    def _book(self, billed: Bill) -> None:
        self.world.book(self.account, self.request, self.model, billed)

    def _book_broken(self) -> None:
        """Charge an answer that had begun and was not completed, once."""
        if self.played.billed or self.played.complete or not self.played.chunks:
            return
        self.played.billed = True
        match self.scenario.broken_bill:
            case BrokenBill.SENT:
                billed = self.partial()
            case BrokenBill.WHOLE:
                billed = self.final()
            case BrokenBill.NOTHING:
                return
        self.world.book(self.account, self.request, self.model, billed, whole=False)

    def _pace(self) -> Pace:
        ttft = self.world.ttft_ms if self.scenario.ttft_ms is None else self.scenario.ttft_ms
        if self.scenario.bench:
            return Pace(ttft, self.scenario.bench[1])
        delay = self.world.delay_ms if self.scenario.delay_ms is None else self.scenario.delay_ms
        return Pace(ttft, delay)


def begin(world: World, account: Account, model: Model, request: Request, wire: Wire, ask: Ask) -> Job:
    """Decide the scenario and the script. Raises the Refusal the scenario asks for, or that of a prompt too long."""
    try:
        scenario = world.scenario_for(request, account, ask.words)
    except (ValueError, TypeError) as error:
        raise Refusal(400, f"simulator: {error}\n".encode()) from error
    scenario = world.memory.due(scenario, f"{account.login}|{request.path}")
    _refuse_as_asked(scenario)
    size = ask.prompt_tokens
    if model.prompt and size > model.prompt:
        raise errors.prompt_too_long(size, model.prompt)
    wire.shape(cut=scenario.cut_bytes, crlf=scenario.crlf)
    least = None if ask.stream or model.output <= _UNSTREAMED_LIMIT else _UNSTREAMED_LIMIT
    script = script_for(ask, scenario, thinks=_thinks(model, ask), most=least)
    job = Job(
        world, account, model, request, wire, ask, scenario, Seals(world.seed, account.login, request.number), script,
        _prompt_tokens(world, account, model, ask, scenario), int(world.time()),
    )  # fmt: skip
    if scenario.bench and not ask.stream:
        text = "".join(job.pieces())
        job.script = Script(text=text, pieces=(text,))
        job.scenario = replace(scenario, bench=None)
    return job


def _thinks(model: Model, ask: Ask) -> bool:
    match family_of(model):
        case Family.GPT_OLD:
            return False
        case Family.GPT:
            return ask.effort != "none"
    return ask.thinks or always_thinks(model)


def _prompt_tokens(world: World, account: Account, model: Model, ask: Ask, scenario: Scenario) -> Tokens:
    cached, written = world.memory.cached(
        f"{account.login}|{model.id}",
        ask.segments,
        marked=family_of(model) is Family.CLAUDE,
        least=scenario.cache_min,
    )
    pays_writes = model.tiers[0].cache_write is not None
    return Tokens(ask.prompt_tokens, cached, written if pays_writes else 0)


def _refuse_as_asked(scenario: Scenario) -> None:
    match scenario.fault:
        case Fault.STATUS:
            raise _refusal(scenario)
        case Fault.HTML_502:
            raise Refusal(502, _HTML, content_type="text/html")
        case Fault.REDIRECT:
            raise Refusal(307, b"", {"location": scenario.location})


def _refusal(scenario: Scenario) -> Refusal:
    status = scenario.status
    code = scenario.code or _CODES.get(status, "internal_error" if status >= 500 else "invalid_request_body")
    message = scenario.message or f"simulated {status}"
    kind = scenario.error_type or None
    match scenario.body:
        case Body.BARE:
            refusal = errors.bare(message, status=status)
        case Body.ANTHROPIC:
            refusal = errors.anthropic(kind or "api_error", message, status=status)
        case Body.NESTED:
            refusal = errors.wrapped(kind or "api_error", message, status=status, code=code)
        case Body.PLAIN:
            refusal = errors.plain(status, message)
        case Body.EMPTY:
            refusal = Refusal(status, b"")
        case Body.WRAPPED:
            refusal = errors.capi(status, code, message, kind=kind)
    if scenario.retry_after is not None:
        refusal.headers["retry-after"] = scenario.retry_after
    if scenario.exceeded is not None:
        refusal.headers["x-ratelimit-exceeded"] = scenario.exceeded
    return refusal
