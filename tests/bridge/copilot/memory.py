"""Stores in memory and a GitHub that answers from a script, for the tests of the upstream client."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import httpx

from bridge.copilot.origins import Origins, origins_for
from bridge.copilot.stores import CredentialKind, SeatCredential, StoredCatalogue
from bridge.copilot.tokens import CopilotToken
from bridge.copilot.verdicts import TokenRefused
from bridge.errors import SeatRequired


class Clock:
    """A clock that moves when told."""

    def __init__(self, at: float = 1_800_000_000.0) -> None:
        self.at = at

    def __call__(self) -> float:
        return self.at


@dataclass
class MemoryStore:
    """A token store as two processes see it: everything is one await away, leases lapse by the clock."""

    clock: Clock
    seats: dict[int, SeatCredential] = field(default_factory=dict)
    leases: dict[int, tuple[str, float]] = field(default_factory=dict)
    refusals: list[TokenRefused] = field(default_factory=list)
    reads: int = 0
    saves: int = 0

    def connect(self, seat: int = 1, kind: CredentialKind = CredentialKind.EXCHANGED, token: str = "ghu_x") -> None:
        self.seats[seat] = SeatCredential(seat, "github.com", kind, token)

    async def read(self, seat: int) -> SeatCredential:
        await asyncio.sleep(0)
        self.reads += 1
        if seat not in self.seats:
            raise SeatRequired("There is no such seat.")
        return self.seats[seat]

    async def claim(self, seat: int, owner: str, seconds: float) -> bool:
        await asyncio.sleep(0)
        holder = self.leases.get(seat)
        if holder is not None and holder[1] > self.clock():
            return False
        self.leases[seat] = (owner, self.clock() + seconds)
        return True

    async def save(self, seat: int, owner: str, token: CopilotToken) -> None:
        await asyncio.sleep(0)
        self.saves += 1
        self.seats[seat] = replace(self.seats[seat], copilot=token)
        await self.release(seat, owner)

    async def release(self, seat: int, owner: str) -> None:
        await asyncio.sleep(0)
        if self.leases.get(seat, ("", 0.0))[0] == owner:
            del self.leases[seat]

    async def refuse(self, seat: int, refusal: TokenRefused) -> None:
        await asyncio.sleep(0)
        self.refusals.append(refusal)

    async def discard(self, seat: int, token: CopilotToken) -> None:
        await asyncio.sleep(0)
        stored = self.seats[seat].copilot
        if stored is not None and stored.expires_at == token.expires_at:
            self.seats[seat] = replace(self.seats[seat], copilot=None)


@dataclass
class MemoryCatalogues:
    copies: dict[int, StoredCatalogue] = field(default_factory=dict)

    async def load(self, seat: int) -> StoredCatalogue | None:
        await asyncio.sleep(0)
        return self.copies.get(seat)

    async def store(self, seat: int, body: bytes, at: float) -> None:
        await asyncio.sleep(0)
        self.copies[seat] = StoredCatalogue(body, at)


class Server:
    """Answers requests in the order of `answers`, the last one for ever; keeps what it was asked."""

    def __init__(self, *answers: httpx.Response | Exception | Callable[[int], httpx.Response], hold: bool = False):
        self.answers = list(answers)
        self.requests: list[httpx.Request] = []
        self.gate = asyncio.Event()
        if not hold:
            self.gate.set()
        self.http = httpx.AsyncClient(transport=httpx.MockTransport(self._handle))

    async def _handle(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        number = len(self.requests)
        await self.gate.wait()
        answer = self.answers[min(number, len(self.answers)) - 1]
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, httpx.Response):
            return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)
        return answer(number)


def token_answer(number: int = 1, **fields: object) -> httpx.Response:
    """A token exchange's answer; the number makes the token its own."""
    body = {
        "token": f"tid=abc;exp=1;n={number}:mac",
        "expires_at": 1_800_001_800,
        "refresh_in": 1500,
        "sku": "copilot_for_business_seat_quota",
        "chat_enabled": True,
        "endpoints": {"api": "https://api.business.githubcopilot.com"},
    }
    return json_answer(200, body | fields)


def json_answer(status: int, body: object, **headers: str) -> httpx.Response:
    return httpx.Response(status, content=json.dumps(body).encode(), headers=headers)


def origins(host: str) -> Origins:
    return origins_for(host)


async def instantly(_seconds: float) -> None:
    """A pause that only lets others run."""
    await asyncio.sleep(0)


async def settle(turns: int = 50) -> None:
    """Let everything that can run without time passing run."""
    for _ in range(turns):
        await asyncio.sleep(0)
