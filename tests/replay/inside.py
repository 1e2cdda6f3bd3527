"""The installation from within: `python -m tests.replay.inside seed | dump`, run in the gateway's own environment.

`seed` reads the cast from standard input, makes members, keys, budgets and seats, and writes the keys' texts. `dump`
writes the ledger, what its counters say, and the same sums made anew from the rows. Both speak JSON; they go through
Django's models, so that every database the gateway runs on is read alike.
"""

from __future__ import annotations

import io
import json
import os
import sys
from collections import Counter
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import django
from django.apps import apps
from django.core.management import call_command

if TYPE_CHECKING:
    from collections.abc import Iterable

_ENDED = ("settled", "refused", "failed", "cancelled", "abandoned")
_COUNTED = ("input_tokens", "cached_tokens", "cache_write_tokens", "output_tokens", "reasoning_tokens")
_ROW = (
    "id", "instance", "status", "client", "door", "upstream_format", "served_model", "upstream_id", "http_status",
    "error_code", "cost_source", "nano_reported", "nano_computed", "premium_thousandths", "reserved_nano", "attempts",
    "opened_at", "settled_at",
)  # fmt: skip


def main(act: str) -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "proxy.settings")
    django.setup()
    answer = _seed(json.load(sys.stdin)) if act == "seed" else _dump()
    json.dump(answer, sys.stdout, default=_said)


def _seed(cast: dict[str, Any]) -> dict[str, Any]:
    members = apps.get_model("accounts", "Member")
    teams = apps.get_model("accounts", "Team")
    keys = apps.get_model("accounts", "ApiKey")
    made = {name: teams.objects.create(name=name) for name in sorted(set(filter(None, cast["members"].values())))}
    people = {name: members.objects.create_user(name, team=made.get(team)) for name, team in cast["members"].items()}
    issued = {
        plan["name"]: keys.objects.issue(people[plan["member"]], plan["name"], **plan["limits"])
        for plan in cast["keys"]
    }
    _make_budgets(cast["budgets"], made, people, {name: key for name, (key, _text) in issued.items()})
    for seat in cast["seats"]:
        _connect(**seat)
    return {name: text for name, (_key, text) in issued.items()}


def _connect(token: str, **options: str) -> None:
    """`addseat`, which reads the token from standard input."""
    sys.stdin = io.StringIO(f"{token}\n")
    call_command("addseat", accept_risk=True, stdout=io.StringIO(), stderr=io.StringIO(), **options)


def _make_budgets(plans: Iterable[dict[str, Any]], teams: Any, people: Any, keys: Any) -> None:
    budgets = apps.get_model("accounts", "Budget")
    known = {"team": teams, "member": people, "key": keys}
    for plan in plans:
        subject = {plan["scope"]: known[plan["scope"]][plan["of"]]} if plan["scope"] in known else {}
        budgets.objects.create(
            scope=plan["scope"], span=plan["span"], limit_nano=plan["limit"], hard=plan["hard"], **subject
        )


def _dump() -> dict[str, Any]:
    records = apps.get_model("accounts", "UsageRecord")
    instances = apps.get_model("accounts", "Instance")
    names = [*_ROW, "key_name", "member_id", "key_id", "team_id", "seat_id", "program", "day", "session", *_COUNTED]
    rows = list(records.objects.order_by("id").values(*names))
    return {
        "rows": [{name: row[name] for name in (*_ROW, "key_name")} for row in rows],
        "instances": {str(id_): pid for id_, pid in instances.objects.values_list("id", "pid")},
        "sums": [*_day_sums(rows), *_conversation_sums(rows)],
        "periods": _periods(rows),
    }


def _day_sums(rows: list[dict[str, Any]]) -> list[tuple[str, int, int]]:
    """For every line of the roll-up and every column of it: what it says, and what its rows come to."""
    model: Any = apps.get_model("accounts", "UsageDay")
    keys = ("day", "member_id", "key_id", "team_id", "seat_id", "program")
    by_rows: Counter[tuple[str, str]] = Counter()
    for row in rows:
        slot = "|".join([*(str(row[name]) for name in keys), row["served_model"]])
        _add(by_rows, slot, row)
    by_days: Counter[tuple[str, str]] = Counter()
    columns = ("opened", "pruned", *_ENDED, *_COUNTED, "nano", "nano_stand_in", "premium_thousandths")
    for line in model.objects.values():
        slot = "|".join([*(str(line[name]) for name in keys), line["model"]])
        by_days.update({(slot, name): line[name] for name in columns})
    return _compared("UsageDay", by_days, by_rows)


def _conversation_sums(rows: list[dict[str, Any]]) -> list[tuple[str, int, int]]:
    model: Any = apps.get_model("accounts", "UsageSession")
    by_rows: Counter[tuple[str, str]] = Counter()
    for row in rows:
        if row["session"] and row["key_id"] is not None:
            _add(by_rows, f"{row['key_id']}|{row['session'][:120]}", row)
    by_lines: Counter[tuple[str, str]] = Counter()
    columns = ("opened", *_ENDED, *_COUNTED, "nano", "nano_stand_in", "premium_thousandths")
    for line in model.objects.values():
        by_lines.update({(f"{line['key_id']}|{line['session']}", name): line[name] for name in columns})
    return _compared("UsageSession", by_lines, by_rows)


def _add(sums: Counter[tuple[str, str]], slot: str, row: dict[str, Any]) -> None:
    sums[slot, "opened"] += 1
    if row["status"] == "open":
        return
    sums[slot, row["status"]] += 1
    for name in _COUNTED:
        sums[slot, name] += row[name]
    sums[slot, "nano"] += _cost(row)
    sums[slot, "nano_stand_in"] += _cost(row) if row["nano_reported"] is None else 0
    sums[slot, "premium_thousandths"] += row["premium_thousandths"] or 0


def _compared(
    name: str, counted: Counter[tuple[str, str]], rows: Counter[tuple[str, str]]
) -> list[tuple[str, int, int]]:
    """Every difference, slot by slot, and the totals of every column."""
    slots = sorted(counted.keys() | rows.keys())
    lines = [(f"{name} {slot} {column}", counted[slot, column], rows[slot, column]) for slot, column in slots]
    differing = [line for line in lines if line[1] != line[2]]
    totals = [
        (
            f"{name} {column}",
            sum(count for (_slot, each), count in counted.items() if each == column),
            sum(count for (_slot, each), count in rows.items() if each == column),
        )
        for column in sorted({column for _slot, column in slots})
    ]
    return [*totals, *differing]


def _periods(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    model: Any = apps.get_model("accounts", "BudgetPeriod")
    found = []
    for period in model.objects.select_related("budget"):
        budget = period.budget
        name = {"team": "team_id", "member": "member_id", "key": "key_id"}.get(budget.scope, "")
        mine = [
            row
            for row in rows
            if period.start <= row["day"] < period.end and (not name or row[name] == getattr(budget, name))
        ]
        found.append({
            "budget": str(budget), "hard": budget.hard, "limit": budget.limit_nano, "settled": period.settled_nano,
            "reserved": period.reserved_nano,
            "rows_settled": sum(_cost(row) for row in mine if row["status"] != "open"),
            "rows_reserved": sum(row["reserved_nano"] for row in mine if row["status"] == "open"),
        })  # fmt: skip
    return found


def _cost(row: dict[str, Any]) -> int:
    return int(row["nano_reported"] if row["nano_reported"] is not None else row["nano_computed"] or 0)


def _said(value: object) -> object:
    if isinstance(value, datetime):
        return value.timestamp()
    return value.isoformat() if isinstance(value, date) else str(value)


if __name__ == "__main__":
    main(sys.argv[1])
