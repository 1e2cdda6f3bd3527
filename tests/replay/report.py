"""What a replay found, for reading: a summary for the terminal, a Markdown report that names requests one by one."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import asdict

from tests.replay.audit import NANO_PER_CREDIT, Named, Verdict
from tests.replay.evidence import Evidence
from tests.replay.run import Plan

_SHOWN = 200


def summary(plan: Plan, evidence: Evidence, verdict: Verdict, seconds: float) -> str:
    """A few lines; every violation is among them, up to a number that can be read."""
    rows = Counter(row.status for row in evidence.rows)
    by_status = ", ".join(f"{count} {status}" for status, count in sorted(rows.items()))
    lines = [
        f"{plan.requests} requests, seed {plan.seed}, {len(evidence.killed)} times kill -9, {seconds:.0f} s",
        f"{len(evidence.calls)} calls of the upstream, which charged {_credits(verdict.all_charged)} credits in all",
        f"{verdict.complete} answers reached their end at the client; rows: {by_status}",
        f"settled {verdict.settled} nano-AIU in {verdict.matched} rows",
        f"charged {verdict.charged} nano-AIU for those very answers: difference {verdict.settled - verdict.charged}",
        f"named one by one: {len(verdict.named)} requests; charged beyond what was counted: {_credits(verdict.lost)}",
        f"counted for them beyond what was charged: {_credits(verdict.overcounted)} credits",
        f"hard budget: {_credits(verdict.overshoot)} credits beyond its limit",
        f"allowed by what was in flight: {_credits(verdict.overshoot_bound)} credits",
        f"crossings settled: {len(verdict.crossings)}",
        *(str(violation) for violation in verdict.violations[:_SHOWN]),
    ]
    hidden = len(verdict.violations) - _SHOWN
    return "\n".join([*lines, f"… and {hidden} more"] if hidden > 0 else lines)


def markdown(plan: Plan, evidence: Evidence, verdict: Verdict, seconds: float) -> str:
    """The whole report."""
    return "\n".join([
        "# Replay",
        "",
        summary(plan, evidence, verdict, seconds).replace("\n", "  \n"),
        "",
        "## Settled, by crossing",
        "",
        *_table(("door", "upstream format", "answers"), (
            (door, upstream, str(count)) for (door, upstream), count in sorted(verdict.crossings.items())
        )),
        "",
        "## The others, by how they ended",
        "",
        *_table(("client saw", "row", "cost", "requests", "counted", "charged", "difference"), _groups(verdict.named)),
        "",
        "## The others, one by one",
        "",
        *_table(
            ("no.", "request id", "kind", "door", "model", "client saw", "row", "cost", "counted", "charged",
             "difference", "note"),
            (_line(named) for named in verdict.named),
        ),
        "",
    ])  # fmt: skip


def as_json(plan: Plan, verdict: Verdict) -> str:
    """The same for machines: the sums, the violations, and every named request with its loss."""
    return json.dumps(
        {
            "requests": plan.requests,
            "seed": plan.seed,
            "settled_nano": verdict.settled,
            "charged_nano": verdict.charged,
            "matched": verdict.matched,
            "violations": [str(violation) for violation in verdict.violations],
            "named": [asdict(named) | {"loss": named.loss} for named in verdict.named],
        },
        indent=1,
    )


def _groups(named: Sequence[Named]) -> Iterator[tuple[str, ...]]:
    groups: dict[tuple[str, str, str], list[Named]] = defaultdict(list)
    for each in named:
        groups[each.seen, each.row, each.cost_source].append(each)
    for (seen, row, source), members in sorted(groups.items()):
        nano, charged = sum(each.nano for each in members), sum(each.charged for each in members)
        yield seen, row, source, str(len(members)), str(nano), str(charged), str(charged - nano)


def _line(named: Named) -> tuple[str, ...]:
    return (
        str(named.number), named.request_id, named.kind, named.door, named.model, named.seen, named.row,
        named.cost_source, str(named.nano), str(named.charged), str(named.loss), named.note,
    )  # fmt: skip


def _table(head: Sequence[str], rows: Iterator[tuple[str, ...]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield f"|{'---|' * len(head)}"
    for row in rows:
        yield f"| {' | '.join(cell.replace('|', '/') for cell in row)} |"


def _credits(nano: int) -> str:
    sign, nano = ("-", -nano) if nano < 0 else ("", nano)
    return f"{sign}{nano // NANO_PER_CREDIT}.{nano % NANO_PER_CREDIT:09d}"
