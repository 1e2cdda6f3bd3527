"""The tables, in Markdown: medians of the rounds, each road beside the direct one."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from tests.bench.plan import Cell, Form, Frames, Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from tests.bench.measuring import Observed, Results
    from tests.bench.processes import Cores

DIRECT = "direct"
_UNKNOWN = "–"
_NOTE = """\
Figures are medians of the rounds of one run on one machine that clients, upstream and gateway share: quote the
ratios, not the absolute numbers. *First byte* is from the question to the first content of its answer; *chunk delay*
is from the upstream's write of a chunk to its arrival at the client; *added* is what a road has more than the direct
one at the same percentile. *Load busy* is how much of one core clients and upstream used: near 100 % they are the
limit and not the road. The gateway asks its upstream to stream even when its client does not, so an unstreamed
request through it is a stream of eight chunks behind it, while the direct one is a single answer."""


class Beside(StrEnum):
    """How a figure stands beside the direct one, in a column of its own."""

    NOTHING = ""
    RATIO = "× direct"
    ADDED = "added"


@dataclass(frozen=True, slots=True)
class Column:
    """One figure: its title, how one round has it (None: unknown), its decimals."""

    title: str
    of: Callable[[Observed], float | None]
    digits: int = 0
    beside: Beside = Beside.NOTHING

    def middle(self, rounds: Iterable[Observed]) -> float | None:
        """The median over the rounds that know it."""
        known = [value for value in map(self.of, rounds) if value is not None]
        return median(known) if known else None

    def cells(self, rounds: Sequence[Observed], direct: Sequence[Observed]) -> list[str]:
        """The figure as written, and how it stands beside the direct one."""
        own, other = self.middle(rounds), self.middle(direct)
        written = [_figure(own, self.digits)]
        match self.beside:
            case Beside.NOTHING:
                return written
            case Beside.RATIO:
                return [*written, _figure(_over(own, other), 2)]
            case Beside.ADDED:
                return [*written, _figure(None if own is None or other is None else own - other, self.digits)]


def report(
    form: Form, targets: list[str], results: Results, cores: Cores, remarks: list[str], faults: list[str]
) -> str:
    """The whole report. `remarks` say what is missing and why, `faults` what the probe found wrong."""
    sections = [
        "# Benchmark",
        machine(cores),
        f"{form.rounds} round{'s' if form.rounds > 1 else ''}; {_left_out(results)}{_noise(form, results)}",
        *remarks,
        _NOTE,
        *_tables(form, targets, results),
        "## Wrong answers",
        _wrong(results, faults),
    ]
    return "\n\n".join(sections) + "\n"


def machine(cores: Cores) -> str:
    """What this run was made on."""
    where = (
        f"gateway on core {cores.measured}, clients and upstream on core {cores.load}"
        if cores.measured is not None
        else "nothing pinned to a core"
    )
    return (
        f"{_processor()}, {os.cpu_count()} cores, {where}; {platform.system()} {platform.release()}, "
        f"{platform.python_implementation()} {platform.python_version()}."
    )


def _tables(form: Form, targets: list[str], results: Results) -> list[str]:
    parts: list[str] = []
    for kind, frames, title in _TITLES:
        cells = [cell for cell in form.cells if (cell.kind, cell.frames) == (kind, frames)]
        if cells:
            parts.append(f"## {title}{_described(cells[0])}")
            parts.append(_table(kind, cells, targets, results))
    return parts


def _described(cell: Cell) -> str:
    shape = cell.shape
    if cell.kind is Kind.UNSTREAMED:
        return ""
    apart = f", {shape.delay} ms apart" if shape.delay else ""
    return f" ({shape.chunks} chunks of {shape.size} bytes{apart})"


def _table(kind: Kind, cells: list[Cell], targets: list[str], results: Results) -> str:
    columns = _COLUMNS[kind]
    heads = [name for column in columns for name in (column.title, column.beside.value) if name]
    lines = [["clients", "road", *heads], ["--:", "---", *["--:"] * len(heads)]]
    for cell in cells:
        direct = results.observed.get((cell, DIRECT), [])
        for target in targets:
            rounds = results.observed.get((cell, target), [])
            figures = [text for column in columns for text in column.cells(rounds, direct)]
            lines.append([str(cell.connections), target, *figures])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _wrong(results: Results, faults: list[str]) -> str:
    lines = [
        f"* {cell.kind}, {cell.frames} frames, {cell.connections} clients, {target}: "
        + ", ".join(f"{times} × {what}" for what, times in sorted(counts.items()))
        for (cell, target), counts in results.wrong_answers().items()
    ]
    answers = sum(seen.measured.served for rounds in results.observed.values() for seen in rounds)
    return "\n".join([*(f"* {fault}" for fault in faults), *lines]) or f"None among {answers:,}."


def _left_out(results: Results) -> str:
    return f"{results.left_out} measurements left out for want of time; " if results.left_out else ""


def _noise(form: Form, results: Results) -> str:
    """How far the direct rates of equal measurements lie apart: what is smaller than this means nothing."""
    apart = []
    for (cell, target), rounds in results.observed.items():
        rates = [rate for rate in map(_rate, rounds) if rate]
        if target == DIRECT and cell.kind is not Kind.PACED and len(rates) > 1:
            apart.append(max(rates) / min(rates) - 1)
    if not apart:
        return "one round cannot tell how noisy the machine was."
    return f"noise: the direct rates of equal measurements lay up to {max(apart):.0%} apart."


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _figure(value: float | None, digits: int) -> str:
    return _UNKNOWN if value is None else f"{value:,.{digits}f}"


def _over(value: float | None, by: float | None, unit: float = 1) -> float | None:
    return value / by * unit if value is not None and by else None


def _rate(seen: Observed) -> float | None:
    return _over(seen.measured.served, seen.measured.seconds)


_FIRST_BYTE = (
    Column("first byte p50 ms", lambda seen: seen.measured.first.p50, 2, Beside.RATIO),
    Column("p99 ms", lambda seen: seen.measured.first.p99, 2, Beside.RATIO),
)
_PROCESSES = (
    Column("RSS MB", lambda seen: _over(seen.rss, 1e6)),
    Column("threads", lambda seen: seen.threads),
    Column("load busy %", lambda seen: _over(seen.load_busy, 1, 100)),
)
_CPU_A_STREAM = Column("CPU µs a stream", lambda seen: _over(seen.cpu, seen.measured.served, 1e6))
_COLUMNS = {
    Kind.UNSTREAMED: (
        Column("requests/s", _rate, 0, Beside.RATIO),
        *_FIRST_BYTE,
        Column("CPU µs a request", lambda seen: _over(seen.cpu, seen.measured.served, 1e6)),
        *_PROCESSES,
    ),
    Kind.PACED: (
        *_FIRST_BYTE,
        Column("chunk delay p50 ms", lambda seen: seen.measured.delay.p50, 3, Beside.ADDED),
        Column("p99 ms", lambda seen: seen.measured.delay.p99, 3, Beside.ADDED),
        _CPU_A_STREAM,
        *_PROCESSES,
    ),
    Kind.UNPACED: (
        Column("streams/s", _rate, 0, Beside.RATIO),
        Column("chunks/s", lambda seen: _over(seen.measured.chunks, seen.measured.seconds)),
        *_FIRST_BYTE,
        _CPU_A_STREAM,
        Column("CPU µs a chunk", lambda seen: _over(seen.cpu, seen.measured.chunks, 1e6), 1),
        *_PROCESSES,
    ),
}
_TITLES = (
    (Kind.UNSTREAMED, Frames.CLEAN, "Unstreamed requests"),
    (Kind.PACED, Frames.CLEAN, "Paced streams, clean frames"),
    (Kind.PACED, Frames.QUIRKY, "Paced streams, quirky frames"),
    (Kind.UNPACED, Frames.CLEAN, "Unpaced streams, clean frames"),
    (Kind.UNPACED, Frames.QUIRKY, "Unpaced streams, quirky frames"),
)
