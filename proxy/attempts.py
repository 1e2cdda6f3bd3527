"""Getting an answer out of the upstream: the one place of retries, repairs and renewed bearers.

    status 200            hand the open reply on
    401, 403, 421         the bearer was refused: renew it, try again
    400 that teaches      compose the request differently (another field, effort, endpoint), try again, each once
    5xx, no connection    up to RETRIES times more, with growing pauses
    anything else         the refusal is the answer

All of it ends before the first content event: a POST whose answer began is never sent again.
"""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass

from accounts.ledger import AttemptLine
from bridge.copilot.keeper import Bearer
from bridge.copilot.quota import read_quota_headers
from bridge.copilot.refusals import read_refusal
from bridge.copilot.transport import UpstreamReply
from bridge.errors import BadRequest, BridgeError, UnknownModel, UpstreamFault
from proxy.composing import Composer
from proxy.record import Record
from proxy.runtime import Runtime
from proxy.seatcare import note_refusal

RETRIES = 2
REPAIRS = 4
FIRST_PAUSE = 0.4
_BEARER_REFUSED = frozenset({401, 403, 421})


@dataclass(slots=True)
class _Budget:
    """What may still be tried."""

    retries: int = RETRIES
    # Two: the first may bring a bearer that another process had stored and that GitHub revoked along with ours.
    renewals: int = 2
    repairs: int = REPAIRS
    pause: float = FIRST_PAUSE


class Attempts:
    """The tries of one request. `reply` may be called again after a failure that `may_retry` allowed."""

    def __init__(self, runtime: Runtime, composer: Composer, record: Record) -> None:
        self._runtime = runtime
        self._composer = composer
        self._record = record
        self._budget = _Budget()
        self._bearer: Bearer | None = None

    async def reply(self) -> UpstreamReply:
        """The upstream's open reply of status 200. Raises what the last try failed with."""
        while True:
            started = self._record.milliseconds()
            status: int | None = None
            try:
                reply = await self._post()
                status = reply.status
                if status == 200:
                    self._note(started, status, None)
                    return reply
                error = await self._refusal(reply)
            except BridgeError as failure:
                error = failure
            self._note(started, status, error)
            if not await self.may_retry(error):
                raise await self._final(error)

    async def may_retry(self, error: BridgeError) -> bool:
        """Whether another try is due for `error`; pauses, renews and repairs as that needs."""
        if error.upstream_status in _BEARER_REFUSED and self._bearer is not None:
            return await self._renew(forbidden=error.upstream_status == 403)
        if isinstance(error, BadRequest):
            return self._repair(error)
        if isinstance(error, UpstreamFault) and not error.final and self._budget.retries > 0:
            self._budget.retries -= 1
            await asyncio.sleep(self._budget.pause * (0.75 + random.random() / 2))  # noqa: S311 - jitter, no secret
            self._budget.pause *= 2.5
            return True
        return False

    async def _post(self) -> UpstreamReply:
        runtime, plan = self._runtime, self._composer.plan
        self._bearer = None
        self._bearer = bearer = await runtime.tokens.bearer(plan.seat.id)
        written, extra = self._composer.compose()
        plan = self._composer.plan
        self._record.send(plan, written.dropped)
        headers = runtime.profile.generation_headers(
            intent=runtime.profile.intent(plan.endpoint),
            initiator=plan.initiator,
            vision=plan.vision,
            request_id=runtime.ids.attempt(),
            interaction_id=plan.session,
        )
        headers |= plan.model.request_headers
        headers |= extra
        if plan.auto:
            headers["Copilot-Session-Token"] = (await runtime.auto.session(plan.seat.id)).token
        headers["Authorization"] = f"Bearer {bearer.token}"
        reply = await runtime.upstream.post(f"{bearer.api_base}{plan.endpoint.value}", headers, written.body)
        self._record.upstream_id = reply.headers.get("x-github-request-id") or reply.headers.get("x-request-id", "")
        if reply.status == 200:
            runtime.note_quota(plan.seat.id, read_quota_headers(reply.headers))
            runtime.affinity.note(plan.session, self._record.errand.caller.key, plan.seat.id)
        return reply

    async def _refusal(self, reply: UpstreamReply) -> BridgeError:
        try:
            return read_refusal(reply.status, reply.headers, await reply.read())
        finally:
            await reply.aclose()

    async def _renew(self, *, forbidden: bool) -> bool:
        if self._bearer is None or self._budget.renewals == 0:
            return False
        self._budget.renewals -= 1
        before, seat = self._bearer, self._composer.plan.seat.id
        self._runtime.auto.forget(seat)
        await self._runtime.tokens.reject(seat, before, forbidden=forbidden)
        return not forbidden or await self._runtime.tokens.bearer(seat) != before

    def _repair(self, error: BadRequest) -> bool:
        if error.upstream_status is None or self._budget.repairs == 0:
            return False
        plan = self._composer.plan
        if error.upstream_code == "unsupported_api_for_model":
            self._runtime.catalogues.learn(plan.seat.id, plan.model.id, plan.endpoint)
        self._budget.repairs -= 1
        return self._composer.mend(error)

    async def _final(self, error: BridgeError) -> BridgeError:
        """The refusal as the caller gets it, after the seat was told."""
        seat = self._composer.plan.seat.id
        if error.upstream_status == 401 and self._bearer is not None:
            await self._runtime.tokens.reject(seat, self._bearer)
        await note_refusal(seat, error)
        if isinstance(error, UnknownModel) and self._composer.plan.model.needs_consent:
            return _asks_for_consent(self._composer.plan.model.id, error)
        return error

    def _note(self, started: int, status: int | None, error: BridgeError | None) -> None:
        plan = self._composer.plan
        if error is not None:
            self._record.take_back()
        self._record.attempts.append(
            AttemptLine(
                seat=plan.seat.id,
                seat_name=plan.seat.name,
                upstream_format=plan.endpoint.wire_format,
                status=status if status is not None else error.upstream_status if error is not None else None,
                error_code="" if error is None else error.upstream_code or error.code,
                started_ms=started,
                total_ms=self._record.milliseconds() - started,
            )
        )


def _asks_for_consent(model: str, error: UnknownModel) -> UnknownModel:
    return UnknownModel(
        "GitHub asks for consent to the terms of '%(model)s' before its first use. The seat's owner can give it at "
        "https://github.com/settings/copilot/features, the gateway's owner with: manage.py acceptmodel %(model)s",
        {"model": model},
        param="model",
        upstream_status=error.upstream_status,
        upstream_code=error.upstream_code,
    )
