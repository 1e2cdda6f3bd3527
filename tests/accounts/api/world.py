"""Two members with rows of every kind, and everybody who may ask about them.

Whatever belongs to Xenia has `xenia` in its texts, so that an answer tells at a glance whether it holds foreign rows.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from django.apps import apps
from django.db.models import Model
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone

from accounts.models import (
    ApiKey,
    Budget,
    BudgetPeriod,
    BudgetScope,
    BudgetWarning,
    Correction,
    Instance,
    Member,
    ModelRoute,
    Price,
    QuotaReading,
    Reconciliation,
    Role,
    Seat,
    Team,
    TrailEntry,
    UsageAttempt,
    UsageDay,
    UsageRecord,
    UsageSession,
)
from accounts.vault import Sealed
from tests.accounts.rows import a_member, a_record, a_seat

DAY = date(2026, 11, 3)
MOMENT = datetime(2026, 11, 3, 12, tzinfo=UTC)
_UNTOLD = {"sessions.session"}


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows of one member, by the resource's name in addresses."""

    member: Member
    by_resource: dict[str, Model]

    def key(self) -> ApiKey:
        key = self.by_resource["keys"]
        assert isinstance(key, ApiKey)
        return key

    def seat(self) -> Seat:
        seat = self.by_resource["seats"]
        assert isinstance(seat, Seat)
        return seat

    def record(self) -> UsageRecord:
        record = self.by_resource["usage"]
        assert isinstance(record, UsageRecord)
        return record


@dataclass(frozen=True, slots=True)
class Route:
    """One address of the API: its pattern, the view's class, and which method does what."""

    pattern: str
    view: Any
    actions: dict[str, str]
    resource: str

    @property
    def has_row(self) -> bool:
        return "<pk>" in self.pattern

    def address(self, rows: Rows) -> str:
        pk = str(rows.by_resource[self.resource].pk) if self.has_row else ""
        return f"/{self.pattern.replace('<pk>', pk)}"

    def action(self, method: str) -> str:
        return self.actions.get(method, method)


def rows_of(name: str, number: int) -> Rows:
    """Make a row of each resource for a new member; resources that belong to nobody get one that names it, too."""
    team = Team.objects.create(name=f"{name}team")
    member = a_member(name, team=team, password=f"a password of {name}")
    key, _secret = ApiKey.objects.issue(member, f"{name}key")
    seat = a_seat(member, login=f"{name}octo", copilot_token=f"tid=only-the-vault-knows-{name}")
    budget = Budget.objects.create(scope=BudgetScope.MEMBER, member=member, limit_nano=5 * 10**9, note=f"{name}budget")
    period = BudgetPeriod.objects.create(budget=budget, start=DAY.replace(day=1), end=date(2026, 12, 1))
    who: dict[str, Any] = {"member": member, "key": key, "team": team}
    record = a_record(
        number, **who, seat=seat, member_name=name, key_name=f"{name}key", served_model=f"{name}model",
        session=f"{name}session", nano_reported=1_500_000_000, opened_at=MOMENT, note="for owners alone",
    )  # fmt: skip
    UsageAttempt.objects.create(record=record, number=1, seat=seat, seat_name=f"{name}octo", status=502)
    found: dict[str, Model] = {
        "members": member,
        "teams": team,
        "keys": key,
        "seats": seat,
        "routes": ModelRoute.objects.create(pattern=f"{name}name", target="gpt-5.2"),
        "prices": Price.objects.create(model=f"model{number}", valid_from=DAY, input_nano=1, output_nano=2),
        "budgets": budget,
        "budget-periods": period,
        "warnings": BudgetWarning.objects.create(period=period, percent=80, spent_nano=4 * 10**9, limit_nano=5 * 10**9),
        "usage": record,
        "usage-days": UsageDay.objects.create(slot=name, day=DAY, **who, seat=seat, model=f"{name}model", opened=1),
        "conversations": UsageSession.objects.create(
            slot=name, session=f"{name}session", **who, first_day=DAY, last_day=DAY, nano=7
        ),
        "readings": QuotaReading.objects.create(seat=seat, name=f"{name}quota", at=MOMENT, source="headers"),
        "reconciliations": Reconciliation.objects.create(
            seat=seat, since=MOMENT, until=MOMENT, ledger_nano=1, github_nano=0, causes=[{"code": name}]
        ),
        "corrections": Correction.objects.create(
            record=record.pk, column="output_tokens", old="1", new="2", reason=f"{name}reason", by_name=name
        ),
        "instances": Instance.objects.create(id=record.pk, host=f"{name}host", pid=number),
    }
    found["trail"] = TrailEntry.objects.order_by("-number")[0]
    return Rows(member, found)


@dataclass(frozen=True, slots=True)
class World:
    owner: Member
    auditor: Member
    mo: Rows
    xenia: Rows


def make_world() -> World:
    owner = a_member("olga", role=Role.OWNER)
    auditor = a_member("audrey", role=Role.AUDITOR)
    return World(owner, auditor, rows_of("mo", 101), rows_of("xenia", 102))


def session_of(member: Member) -> Client:
    client = Client()
    client.force_login(member)
    return client


def key_of(member: Member, *doors: str) -> Client:
    """A client with a fresh key of `member` that names `doors`."""
    _key, secret = ApiKey.objects.issue(member, "for this test", doors=list(doors))
    return Client(headers={"authorization": f"Bearer {secret}"})


def ask(client: Client, method: str, address: str, body: object = None, **headers: str) -> Any:
    options: dict[str, Any] = {"headers": headers}
    if method not in ("get", "head"):
        options |= {"data": json.dumps({} if body is None else body), "content_type": "application/json"}
    return getattr(client, method)(address, **options)


def text_of(response: Any) -> str:
    body = b"".join(response.streaming_content) if response.streaming else response.content
    return str(body.decode())


def routes() -> list[Route]:
    """Every address beneath /api/, read from the URLconf."""
    return sorted(_routes(get_resolver().url_patterns, ""), key=lambda route: route.pattern)


def _routes(patterns: list[Any], before: str) -> Iterator[Route]:
    for entry in patterns:
        text = before + _plain(str(entry.pattern))
        if isinstance(entry, URLResolver):
            if "api/".startswith(text) or text.startswith("api/"):
                yield from _routes(entry.url_patterns, text)
        elif isinstance(entry, URLPattern) and text.startswith("api/"):
            view = getattr(entry.callback, "cls", None) or getattr(entry.callback, "view_class", None)
            actions = dict(getattr(entry.callback, "actions", None) or {})
            yield Route(text.replace("<rest>", "no/such/place/"), view, actions, text.split("/")[1])


def _plain(pattern: str) -> str:
    """A router's expression as a path with `<pk>` in it."""
    return pattern.strip("^$").replace("(?P<pk>[^/.]+)", "<pk>").replace("(?P<rest>.*)", "<rest>").replace("\\Z", "")


def everything() -> dict[str, list[dict[str, Any]]]:
    """Every row of every table but the sessions, sealed columns by their ciphertext; last uses of keys left out."""
    return {
        model._meta.label_lower: [_told(row) for row in model._default_manager.order_by("pk").values()]
        for model in apps.get_models()
        if model._meta.label_lower not in _UNTOLD and not model._meta.proxy
    }


def _told(row: dict[str, Any]) -> dict[str, Any]:
    return {
        name: value.ciphertext if isinstance(value, Sealed) else value
        for name, value in row.items()
        if name not in ("last_used_at", "last_login")
    }


def now() -> datetime:
    return timezone.now()
