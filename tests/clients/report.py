"""The table that a run ends with: client × model × step, with seconds."""

from __future__ import annotations

from collections.abc import Iterable

from tests.clients.story import Outcome

_STEPS = ("answer", "file", "next turn", "silence", "late head", "curl")
_FAILED = "FAILED"
_NOT_TRIED = "-"


def line_of(outcome: Outcome) -> str:
    """One step as it ends, with what is wrong below it."""
    where = f"{outcome.program} {outcome.model.name} → {outcome.model.upstream}: {outcome.step}"
    head = f"{where} {_FAILED if outcome.faults else 'ok'} ({outcome.seconds:.1f} s)"
    return "\n".join([head, *(f"    {fault}" for fault in outcome.faults)])


def table_of(outcomes: Iterable[Outcome]) -> str:
    """All steps, a row for each program and model; a failed step says so in place of its seconds."""
    rows: dict[tuple[str, str, str], dict[str, str]] = {}
    for outcome in outcomes:
        row = rows.setdefault((outcome.program, outcome.model.name, str(outcome.model.upstream)), {})
        row[outcome.step] = _FAILED if outcome.faults else f"{outcome.seconds:.1f}"
    lines: list[tuple[str, ...]] = [("client", "model", "upstream", *_STEPS)]
    lines += [(*key, *(row.get(step, _NOT_TRIED) for step in _STEPS)) for key, row in rows.items()]
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines
    )
