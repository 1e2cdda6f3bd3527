"""The live model list of each seat: always at hand, renewed in the background, corrected by what is met.

A list older than ten minutes is still served while one flight fetches the next. A seat whose list is not in
memory gets the copy the store kept, and only when there is none waits for the upstream. When an endpoint turns a
model away that the list promised it, `learn` believes the refusal for ten minutes.
"""

from __future__ import annotations

import json
import logging
import time
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING
from uuid import uuid4

from bridge.copilot.endpoints import Endpoint
from bridge.copilot.fields import entries, record
from bridge.copilot.flights import Flights
from bridge.copilot.model import Model, TokenPrice, read_model
from bridge.copilot.refusals import read_refusal
from bridge.copilot.rest import send
from bridge.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import httpx

    from bridge.copilot.identity import Profile
    from bridge.copilot.keeper import TokenKeeper
    from bridge.copilot.rest import Answer
    from bridge.copilot.stores import CatalogueStore

__all__ = ["Catalogue", "CatalogueKeeper", "Endpoint", "Model", "TokenPrice", "read_catalogue", "read_model"]

log = logging.getLogger(__name__)

STALE_SECONDS = 600.0
LESSON_SECONDS = 600.0
RENEWAL_PAUSE_SECONDS = 30.0
FAILURE_TOLD_SECONDS = 2.0
GENERATION = frozenset({Endpoint.CHAT, Endpoint.RESPONSES, Endpoint.MESSAGES})
# Tried when every endpoint the list names has turned the model away; /v1/messages takes only its own family.
ALTERNATIVES = frozenset({Endpoint.CHAT, Endpoint.RESPONSES})


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The models of one seat by id, when they were fetched (epoch seconds), and how many entries had no id."""

    models: Mapping[str, Model]
    fetched_at: float
    skipped: int = 0


def read_catalogue(body: bytes, fetched_at: float) -> Catalogue:
    """Return the list in a `/models` answer; raises Unavailable when there is no model in it."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Unavailable("The upstream's model list is not JSON.") from error
    listed = entries(value if isinstance(value, list) else record(value).get("data"))
    found = [read_model(entry) for entry in listed]
    models: dict[str, Model] = {}
    for model in found:
        if model is not None:
            models.setdefault(model.id, model)
    if not models:
        raise Unavailable("The upstream's model list is empty.")
    return Catalogue(MappingProxyType(models), fetched_at, found.count(None))


@dataclass(slots=True)
class _Shelf:
    """What is held for one seat: the list as fetched, the lessons learned since, and the list they leave."""

    fetched: Catalogue
    lessons: dict[tuple[str, Endpoint], float]
    shown: Catalogue
    next_lapse: float = float("inf")

    def show(self, now: float) -> None:
        self.lessons = {lesson: until for lesson, until in self.lessons.items() if until > now}
        self.next_lapse = min(self.lessons.values(), default=float("inf"))
        self.shown = _corrected(self.fetched, self.lessons)


class CatalogueKeeper:
    """Keeps one list per seat. `new_id` makes the request id of each attempt.

    `on_news` is called with each list that was read from the upstream; it must neither wait nor raise.
    """

    def __init__(
        self,
        store: CatalogueStore,
        keeper: TokenKeeper,
        http: httpx.AsyncClient,
        profile: Profile,
        *,
        now: Callable[[], float] = time.time,
        new_id: Callable[[], str] = lambda: str(uuid4()),
        on_news: Callable[[int, Catalogue], None] = lambda _seat, _catalogue: None,
    ) -> None:
        self._store = store
        self._keeper = keeper
        self._http = http
        self._profile = profile
        self._now = now
        self._new_id = new_id
        self._on_news = on_news
        self._shelves: dict[int, _Shelf] = {}
        self._flights: Flights[Catalogue] = Flights("models", now)

    async def get(self, seat: int) -> Catalogue:
        """Return the seat's list; if there is none, raises what `TokenKeeper.bearer` raises or the upstream's fault."""
        shelf = self._shelves.get(seat)
        now = self._now()
        if shelf is None:
            self._flights.raise_recent(seat, FAILURE_TOLD_SECONDS)
            return await self._flights.join(seat, self._first)
        if now >= shelf.next_lapse:
            shelf.show(now)
        if now - shelf.fetched.fetched_at >= STALE_SECONDS and self._flights.may_start(seat, RENEWAL_PAUSE_SECONDS):
            self._flights.start(seat, self._fetch)
        return shelf.shown

    async def refresh(self, seat: int) -> Catalogue:
        """Return the list as it is now at the upstream; raises when it cannot be had, and keeps the old one."""
        asked_at = self._now()
        catalogue = await self._flights.join(seat, self._fetch)
        if catalogue.fetched_at < asked_at:
            # The flight under way was the first one, and the stored copy was enough for it.
            catalogue = await self._flights.join(seat, self._fetch)
        return catalogue

    def learn(self, seat: int, model: str, endpoint: Endpoint) -> None:
        """Remember for ten minutes that `endpoint` turned `model` away (`unsupported_api_for_model`)."""
        shelf = self._shelves.get(seat)
        if shelf is not None and model in shelf.fetched.models:
            now = self._now()
            shelf.lessons[model, endpoint] = now + LESSON_SECONDS
            shelf.show(now)

    def forget(self, seat: int) -> None:
        """Drop what is held of a seat, because it was connected anew, changed or removed."""
        self._shelves.pop(seat, None)
        self._flights.forget(seat)

    async def aclose(self) -> None:
        """End the flights under way."""
        await self._flights.aclose()

    async def _first(self, seat: int) -> Catalogue:
        """Return the stored copy if it can be read, else what the upstream says."""
        stored = await self._store.load(seat)
        if stored is not None:
            try:
                return self._shelve(seat, read_catalogue(stored.body, stored.at))
            except Unavailable as error:
                log.warning("The stored model list of seat %s cannot be used: %s", seat, error)
        return await self._fetch(seat)

    async def _fetch(self, seat: int) -> Catalogue:
        answer = await self._ask(seat)
        if answer.status != 200:
            raise read_refusal(answer.status, answer.headers, answer.body, now=self._now)
        catalogue = read_catalogue(answer.body, self._now())
        if catalogue.skipped:
            log.warning("%d entries of the model list of seat %s have no id", catalogue.skipped, seat)
        shown = self._shelve(seat, catalogue)
        await self._store.store(seat, answer.body, catalogue.fetched_at)
        self._on_news(seat, catalogue)
        return shown

    async def _ask(self, seat: int) -> Answer:
        """Return the upstream's answer, the second one if it did not take the first bearer."""
        answer = await self._ask_once(seat)
        return await self._ask_once(seat) if answer.status in {401, 403} else answer

    async def _ask_once(self, seat: int) -> Answer:
        bearer = await self._keeper.bearer(seat)
        headers = self._profile.models_headers(self._new_id()) | {"Authorization": f"Bearer {bearer.token}"}
        answer = await send(self._http, "GET", f"{bearer.api_base}/models", headers=headers)
        if answer.status in {401, 403}:
            await self._keeper.reject(seat, bearer, forbidden=answer.status == 403)
        return answer

    def _shelve(self, seat: int, catalogue: Catalogue) -> Catalogue:
        # A flight that `forget` cut loose answers those who wait for it and leaves no trace.
        if not self._flights.is_current(seat):
            return catalogue
        before = self._shelves.get(seat)
        shelf = _Shelf(catalogue, before.lessons if before else {}, catalogue)
        shelf.show(self._now())
        self._shelves[seat] = shelf
        return shelf.shown


def _corrected(catalogue: Catalogue, lessons: Mapping[tuple[str, Endpoint], float]) -> Catalogue:
    if not lessons:
        return catalogue
    models = dict(catalogue.models)
    for name in {name for name, _ in lessons if name in models}:
        refused = frozenset(endpoint for model, endpoint in lessons if model == name)
        left = models[name].endpoints - refused
        models[name] = replace(models[name], endpoints=left if left & GENERATION else left | (ALTERNATIVES - refused))
    return replace(catalogue, models=MappingProxyType(models))
