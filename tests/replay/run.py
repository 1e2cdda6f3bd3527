"""A replay: the full simulator as upstream, a real gateway process before it, clients at its doors, and `kill -9`.

The gateway dies when the count of requests begun passes a drawn number and enough of them are under way; it is started
again on the same data, and the clients go on. When all are done it is asked to stop, and the audit begins.
"""

from __future__ import annotations

import asyncio
import json
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from tests.bench.processes import ROOT, allow_many_files
from tests.gateway import Gateway
from tests.replay.asks import BUDGETED_NANO, Ask, Kind, asks, number_in_body
from tests.replay.cast import BUDGETED, KEYS, MEMBERS, SEATS, TEAM, SeatPlan
from tests.replay.client import Server, send
from tests.replay.evidence import Call, Evidence, Period, Row, Seen
from tests.simulator.server import SimulatorServer

_INSIDE_SECONDS = 300
_SETTLE_SECONDS = 30
_RIPENING_SECONDS = 5.0
_PLENTY = 10_000_000.0

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Plan:
    """`database` is a `postgres://` address; empty means SQLite in the replay's folder."""

    requests: int
    seed: str = "1"
    kills: int = 5
    parallel: int = 40
    database: str = ""

    @property
    def budgeted_limit(self) -> int:
        """A little less than half of what the budgeted key would like to spend, with room for one reservation more.

        What is reserved for an answer is less than what it costs, so that the last one let in overspends.
        """
        wanted = sum(ask.kind is Kind.BUDGETED for ask in asks(self.seed, self.requests))
        return max(1, wanted * 2 // 5) * BUDGETED_NANO + BUDGETED_NANO * 9 // 10

    @property
    def kill_points(self) -> list[int]:
        """How many requests have begun when the process is killed: once in every part of the replay."""
        dice = random.Random(f"{self.seed}/kills")
        part = self.requests / (self.kills + 1)
        return [round(part * (number + 0.5 + dice.random())) for number in range(self.kills)]

    @property
    def fewest_under_way(self) -> int:
        """A kill waits until so many requests are in flight."""
        return max(1, min(24, self.parallel * 2 // 3))


async def replay(plan: Plan, folder: Path, *, say: Say = lambda _text: None) -> Evidence:
    """Run it in `folder` and return what is known of it. `say` is told how far it is."""
    allow_many_files()
    with SimulatorServer() as simulator:
        simulator.world.settings.log_limit = 20 * plan.requests + 10_000
        simulator.world.settings.log_bytes = 1 << 34
        settings = {"DATABASE_URL": plan.database} if plan.database else {}
        gateway = Gateway(folder, simulator.url, **settings)
        secrets = await asyncio.to_thread(_furnish, gateway, simulator, plan)
        try:
            seen, killed = await _Run(plan, gateway, simulator, secrets, say).go()
        finally:
            await asyncio.to_thread(gateway.stop)
        await _quiet(simulator)
        return await asyncio.to_thread(_gathered, plan, gateway, simulator, seen, killed)


def _furnish(gateway: Gateway, simulator: SimulatorServer, plan: Plan) -> dict[str, str]:
    """Set the installation up; returns the keys' texts by name."""
    gateway.manage("setup")
    cast = {
        "members": dict(MEMBERS),
        "keys": [{"name": key.name, "member": key.member, "limits": dict(key.limits)} for key in KEYS],
        "budgets": _budgets(plan),
        "seats": [_seat(simulator, seat) for seat in SEATS],
    }
    secrets: dict[str, str] = _inside(gateway, "seed", cast)
    return secrets


def _seat(simulator: SimulatorServer, plan: SeatPlan) -> dict[str, str]:
    """A new account that nothing of this size uses up, and how it is to be connected."""
    account = simulator.world.add_account(plan.login, plan.preset)
    account.entitlement, account.overage_permitted = _PLENTY, True
    return {"token": account.github_token, "owner": plan.owner, "serves": plan.serves}


def _budgets(plan: Plan) -> list[dict[str, Any]]:
    """The one that refuses, and soft ones over every scope and span, whose periods must add up as well."""
    soft: dict[str, Any] = {"hard": False, "limit": 10 * BUDGETED_NANO}
    return [
        {"scope": "key", "of": BUDGETED.name, "span": "month", "hard": True, "limit": plan.budgeted_limit},
        {"scope": "installation", "span": "day", **soft},
        {"scope": "team", "of": TEAM, "span": "week", **soft},
        {"scope": "member", "of": BUDGETED.member, "span": "month", **soft},
    ]


class _Run:
    """Clients and killer at work."""

    def __init__(
        self, plan: Plan, gateway: Gateway, simulator: SimulatorServer, secrets: Mapping[str, str], say: Say
    ) -> None:
        self._plan = plan
        self._simulator = simulator
        self._gateway = gateway
        self._secrets = secrets
        self._say = say
        self._server = Server()
        self._seen: dict[int, Seen] = {}
        self._begun = 0
        self._point = plan.requests + 1
        self._ripe = asyncio.Event()
        self._dice = random.Random(f"{plan.seed}/moments")
        self._killed: list[int] = []

    async def go(self) -> tuple[dict[int, Seen], frozenset[int]]:
        await self._serve()
        waiting = asks(self._plan.seed, self._plan.requests)
        connector = aiohttp.TCPConnector(limit=0)
        async with aiohttp.ClientSession(connector=connector, trust_env=False) as session, asyncio.TaskGroup() as group:
            killer = group.create_task(self._kill_now_and_then())
            clients = [group.create_task(self._ask(session, waiting)) for _ in range(self._plan.parallel)]
            await asyncio.wait(clients)
            killer.cancel()
        return self._seen, frozenset(self._killed)

    async def _ask(self, session: aiohttp.ClientSession, waiting: Iterator[Ask]) -> None:
        for ask in waiting:
            self._begun += 1
            if self._begun >= self._point and self._server.in_flight >= self._plan.fewest_under_way:
                self._ripe.set()
            self._seen[ask.number] = await send(session, self._server, ask, self._secrets[ask.key])
            if len(self._seen) % 500 == 0:
                self._say(f"{len(self._seen)} of {self._plan.requests} requests have ended")

    async def _kill_now_and_then(self) -> None:
        for point in self._plan.kill_points:
            self._point = point
            self._ripe.clear()
            await self._ripe.wait()
            await self._enough_upstream()
            await asyncio.sleep(self._dice.random() * 0.05)
            under_way = self._server.in_flight
            self._server.up.clear()
            self._server.life += 1
            self._killed.append(self._gateway.pid)
            self._gateway.kill()
            self._say(f"killed process {self._killed[-1]} with {under_way} requests under way")
            await self._serve()

    async def _enough_upstream(self) -> None:
        """Return when a third of what is under way is being answered upstream, or soon anyhow."""
        deadline = time.monotonic() + _RIPENING_SECONDS
        while time.monotonic() < deadline:
            latest = self._simulator.world.log[-200:]
            if sum(record.outcome == "open" for record in latest) * 3 >= self._plan.fewest_under_way:
                return
            await asyncio.sleep(0.002)

    async def _serve(self) -> None:
        await asyncio.to_thread(self._gateway.serve)
        self._server.url = self._gateway.url
        self._server.up.set()


async def _quiet(simulator: SimulatorServer) -> None:
    """Return when nothing is under way upstream any more, or when that takes too long: the audit will say so."""
    deadline = time.monotonic() + _SETTLE_SECONDS
    while time.monotonic() < deadline:
        if not any(record.outcome == "open" for record in list(simulator.world.log)):
            return
        await asyncio.sleep(0.05)


def _gathered(
    plan: Plan, gateway: Gateway, simulator: SimulatorServer, seen: Mapping[int, Seen], killed: frozenset[int]
) -> Evidence:
    dump = _inside(gateway, "dump", None)
    logins = {seat.login for seat in SEATS}
    return Evidence(
        asks=list(asks(plan.seed, plan.requests)),
        seen=seen,
        rows=[_row(row) for row in dump["rows"]],
        calls=_calls(simulator),
        instances=dump["instances"],
        killed=killed,
        kills_due=plan.kills,
        sums=[(what, counted, rows) for what, counted, rows in dump["sums"]],
        periods=[Period(**period) for period in dump["periods"]],
        accounts={login: simulator.world.accounts[login].nano_aiu for login in logins},
        budgeted_limit=plan.budgeted_limit,
        proof=_proof(gateway),
        log_faults=_log_faults(gateway.log),
    )


def _row(row: dict[str, Any]) -> Row:
    return Row(key=row.pop("key_name"), **row)


def _calls(simulator: SimulatorServer) -> list[Call]:
    """Every request for text or embeddings that the upstream got, with its charge."""
    calls: list[Call] = []
    for record in simulator.world.log:
        request = record.request
        if request.origin != "copilot" or request.method != "POST" or record.model is None:
            continue
        charge = simulator.world.charges.get(request.number)
        calls.append(
            Call(
                number=request.number,
                upstream_id=simulator.world.github_id(request.number),
                ask=number_in_body(request.body),
                login=record.account or "",
                path=request.path,
                status=record.status,
                outcome=record.outcome,
                nano=charge.nano if charge is not None else 0,
                premium_thousandths=charge.premium_thousandths if charge is not None else 0,
                is_charged=charge is not None,
                is_whole=charge is not None and charge.whole,
            )
        )
    return calls


def _proof(gateway: Gateway) -> str | None:
    """What `manage.py prove` finds wrong; None when it finds nothing."""
    done = gateway.run("prove")
    return None if done.returncode == 0 else f"{done.stdout[-2000:]} {done.stderr[-2000:]}".strip()


def _log_faults(log: Path) -> Sequence[str]:
    """Tracebacks and unforeseen failures in what the gateway said."""
    said = log.read_text(errors="replace").splitlines()
    return [line for line in said if "Traceback" in line or "failed unforeseen" in line][:20]


def _inside(gateway: Gateway, act: str, said: Any) -> Any:
    done = subprocess.run(
        [sys.executable, "-m", "tests.replay.inside", act],
        cwd=ROOT,
        env=gateway.environment,
        input=json.dumps(said),
        capture_output=True,
        text=True,
        timeout=_INSIDE_SECONDS,
        check=False,
    )
    if done.returncode != 0:
        raise RuntimeError(f"tests.replay.inside {act} ended with {done.returncode}: {done.stderr[-3000:]}")
    return json.loads(done.stdout)
