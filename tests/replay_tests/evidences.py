"""Small replays made by hand for the audit: one request each, as its client, its row and the upstream tell it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID

from tests.replay.asks import Ask, Kind, mark
from tests.replay.cast import BUDGETED
from tests.replay.evidence import Call, Ended, Evidence, Row, Seen

LIVING, DEAD = str(UUID(int=1)), str(UUID(int=2))


def an_ask(number: int, kind: Kind = Kind.PLAIN, **fields: Any) -> Ask:
    blank = Ask(number, kind, "carol-laptop", "chat", "gpt-4.1", True, mark(number).encode(), "talk")
    return replace(blank, **fields)


def a_seen(number: int, ended: Ended = Ended.COMPLETE, **fields: Any) -> Seen:
    blank = Seen(number, ended, life=0, request_id=str(UUID(int=100 + number)), status=200)
    return replace(blank, **fields)


def a_row(number: int, status: str = "settled", **fields: Any) -> Row:
    blank = Row(
        id=str(UUID(int=100 + number)), instance=LIVING, status=status, client=f"replay-laptop/1.0 r{number:06d}",
        key="carol-laptop", door="chat", upstream_format="chat", served_model="gpt-4.1", upstream_id=f"UP:{number}",
        http_status=200, error_code="", cost_source="reported", nano_reported=1000 + number, nano_computed=1000,
        premium_thousandths=None, reserved_nano=0, attempts=1, opened_at=100.0 + number, settled_at=101.0 + number,
    )  # fmt: skip
    return replace(blank, **fields)


def a_call(number: int, **fields: Any) -> Call:
    blank = Call(
        number=number, upstream_id=f"UP:{number}", ask=number, login="carol-copilot", path="/chat/completions",
        status=200, outcome="completed", nano=1000 + number, is_charged=True, is_whole=True,
    )  # fmt: skip
    return replace(blank, **fields)


def good(count: int = 3) -> Evidence:
    """Some answered requests, and two of the budgeted key: one let in, one refused."""
    numbers = range(count)
    admitted, refused = count, count + 1
    asks = [an_ask(n) for n in numbers] + [an_ask(n, Kind.BUDGETED, key=BUDGETED.name) for n in (admitted, refused)]
    refusal = a_seen(refused, Ended.REFUSED, status=429, code="insufficient_quota", may_retry="false")
    spent = a_row(
        refused, "refused", key=BUDGETED.name, upstream_id="", http_status=429, nano_reported=None, nano_computed=None
    )
    rows = [*(a_row(n) for n in numbers), a_row(admitted, key=BUDGETED.name), spent]
    calls = [*(a_call(n) for n in numbers), a_call(admitted)]
    return Evidence(
        asks=asks,
        seen={n: a_seen(n) for n in (*numbers, admitted)} | {refused: refusal},
        rows=rows,
        calls=calls,
        instances={LIVING: 11, DEAD: 12},
        killed=frozenset({12}),
        sums=[("UsageDay opened", len(rows), len(rows))],
        periods=[],
        accounts={"carol-copilot": sum(call.nano for call in calls)},
        budgeted_limit=5000,
        kills_due=1,
    )


def having(evidence: Evidence, number: int, **parts: Any) -> Evidence:
    """The same with another `ask`, `seen`, `row` or `calls` of one request; None takes it away."""
    changes: dict[str, Any] = {}
    if "ask" in parts:
        changes["asks"] = [parts["ask"] if ask.number == number else ask for ask in evidence.asks]
    if "seen" in parts:
        changes["seen"] = {**evidence.seen, number: parts["seen"]}
    if "row" in parts:
        others = [row for row in evidence.rows if not row.client.endswith(f" r{number:06d}")]
        changes["rows"] = [*others, *([parts["row"]] if parts["row"] is not None else [])]
    if "calls" in parts:
        calls = [*(call for call in evidence.calls if call.ask != number), *parts["calls"]]
        changes |= {"calls": calls, "accounts": {"carol-copilot": sum(call.nano for call in calls)}}
    return replace(evidence, **changes)
