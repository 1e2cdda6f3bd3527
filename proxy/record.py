"""The ledger row of one request, from its opening to its one settlement."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from uuid import UUID

from accounts.amounts import fixed_credits
from accounts.directory import Caller
from accounts.ledger import AttemptLine, BudgetSpent, Opening, Outcome, Settlement
from accounts.prices.computing import compute
from bridge.copilot.initiator import Initiator
from bridge.errors import BadKey, BridgeError, Internal, Refused, Shedding
from bridge.tally import Tally
from proxy.losses import speakable
from proxy.plan import Plan
from proxy.speech import status_at, unforeseen

if TYPE_CHECKING:
    from bridge.copilot.model import TokenPrice
    from proxy.runtime import Runtime


@dataclass(frozen=True, slots=True)
class Errand:
    """Who asks at which door, from where, with which program; `started` is on the monotonic clock."""

    id: UUID
    caller: Caller
    door: str
    opened_at: float
    started: float
    client: str
    address: str | None


class Record:
    """Opens the row, gathers how it goes, settles it exactly once.

    `dropped` names what the upstream's format could not carry of the request, `lost` what the caller's could not carry
    of the answer. `is_estimated` says that the upstream did not count what the tally tells.
    """

    def __init__(self, runtime: Runtime, errand: Errand) -> None:
        self.errand = errand
        self.tally = Tally()
        self.stop_reason = ""
        self.upstream_id = ""
        self.dropped: tuple[str, ...] = ()
        self.lost: tuple[str, ...] = ()
        self.attempts: list[AttemptLine] = []
        self.is_estimated = False
        self.is_with_upstream = False
        self._runtime = runtime
        self._ledger = runtime.ledger
        self._plan: Plan | None = None
        self._first_byte_ms: int | None = None
        self._opening = Opening(
            errand.id, errand.opened_at, errand.caller, errand.door, client=errand.client, ip=errand.address
        )
        self._is_open = False
        self._is_settled = False

    def describe(self, requested_model: str, *, streamed: bool) -> None:
        self._opening = replace(self._opening, requested_model=requested_model, streamed=streamed)

    async def open(self, plan: Plan, reserved: int = 0) -> None:
        """Commit the row, before anything goes upstream; budgets hold back `reserved` nano-AIU for it.

        Raises BudgetSpent when one has no room for that, Shedding when the row cannot be written.
        """
        self._plan = plan
        self._opening = replace(
            self._opening,
            served_model=plan.model.id,
            route=plan.choice.why,
            upstream_format=plan.endpoint.wire_format,
            seat=plan.seat.id,
            seat_name=plan.seat.name,
            initiator=plan.initiator.value,
            session=plan.session,
            reserved=reserved,
        )
        # Before the wait: a request that is cancelled in it has its opening in the queue, and its settlement follows.
        self._is_open = True
        try:
            await self._ledger.open(self._opening)
        except (BudgetSpent, Shedding):
            self._is_open = False
            raise

    def send(self, plan: Plan, dropped: tuple[str, ...]) -> None:
        """A try goes out: where to, and what of the request it could not carry."""
        self._plan = plan
        self.dropped = speakable(dropped)
        self.is_with_upstream = True

    def take_back(self) -> None:
        """The try failed: the upstream does nothing more for it."""
        self.is_with_upstream = False

    def first_byte(self) -> None:
        if self._first_byte_ms is None:
            self._first_byte_ms = self.milliseconds()

    def milliseconds(self) -> int:
        """Since the request came in."""
        return round((time.monotonic() - self.errand.started) * 1000)

    @property
    def cost(self) -> str | None:
        """The price in credits, exact, for the answer's header; None when nobody knows it."""
        nano = self.tally.nano
        if nano is None and self._plan is not None:
            nano = compute(self.tally, self._prices())
        return None if nano is None else fixed_credits(nano)

    async def succeed(self) -> None:
        await self._settle(Outcome.SETTLED, 200, "")

    async def interrupt(self) -> BridgeError | None:
        """The request's task was cancelled. Returns what to tell a caller who is still there: its key was revoked."""
        was_revoked = self.errand.id in self._runtime.revoked
        self._runtime.revoked.discard(self.errand.id)
        # 499 is what proxies log for a caller who closed the connection.
        await self._settle(Outcome.CANCELLED, 499, "key_revoked" if was_revoked else "client_closed_request")
        return BadKey("This API key was revoked while it was in use.") if was_revoked else None

    async def break_down(self) -> Internal:
        """The gateway itself failed; the row says so, and so does the answer."""
        fault = unforeseen(self.errand.id)
        await self.fail(fault)
        return fault

    async def fail(self, error: BridgeError) -> None:
        """Refused before the upstream was called, or failed on the way; in the ledger either way."""
        outcome = Outcome.REFUSED if isinstance(error, Refused) or not self._is_open else Outcome.FAILED
        status = status_at(self.errand.door, error)
        await self._settle(outcome, status, error.upstream_code or error.code)

    async def _settle(self, outcome: Outcome, status: int, code: str) -> None:
        if self._is_settled:
            return
        self._is_settled = True
        self._runtime.running.pop(self.errand.id, None)
        if outcome is Outcome.SETTLED and self._plan is not None:
            self._runtime.usual_outputs.note(self.errand.caller.key, self._plan.model.id, self.tally.output)
        released = self._runtime.admission.release(self.errand.id, self.tally.tokens)
        await self._write(self._settlement(outcome, status, code))
        if released is not None:
            # Before the last byte: a caller who asks again upon it finds the place free.
            await asyncio.wait({released})

    async def _write(self, settlement: Settlement) -> None:
        if self._is_open:
            await self._ledger.settle(settlement)
            return
        try:
            await self._ledger.record(self._opening, settlement)
        except Shedding:
            return  # said in the writer's log; the caller gets the answer that was due

    def _settlement(self, outcome: Outcome, status: int, code: str) -> Settlement:
        computed = compute(self.tally, self._prices()) if self.tally != Tally() else None
        return Settlement(
            id=self.errand.id,
            settled_at=time.time(),
            outcome=outcome,
            http_status=status,
            error_code=code,
            stop_reason=self.stop_reason,
            tally=self.tally,
            cost_source=self._cost_source(computed),
            nano_computed=computed,
            premium_thousandths=self._premium(outcome),
            first_byte_ms=self._first_byte_ms,
            total_ms=self.milliseconds(),
            upstream_format=self._plan.endpoint.wire_format if self._plan is not None else "",
            dropped=", ".join(speakable((*self.dropped, *self.lost))),
            upstream_id=self.upstream_id,
            tries=len(self.attempts),
            attempts=tuple(self.attempts),
        )

    def _prices(self) -> tuple[TokenPrice, ...]:
        if self._plan is None:
            return ()
        return self._runtime.prices(self._plan.seat, self._plan.model, self.errand.opened_at)

    def _cost_source(self, computed: int | None) -> str:
        if self.tally.nano is not None:
            return "reported"
        if computed is None:
            return ""
        return "estimated" if self.is_estimated else "computed"

    def _premium(self, outcome: Outcome) -> int | None:
        """On plans that count requests: the model's multiplier for a turn of the user's, nothing for an agent's."""
        if self._plan is None or outcome is Outcome.REFUSED or self._plan.model.multiplier_thousandths is None:
            return None
        if not any(line.status == 200 for line in self.attempts):
            return 0  # what the upstream refused it does not charge
        is_user = self._plan.initiator is Initiator.USER
        return self._plan.model.multiplier_thousandths if is_user else 0
