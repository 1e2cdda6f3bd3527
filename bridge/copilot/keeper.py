"""Bearers for the Copilot API, renewed before they lapse, by one flight per seat however many wait for it.

    fresh     answered from memory: one look-up, no await
    ageing    past its renewal time but not expired: handed out, while one flight renews it
    gone      expired, rejected or never held: everybody waits for one flight

A flight is a task of its own, so a waiter that is cancelled leaves it running, and a flight that fails raises for
all who wait. Its failure is told again for two seconds, lest a hundred callers make a hundred exchanges; an ageing
bearer is left alone somewhat longer after a failed renewal.

Between processes the store's lease makes one of them exchange; the others look at the store until the winner has
saved or its lease has lapsed.

After a 401 the relay calls `reject`. Only the bearer in use can be rejected, so a hundred 401s cost one exchange:
ninety-nine of them speak of a bearer that is gone by then. The rejected token is remembered here and discarded in
the store, so neither this process, nor another, nor the next start takes it up again. A direct token cannot be
renewed: a second rejection within five minutes means that the seat needs a new login. A 403 may also mean that the
account may not do this one thing, which no renewal cures: it renews at most once a minute, and no direct token.
The token of an app is renewed like an exchanged one; but GitHub gives it out without asking Copilot, so a second
rejection within five minutes ends it like a direct one.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bridge.copilot.app_tokens import fetch_app_token
from bridge.copilot.flights import Flights
from bridge.copilot.origins import api_base
from bridge.copilot.stores import CredentialKind
from bridge.copilot.tokens import CopilotToken, exchange
from bridge.copilot.verdicts import SeatVerdict, TokenRefused
from bridge.errors import TimedOut

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    import httpx

    from bridge.copilot.identity import Profile
    from bridge.copilot.origins import Origins
    from bridge.copilot.stores import SeatCredential, TokenStore

LEASE_SECONDS = 45.0
# An exchange ends within its lease, so that nobody else begins one beside it.
EXCHANGE_SECONDS = 40.0
FLIGHT_SECONDS = 90.0
POLL_SECONDS = 0.2
FAILURE_TOLD_SECONDS = 2.0
RENEWAL_PAUSE_SECONDS = 15.0
SECOND_REJECTION_SECONDS = 300.0
FORBIDDEN_PAUSE_SECONDS = 60.0
NEVER = float("inf")
_SIGN_IN_NOT_TAKEN = "Copilot no longer accepts this seat's sign-in. Connect the account again."
_APP_NOT_TAKEN = (
    "Copilot does not take the tokens of this app. See whether the organisation has Copilot and lets apps use it."
)


@dataclass(frozen=True, slots=True)
class Bearer:
    """What goes into `Authorization: Bearer`, and where. `issue` tells apart the uses of one direct token."""

    token: str = field(repr=False)
    api_base: str
    kind: CredentialKind
    expires_at: float
    issue: int = 0


@dataclass(frozen=True, slots=True)
class _Held:
    bearer: Bearer
    renew_at: float


@dataclass(frozen=True, slots=True)
class _Rejection:
    token: str = field(repr=False)
    at: float
    forbidden: bool = False


class TokenKeeper:
    """Hands out bearers by seat. `owner` names this process in leases and must be unique among all processes."""

    def __init__(
        self,
        store: TokenStore,
        http: httpx.AsyncClient,
        profile: Profile,
        origins: Callable[[str], Origins],
        *,
        owner: str,
        now: Callable[[], float] = time.time,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._store = store
        self._http = http
        self._profile = profile
        self._origins = origins
        self._owner = owner
        self._now = now
        self._sleep = sleep
        self._held: dict[int, _Held] = {}
        self._flights: Flights[Bearer] = Flights("bearer", now)
        self._rejections: dict[int, _Rejection] = {}
        self._issues = 0

    async def bearer(self, seat: int) -> Bearer:
        """Return a bearer that has not expired.

        Raises TokenRefused or SeatRequired when the seat cannot be used, RateLimited, Unavailable, Unreachable or
        TimedOut when GitHub cannot be asked just now.
        """
        held = self._held.get(seat)
        now = self._now()
        if held is not None and now < held.renew_at:
            return held.bearer
        if held is not None and now < held.bearer.expires_at:
            if self._flights.may_start(seat, RENEWAL_PAUSE_SECONDS):
                self._flights.start(seat, self._fly)
            return held.bearer
        self._flights.raise_recent(seat, FAILURE_TOLD_SECONDS)
        return await self._flights.join(seat, self._fly)

    async def reject(self, seat: int, bearer: Bearer, *, forbidden: bool = False) -> None:
        """Say that the upstream answered 401 (or 403: `forbidden`) to this bearer, if it is still the current one."""
        held = self._held.get(seat)
        before, now = self._rejections.get(seat), self._now()
        if held is None or held.bearer != bearer or (forbidden and not _may_help(bearer, before, now)):
            return
        del self._held[seat]
        self._rejections[seat] = _Rejection(bearer.token, now, forbidden)
        if bearer.kind is not CredentialKind.DIRECT:
            await self._store.discard(
                seat, CopilotToken(bearer.token, bearer.expires_at, held.renew_at, bearer.api_base)
            )
        if not forbidden and _was_last_chance(bearer, before, now):
            await self._give_up(seat, bearer.kind)

    def forget(self, seat: int) -> None:
        """Drop all that is known of a seat, because it was connected anew, changed or removed."""
        self._held.pop(seat, None)
        self._rejections.pop(seat, None)
        # A flight under way was begun with the old sign-in: its waiters get its answer, nobody else does.
        self._flights.forget(seat)

    async def aclose(self) -> None:
        """End the flights under way and give their leases back."""
        await self._flights.aclose()

    async def _fly(self, seat: int) -> Bearer:
        try:
            async with asyncio.timeout(FLIGHT_SECONDS):
                held = await self._obtain(seat)
        except TimeoutError as error:
            raise TimedOut("No Copilot token came within %(seconds)d seconds.", {"seconds": FLIGHT_SECONDS}) from error
        if self._flights.is_current(seat):
            self._held[seat] = held
        return held.bearer

    async def _obtain(self, seat: int) -> _Held:
        while True:
            found = self._usable(await self._store.read(seat))
            if found is not None:
                return found
            if await self._store.claim(seat, self._owner, LEASE_SECONDS):
                return await self._obtain_leased(seat)
            await self._sleep(POLL_SECONDS)

    async def _obtain_leased(self, seat: int) -> _Held:
        saved = False
        try:
            # Whoever held the lease before may have saved between our look at the store and our claim.
            credential = await self._store.read(seat)
            found = self._usable(credential)
            if found is None:
                token = await self._exchange(credential)
                await self._store.save(seat, self._owner, token)
                saved = True
                found = self._hold(credential.kind, token)
            return found
        finally:
            if not saved:
                await self._store.release(seat, self._owner)

    async def _exchange(self, credential: SeatCredential) -> CopilotToken:
        origins = self._origins(credential.host)
        try:
            async with asyncio.timeout(EXCHANGE_SECONDS):
                return await self._fetch(origins, credential)
        except TimeoutError as error:
            raise TimedOut("The token exchange took too long.") from error
        except TokenRefused as refusal:
            # Somebody may have signed in anew meanwhile; what GitHub said of the old sign-in is not true of it.
            if (await self._store.read(credential.seat)).is_signed_in_like(credential):
                await self._store.refuse(credential.seat, refusal)
            raise

    async def _fetch(self, origins: Origins, credential: SeatCredential) -> CopilotToken:
        http, profile, host = self._http, self._profile, credential.host
        if credential.app is not None:
            return await fetch_app_token(
                http, origins, profile, credential.app, host=host, now=self._now, sleep=self._sleep
            )
        token = credential.github_token
        return await exchange(http, origins, profile, token, host=host, now=self._now, sleep=self._sleep)

    def _usable(self, credential: SeatCredential) -> _Held | None:
        """Return what can be used of a stored credential without asking GitHub, if anything can."""
        if credential.kind is CredentialKind.DIRECT:
            origins = self._origins(credential.host)
            base = api_base(credential.host, None, operator=origins.operator)
            return self._hold(credential.kind, CopilotToken(credential.github_token, NEVER, NEVER, base.url))
        token = credential.copilot
        if token is None or self._was_rejected(credential.seat, token):
            return None
        # A bearer in use is only worth replacing by one that is fresh; with none at hand any living one serves.
        deadline = token.renew_at if credential.seat in self._held else token.expires_at
        return self._hold(credential.kind, token) if self._now() < deadline else None

    def _was_rejected(self, seat: int, token: CopilotToken) -> bool:
        rejection = self._rejections.get(seat)
        return rejection is not None and rejection.token == token.token

    def _hold(self, kind: CredentialKind, token: CopilotToken) -> _Held:
        self._issues += 1
        return _Held(Bearer(token.token, token.api_base, kind, token.expires_at, self._issues), token.renew_at)

    async def _give_up(self, seat: int, kind: CredentialKind) -> None:
        refusal = TokenRefused(
            _APP_NOT_TAKEN if kind is CredentialKind.APP else _SIGN_IN_NOT_TAKEN,
            state=SeatVerdict.NEEDS_LOGIN,
            upstream_code="unauthorized",
            upstream_status=401,
        )
        self._flights.fail(seat, refusal)
        await self._store.refuse(seat, refusal)


def _may_help(bearer: Bearer, before: _Rejection | None, now: float) -> bool:
    recent = before is not None and now - before.at < FORBIDDEN_PAUSE_SECONDS
    return bearer.kind is not CredentialKind.DIRECT and not recent


def _was_last_chance(bearer: Bearer, before: _Rejection | None, now: float) -> bool:
    """Whether this 401 means that no bearer of this seat is taken; an exchange finds that out by itself."""
    if before is None or before.forbidden or now - before.at >= SECOND_REJECTION_SECONDS:
        return False
    match bearer.kind:
        case CredentialKind.APP:
            return True
        case CredentialKind.DIRECT:
            return before.token == bearer.token
        case CredentialKind.EXCHANGED:
            return False
