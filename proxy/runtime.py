"""What a serving process owns: the upstream's connections, tokens and model lists, the directory, the ledger's writer.

One object, started and stopped by the ASGI lifespan (or by the first request, under a server without one). The doors
reach it through their request; nothing here is a module's state.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID, uuid4

import httpx
from django.conf import settings

from accounts.database import in_thread
from accounts.days import day_at, this_day
from accounts.directory import Directory, SeatEntry, Snapshot
from accounts.github import configured_overrides, configured_profile, configured_wire_profiles
from accounts.ledger import LedgerWriter
from accounts.nightly import Nightly
from accounts.prices.live import LivePrices
from accounts.replies import Replies
from accounts.standing import Standings
from accounts.stores import CatalogueCopies, SeatStore
from accounts.telling import Teller
from bridge.copilot.automode import AutoKeeper
from bridge.copilot.catalogue import Catalogue, CatalogueKeeper
from bridge.copilot.identity import Profile
from bridge.copilot.keeper import TokenKeeper
from bridge.copilot.model import Model, TokenPrice
from bridge.copilot.origins import Origins, origins_for
from bridge.copilot.quota import Quota
from bridge.copilot.transport import Upstream
from bridge.counting import Calibration
from bridge.target import WireProfile
from bridge.wire_profiles import wire_profile
from proxy.admission import Admission
from proxy.affinity import Affinity
from proxy.ids import Ids
from proxy.lessons import Lessons
from proxy.levels import SeatLevels
from proxy.runaway import RunawayGuard
from proxy.usual_outputs import UsualOutputs, latest_answers
from proxy.version import VERSION

logger = logging.getLogger(__name__)

GITHUB_SECONDS = 30.0
# Estimating a large prompt takes milliseconds: once a minute for a model is enough.
CALIBRATION_PAUSE_SECONDS = 60.0
CALIBRATED_MODELS = 1000


@dataclass(frozen=True, slots=True)
class Limits:
    """The settings that the request path reads, read once. Sizes in bytes, times in seconds."""

    body: int = field(default_factory=lambda: settings.BRIDGE_BODY_LIMIT)
    body_budget: int = field(default_factory=lambda: settings.BRIDGE_BODY_BUDGET)
    head: float = field(default_factory=lambda: settings.BRIDGE_HEAD_SECONDS)
    grace: float = field(default_factory=lambda: settings.BRIDGE_GRACE_SECONDS)
    keepalive: float = field(default_factory=lambda: settings.BRIDGE_KEEPALIVE_SECONDS)
    overflow: bool = field(default_factory=lambda: settings.BRIDGE_OVERFLOW)
    device_page: str = field(default_factory=lambda: f"{settings.PUBLIC_URL}/auth/device")
    recovering: tuple[str, ...] = field(default_factory=lambda: tuple(settings.BRIDGE_RECOVER_CALLS))
    wire_rules: Mapping[str, WireProfile] = field(default_factory=configured_wire_profiles)

    def wire_profile(self, model: str) -> WireProfile:
        """The habits of the Responses format that a model has."""
        return wire_profile(model, self.wire_rules)


@dataclass(frozen=True, slots=True)
class Running:
    """A request on its way: whose key it uses and the task that carries it."""

    key: int
    task: asyncio.Task[object]


class Runtime:
    def __init__(self) -> None:
        self.ids = Ids()
        self.instance: UUID = uuid4()
        self.limits = Limits()
        self.running: dict[UUID, Running] = {}
        self.revoked: set[UUID] = set()
        self.body_bytes = 0
        self.lessons = Lessons()
        self.calibration = Calibration()
        self.usual_outputs = UsualOutputs()
        self.runaway = RunawayGuard()
        self.affinity = Affinity()
        self.levels = SeatLevels()
        self.admission = Admission(settings.REDIS_URL)
        self.replies = Replies()
        self.standings = Standings()
        self.directory = Directory(self._heard)
        self.ledger = LedgerWriter(self.instance, VERSION)
        self.profile: Profile
        self.upstream: Upstream
        self.tokens: TokenKeeper
        self.catalogues: CatalogueKeeper
        self.auto: AutoKeeper
        self._http: httpx.AsyncClient
        self._loop: asyncio.AbstractEventLoop | None = None
        self._starting = asyncio.Lock()
        self._tasks: set[asyncio.Task[object]] = set()
        self._credentials: dict[int, str] = {}
        self._live_prices = LivePrices()
        self._calibrated: dict[str, float] = {}

    @property
    def started(self) -> bool:
        return self._loop is not None

    async def start(self) -> None:
        """Begin; a second call waits for the first and does nothing."""
        async with self._starting:
            if self._loop is not None:
                return
            loop = asyncio.get_running_loop()
            self.profile = configured_profile()
            overrides = configured_overrides()

            def origins(host: str) -> Origins:
                return origins_for(host, overrides)

            self._http = httpx.AsyncClient(timeout=GITHUB_SECONDS, follow_redirects=False)
            self.upstream = Upstream()
            owner = str(self.instance)
            self.tokens = TokenKeeper(SeatStore(), self._http, self.profile, origins, owner=owner)
            self.catalogues = CatalogueKeeper(
                CatalogueCopies(), self.tokens, self._http, self.profile, on_news=self._note_prices
            )
            self.auto = AutoKeeper(self.tokens, self._http, self.profile)
            await self.admission.start()
            self._loop = loop
            self.ledger.start(loop)
            await asyncio.to_thread(self.directory.start)
            self.spawn(self.replies.sweep())
            self.spawn(self.levels.run())
            self.spawn(Teller(self._http).run())
            self.spawn(self._learn_usual_outputs())
            self.spawn(Nightly(owner).run())

    async def stop(self) -> None:
        """End in order: no more news, no more renewals, the ledger's last rows, the connections."""
        if self._loop is None:
            return
        for task in list(self._tasks):
            task.cancel()
        await asyncio.to_thread(self.directory.stop)
        await self.auto.aclose()
        await self.catalogues.aclose()
        await self.tokens.aclose()
        await asyncio.to_thread(self.ledger.stop)
        await self.admission.stop()
        await self.upstream.aclose()
        await self._http.aclose()
        self._loop = None

    def spawn(self, work: Coroutine[object, object, object]) -> None:
        """Run `work` beside the request that started it; its failure is logged."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def note_quota(self, seat: int, quotas: tuple[Quota, ...]) -> None:
        """Remember what an answer's headers said is left; written at most once a minute for a seat."""
        if self.levels.see(seat, quotas):
            self.spawn(self.levels.write(seat, quotas))

    def prices(self, seat: SeatEntry, model: Model, opened_at: float) -> tuple[TokenPrice, ...]:
        """The prices of a request to `model` on `seat` that opened at that Unix time; none when credits do not pay."""
        day = day_at(datetime.fromtimestamp(opened_at, UTC))
        return self.directory.snapshot.prices.prices(model, day, token_based=seat.token_based)

    def _note_prices(self, seat: int, catalogue: Catalogue) -> None:
        card, today = self.directory.snapshot.prices, this_day()
        self.spawn(self._live_prices.hear(seat, catalogue.models, card, today))

    async def _learn_usual_outputs(self) -> None:
        self.usual_outputs.learn(await in_thread(latest_answers)())

    def may_calibrate(self, model: str) -> bool:
        """Whether it is time again to compare an estimate for `model` with what the upstream counted."""
        now = time.monotonic()
        if now - self._calibrated.get(model, -CALIBRATION_PAUSE_SECONDS) < CALIBRATION_PAUSE_SECONDS:
            return False
        if len(self._calibrated) > CALIBRATED_MODELS:
            self._calibrated.clear()
        self._calibrated[model] = now
        return True

    def _ended(self, task: asyncio.Task[object]) -> None:
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None:
            logger.error("Work beside a request failed", exc_info=error)

    def _heard(self, snapshot: Snapshot) -> None:
        """A new snapshot, in the directory's thread."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._apply, snapshot)

    def _apply(self, snapshot: Snapshot) -> None:
        """End what runs on keys that are gone; forget tokens of seats that were connected anew or removed."""
        for request, running in list(self.running.items()):
            if running.key not in snapshot.keys:
                self.revoked.add(request)
                running.task.cancel()
        self.levels.hear(snapshot)
        credentials = {seat.id: seat.credential for seat in snapshot.seats}
        for seat, credential in self._credentials.items():
            if credentials.get(seat) != credential:
                self.tokens.forget(seat)
                self.catalogues.forget(seat)
                self.auto.forget(seat)
        self._credentials = credentials
