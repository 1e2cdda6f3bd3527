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
from uuid import UUID, uuid4

import httpx
from django.conf import settings

from accounts.directory import Directory, Snapshot
from accounts.github import configured_overrides, configured_profile, configured_wire_profiles
from accounts.ledger import LedgerWriter
from accounts.replies import Replies
from accounts.stores import CatalogueCopies, SeatStore
from bridge.copilot.automode import AutoKeeper
from bridge.copilot.catalogue import CatalogueKeeper
from bridge.copilot.identity import Profile
from bridge.copilot.keeper import TokenKeeper
from bridge.copilot.origins import Origins, origins_for
from bridge.copilot.quota import Quota
from bridge.copilot.transport import Upstream
from bridge.counting import Calibration
from bridge.target import WireProfile
from bridge.wire_profiles import wire_profile
from proxy.ids import Ids
from proxy.lessons import Lessons
from proxy.runaway import RunawayGuard
from proxy.version import VERSION

logger = logging.getLogger(__name__)

GITHUB_SECONDS = 30.0
QUOTA_PAUSE_SECONDS = 60.0
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
        self.runaway = RunawayGuard()
        self.replies = Replies()
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
        self._token_store = SeatStore()
        self._quota_written: dict[int, float] = {}
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
            self.tokens = TokenKeeper(self._token_store, self._http, self.profile, origins, owner=owner)
            self.catalogues = CatalogueKeeper(CatalogueCopies(), self.tokens, self._http, self.profile)
            self.auto = AutoKeeper(self.tokens, self._http, self.profile)
            self._loop = loop
            self.ledger.start(loop)
            await asyncio.to_thread(self.directory.start)
            self.spawn(self.replies.sweep())

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
        await self.upstream.aclose()
        await self._http.aclose()
        self._loop = None

    def spawn(self, work: Coroutine[object, object, object]) -> None:
        """Run `work` beside the request that started it; its failure is logged."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def note_quota(self, seat: int, quotas: tuple[Quota, ...]) -> None:
        """Remember what an answer's headers said is left; at most once a minute for a seat."""
        now = time.monotonic()
        if not quotas or now - self._quota_written.get(seat, -QUOTA_PAUSE_SECONDS) < QUOTA_PAUSE_SECONDS:
            return
        self._quota_written[seat] = now
        self.spawn(self._token_store.remember_quota(seat, quotas))

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
        credentials = {seat.id: seat.credential for seat in snapshot.seats}
        for seat, credential in self._credentials.items():
            if credentials.get(seat) != credential:
                self.tokens.forget(seat)
                self.catalogues.forget(seat)
                self.auto.forget(seat)
        self._credentials = credentials
