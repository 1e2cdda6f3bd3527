"""Auto mode: the upstream chooses the model, at a discount, for requests that carry its session token.

`POST /models/session` names the models that may serve and the one to take now; its token lives about an hour, is
bound to the account and goes along in `Copilot-Session-Token`. Another account's or an old one is answered with
401 `Invalid auto-mode selector`. Source: GitHub's own chat client (its automode service).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from uuid import uuid4

import httpx

from bridge.copilot.fields import number, record, text, texts
from bridge.copilot.flights import Flights
from bridge.copilot.identity import Profile
from bridge.copilot.keeper import TokenKeeper
from bridge.copilot.refusals import read_refusal
from bridge.copilot.rest import Answer, send
from bridge.errors import Unavailable

AUTO = "auto"
EARLY_SECONDS = 300.0
FAILURE_SECONDS = 5.0
_WISH = {"auto_mode": {"model_hints": ["auto"]}}


@dataclass(frozen=True, slots=True)
class AutoSession:
    """`models` may serve, the `selected` one is to; `expires_at` in seconds since 1970."""

    token: str = field(repr=False)
    selected: str
    models: tuple[str, ...]
    expires_at: float


class AutoKeeper:
    """Holds one session for each seat and renews it before it ends; one request for all who wait."""

    def __init__(
        self,
        keeper: TokenKeeper,
        http: httpx.AsyncClient,
        profile: Profile,
        *,
        now: Callable[[], float] = time.time,
        new_id: Callable[[], str] = lambda: str(uuid4()),
    ) -> None:
        self._keeper = keeper
        self._http = http
        self._profile = profile
        self._now = now
        self._new_id = new_id
        self._sessions: dict[int, AutoSession] = {}
        self._flights: Flights[AutoSession] = Flights("auto-mode session", now)

    async def session(self, seat: int) -> AutoSession:
        """The seat's session. Raises what the upstream refused it with."""
        held = self._sessions.get(seat)
        if held is not None and held.expires_at - EARLY_SECONDS > self._now():
            return held
        self._flights.raise_recent(seat, FAILURE_SECONDS)
        return await self._flights.join(seat, self._fetch)

    def forget(self, seat: int) -> None:
        """Drop the session: the upstream refused it, or the seat was connected anew."""
        self._sessions.pop(seat, None)
        self._flights.forget(seat)

    async def aclose(self) -> None:
        await self._flights.aclose()

    async def _fetch(self, seat: int) -> AutoSession:
        answer = await self._ask(seat)
        if answer.status == 401:
            answer = await self._ask(seat)
        if answer.status != 200:
            raise read_refusal(answer.status, answer.headers, answer.body, now=self._now)
        session = read_session(answer)
        if self._flights.is_current(seat):
            self._sessions[seat] = session
        return session

    async def _ask(self, seat: int) -> Answer:
        bearer = await self._keeper.bearer(seat)
        headers = self._profile.models_headers(self._new_id()) | {
            "Authorization": f"Bearer {bearer.token}",
            "Content-Type": "application/json",
        }
        answer = await send(self._http, "POST", f"{bearer.api_base}/models/session", headers=headers, body=_WISH)
        if answer.status == 401:
            await self._keeper.reject(seat, bearer)
        return answer


def read_session(answer: Answer) -> AutoSession:
    """The session in an answer of status 200. Raises Unavailable when it is none."""
    said = record(answer.json())
    models = texts(said.get("available_models"))
    token, selected = text(said, "session_token"), text(said, "selected_model")
    if not token or not (selected or models):
        raise Unavailable("GitHub Copilot's auto mode gave no session. Name a model instead of 'auto'.")
    return AutoSession(token, selected or models[0], models, number(said, "expires_at") or 0.0)
