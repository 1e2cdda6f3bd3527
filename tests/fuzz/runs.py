"""A run of many cases: shared out among processes, each case within its time, memory watched.

A case is its kind, the seed and its number, so that one line shows it again.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from types import MappingProxyType

import httpx

from tests.fuzz import doors, requests, streams
from tests.fuzz.findings import Finding, Findings, found
from tests.fuzz.installation import installed
from tests.fuzz.recordings import recorded
from tests.fuzz.watch import GROWTH_LIMIT, Hung, Memory, deadline

CASE_SECONDS = 10.0
CLIENTS = 6
# How many of all cases are of a kind: the cheapest are the most.
WEIGHTS: Mapping[str, int] = MappingProxyType({"doors": 3, "streams": 4, "requests": 3})
_MEMORY_EVERY = 200


@dataclass(frozen=True, slots=True)
class Plan:
    """`kinds` are those of WEIGHTS; `url` and `key` name a gateway that runs already."""

    count: int
    seed: str
    kinds: tuple[str, ...]
    jobs: int = 2
    url: str = ""
    key: str = ""


@dataclass(frozen=True, slots=True)
class Share:
    """What one process does: the cases of one kind with these numbers."""

    plan: Plan
    kind: str
    numbers: range


def run_all(plan: Plan) -> tuple[Findings, float]:
    """What was found, and in how many seconds."""
    since = time.monotonic()
    shares = shares_of(plan)
    findings = Findings()
    with ProcessPoolExecutor(plan.jobs, mp_context=get_context("spawn")) as pool:
        for faults in pool.map(run_share, shares):
            for fault in faults:
                findings.add(fault)
    return findings, time.monotonic() - since


def run_share(share: Share) -> list[Finding]:
    """Every fault of the share's cases."""
    return asyncio.run(_run_doors(share)) if share.kind == "doors" else _run_here(share)


def show(plan: Plan, number: int) -> None:
    """Run one case, print it and what came of it. Raises what it raises."""
    for kind in plan.kinds:
        dice = dice_of(plan, kind, number)
        print(asyncio.run(_show_door(plan, dice)) if kind == "doors" else _show_here(kind, dice))


def dice_of(plan: Plan, kind: str, number: int) -> random.Random:
    return random.Random(f"{plan.seed}/{kind}/{number}")


def _run_here(share: Share) -> list[Finding]:
    """One after the other in this process."""
    run = _runner(share.kind)
    faults: list[Finding] = []
    watch = Watch(share)
    for number in share.numbers:
        fault = _fault_of(run, dice_of(share.plan, share.kind, number))
        faults += [found(share.kind, share.plan.seed, number, fault)] if fault is not None else []
        faults += watch.grown(number)
    return faults


def _fault_of(run: Callable[[random.Random], None], dice: random.Random) -> BaseException | None:
    try:
        with deadline(CASE_SECONDS):
            run(dice)
    except (Exception, Hung) as fault:  # noqa: BLE001 - every crash is a finding, and the run goes on
        return fault
    return None


async def _run_doors(share: Share) -> list[Finding]:
    """Several at a time: the doors serve many clients at once."""
    faults: list[Finding] = []
    numbers = iter(share.numbers)
    watch = Watch(share)

    async def client(target: doors.Doors) -> None:
        for number in numbers:
            case = requests.drawn(dice_of(share.plan, share.kind, number))
            [outcome] = await asyncio.gather(doors.run(case, target), return_exceptions=True)
            if isinstance(outcome, BaseException):
                faults.append(found(share.kind, share.plan.seed, number, outcome))
            faults.extend(watch.grown(number))

    async with _doors(share.plan) as target:
        await asyncio.gather(*(client(target) for _ in range(CLIENTS)))
    return faults


@asynccontextmanager
async def _doors(plan: Plan) -> AsyncIterator[doors.Doors]:
    if not plan.url:
        async with installed() as application:
            yield application
        return
    headers = {"authorization": f"Bearer {plan.key}"}
    async with httpx.AsyncClient(base_url=plan.url, headers=headers, timeout=60, trust_env=False) as client:
        yield doors.Remote(client)


async def _show_door(plan: Plan, dice: random.Random) -> str:
    case = requests.drawn(dice)
    print(case.described)
    async with _doors(plan) as target:
        return await doors.run(case, target)


def _show_here(kind: str, dice: random.Random) -> str:
    if kind == "streams":
        stream = streams.drawn(dice, recorded())
        print(stream.described)
        streams.run(stream)
    else:
        request = requests.drawn(dice)
        print(request.described)
        requests.run(request)
    return "nothing wrong"


def _runner(kind: str) -> Callable[[random.Random], None]:
    if kind == "requests":
        return lambda dice: requests.run(requests.drawn(dice))
    recordings = recorded()
    return lambda dice: streams.run(streams.drawn(dice, recordings))


class Watch:
    """Looks at the process's memory now and then; what grew beyond the limit is said once."""

    def __init__(self, share: Share) -> None:
        self._share = share
        self._memory: Memory | None = None
        self._seen = 0
        self._said = False

    def grown(self, number: int) -> list[Finding]:
        self._seen += 1
        if self._seen % _MEMORY_EVERY or self._said:
            return []
        if self._memory is None:  # by now everything is loaded
            self._memory = Memory()
        growth = self._memory.growth
        if growth <= GROWTH_LIMIT:
            return []
        self._said = True
        fault = MemoryError(f"{growth >> 20} MiB more than at the beginning")
        return [found(self._share.kind, self._share.plan.seed, number, fault)]


def shares_of(plan: Plan) -> list[Share]:
    """The doors take one process, as Django is configured once in it; the other kinds are cut for all of them."""
    shares: list[Share] = []
    for kind in plan.kinds:
        count = plan.count * WEIGHTS[kind] // sum(WEIGHTS[each] for each in plan.kinds)
        size = count if kind == "doors" else -(-count // plan.jobs)
        shares += [Share(plan, kind, range(start, min(start + size, count))) for start in range(0, count, max(1, size))]
    return shares
