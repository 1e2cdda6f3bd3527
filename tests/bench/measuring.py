"""Does the plan: every cell through every target, round by round, so that noise of the machine meets all alike."""

from __future__ import annotations

import subprocess
import sys
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import msgspec

from tests.bench.jobs import Measured
from tests.bench.plan import Cell, Form, Frames, Kind
from tests.bench.processes import Usage, end, start, usage_of
from tests.simulator.fast_answers import Shape

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.bench.upstream import Target, Upstream

_SAMPLE_SECONDS = 0.2
_PATIENCE = (5.0, 15.0)
"""Seconds to wait for answers that are under way: at the least, and when there is time."""
_HANGING = 10.0
"""Seconds after its own end until a load generator is taken for hung."""
_WARM_UP = Cell(Kind.PACED, Frames.CLEAN, 20, Shape(10, 5, 200), 0.3)


@dataclass(frozen=True, slots=True)
class Observed:
    """One cell through one target: what the load saw and what the processes in between used meanwhile."""

    measured: Measured
    cpu: float | None
    """Processor seconds of the target's process tree."""
    rss: int | None
    """Its resident bytes at their highest."""
    threads: int | None
    """Its threads at their most."""
    load_busy: float | None
    """How much of one core upstream and load generator used while they worked; near 1 they are the limit."""


@dataclass(slots=True)
class Results:
    """Everything observed, round by round."""

    observed: dict[tuple[Cell, str], list[Observed]] = field(default_factory=dict)
    left_out: int = 0
    """Measurements that the time limit left no room for."""

    def add(self, cell: Cell, target: Target, seen: Observed) -> None:
        self.observed.setdefault((cell, target.name), []).append(seen)

    def wrong_answers(self) -> dict[tuple[Cell, str], dict[str, int]]:
        """By cell and target, what was wrong how often."""
        found: dict[tuple[Cell, str], dict[str, int]] = {}
        for where, rounds in self.observed.items():
            for seen in rounds:
                for what, times in seen.measured.wrong.items():
                    counts = found.setdefault(where, {})
                    counts[what] = counts.get(what, 0) + times
        return found


def measure(
    form: Form,
    targets: list[Target],
    upstream: Upstream,
    core: int | None,
    give_up: float,
    tell: Callable[[str], None],
) -> Results:
    """Do the form's rounds; what would end later than `give_up` (monotonic seconds) is left out and counted."""
    results = Results()
    for target in targets:
        _observe(_WARM_UP, target, upstream, core, give_up)
    for number in range(form.rounds):
        tell(f"round {number + 1} of {form.rounds}")
        for index, cell in enumerate(form.cells):
            first = (number + index) % len(targets)
            for target in targets[first:] + targets[:first]:
                if time.monotonic() + cell.cost + _PATIENCE[0] / 2 > give_up:
                    results.left_out += 1
                    continue
                results.add(cell, target, _observe(cell, target, upstream, core, give_up))
    return results


def _observe(cell: Cell, target: Target, upstream: Upstream, core: int | None, give_up: float) -> Observed:
    least, most = _PATIENCE
    job = cell.job(target, max(least, min(most, give_up - time.monotonic() - cell.cost)))
    before, upstream_before = _usage(target.pid), usage_of(upstream.pid)
    process = start([sys.executable, "-m", "tests.bench.load"], core)
    highest = before
    hangs = time.monotonic() + job.seconds + job.patience + _HANGING
    try:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(msgspec.json.encode(job))
        process.stdin.close()
        while _runs(process) and time.monotonic() < hangs:
            highest = _higher(highest, _usage(target.pid))
        after, upstream_after = _usage(target.pid), usage_of(upstream.pid)
        if process.poll() != 0:
            raise RuntimeError(f"the load generator did not end well: {process.poll()}")
        measured = msgspec.json.decode(process.stdout.read(), type=Measured)
    finally:
        end(process)
    return Observed(
        measured=measured,
        cpu=after.cpu - before.cpu if after and before else None,
        rss=highest.rss if highest else None,
        threads=highest.threads if highest else None,
        load_busy=_busy(measured, upstream_before, upstream_after),
    )


def _runs(process: subprocess.Popen[bytes]) -> bool:
    """Whether the process still runs after a sample's time."""
    try:
        process.wait(_SAMPLE_SECONDS)
    except subprocess.TimeoutExpired:
        return True
    return False


def _usage(pid: int | None) -> Usage | None:
    return None if pid is None else usage_of(pid)


def _higher(one: Usage | None, other: Usage | None) -> Usage | None:
    if one is None or other is None:
        return None
    return Usage(other.cpu, max(one.rss, other.rss), max(one.threads, other.threads))


def _busy(measured: Measured, before: Usage | None, after: Usage | None) -> float | None:
    if before is None or after is None or not measured.seconds:
        return None
    return (after.cpu - before.cpu + measured.cpu) / measured.seconds
