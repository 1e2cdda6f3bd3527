"""Every page that is timed: its name and its address, for the owner's console and the busiest member's portal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlencode

from django.urls import reverse

from accounts.models import Seat, UsageRecord, UsageSession
from accounts.reports import Dimension, Per
from tests.volume.world import DOORS, MODELS, OUTCOMES, World

_DEEP = 20_000
_SORTED_BY = {"opened": "1", "input": "7", "output": "9", "credits": "10", "total ms": "13"}


@dataclass(frozen=True, slots=True)
class Asked:
    name: str
    address: str
    is_members: bool = False


def pages(world: World) -> Iterator[Asked]:
    """Yield the pages of a filled database."""
    yield Asked("front page", reverse("admin:index"))
    yield from _ledger(world)
    yield from _reports(world)
    yield from _conversations(world)
    yield Asked("seats and members", reverse("admin:accounts_usageday_attention"))
    yield Asked("proof", reverse("admin:accounts_usageday_proof"))
    for model in ("member", "team", "apikey", "seat", "instance", "budget", "price", "modelroute"):
        yield Asked(f"list of {model}", reverse(f"admin:accounts_{model}_changelist"))
    yield Asked("page of the member", reverse("admin:accounts_member_change", args=[world.member.pk]))
    yield Asked("page of a seat", reverse("admin:accounts_seat_change", args=[_some_seat()]))
    yield from _portal(world)


def _ledger(world: World) -> Iterator[Asked]:
    at = reverse("admin:accounts_usagerecord_changelist")
    member = {"member__id__exact": world.member.pk}
    team = {"team__id__exact": world.member.team_id}
    year, month = f"{world.first:%Y}", f"{world.last - timedelta(days=200):%Y-%m}"
    asked: list[tuple[str, Mapping[str, object]]] = [
        ("", {}), ("page 2", {"p": 2}), ("deep page", {"p": _DEEP}), ("beyond the end", {"p": 9_000_000}),
        ("today", {"day": "today"}), ("last 30 days", {"day": "month"}), ("a year", {"day": year}),
        ("a year, deep page", {"day": year, "p": 5000}), ("a month", {"day": month}),
        ("first day", {"day": world.first + timedelta(days=10)}),
        *((f"status {status}", {"status__exact": status}) for status in (*OUTCOMES, "open")),
        ("abandoned in a month", {"status__exact": "abandoned", "day": month}),
        *((f"door {door}", {"door": door}) for door in ("chat", *DOORS.values(), "embeddings")),
        ("model", {"model": MODELS[3]}), ("unknown model", {"model": "no-such-model"}),
        ("streamed", {"streamed__exact": 1}), ("not streamed", {"streamed__exact": 0}), ("member", member),
        ("member, page 200", {**member, "p": 200}), ("member and abandoned", {**member, "status__exact": "abandoned"}),
        ("member and unknown model", {**member, "model": "no-such-model"}), ("seat", {"seat__id__exact": _some_seat()}),
        ("no seat", {"seat_id__isnull": "True"}), ("program", {"program__exact": "cursor"}),
        ("team", team), ("team, page 3000", {**team, "p": 3000}),
        ("oldest first", {"o": "1"}), ("member, oldest first", {**member, "o": "1"}),
        *((f"sorted by {name}", {"o": f"-{column}"}) for name, column in _SORTED_BY.items()),
        ("search: member", {"q": world.member.username}), ("search: nothing", {"q": "nowhere-to-be-found"}),
        ("search: tag", {"q": "sprint-9"}), ("search: id", {"q": str(_a_request(world).pk)}),
        ("search: member, in a year", {"q": world.member.username, "day": year}),
    ]  # fmt: skip
    for name, query in asked:
        yield Asked(f"requests {name}".strip(), f"{at}?{urlencode(query)}")
    yield Asked("one request", reverse("admin:accounts_usagerecord_change", args=[_a_request(world).pk]))


def _reports(world: World) -> Iterator[Asked]:
    at = reverse("admin:accounts_usageday_changelist")
    month = {"since": world.last.replace(day=1), "until": world.last}
    everything = {"since": world.first, "until": world.last}
    for by in Dimension:
        for per in Per:
            if by == Dimension.SESSION and per != Per.RANGE:
                continue
            for name, days in (("month", month), (f"{(world.last - world.first).days + 1} days", everything)):
                asked = urlencode({"by": by.value, "per": per.value, **days})
                yield Asked(f"report by {by} per {per}, {name}", f"{at}?{asked}")
    narrowed = urlencode({"by": "model", "per": "day", "member": world.member.pk, **everything})
    yield Asked("report of one member by model per day, all days", f"{at}?{narrowed}")
    later = urlencode({"by": "key", "per": "day", "page": 100, **everything})
    yield Asked("report by key per day, page 100", f"{at}?{later}")
    by_cost = urlencode({"by": "key", "per": "day", "order": "-nano", **everything})
    yield Asked("report by key per day, sorted by credits", f"{at}?{by_cost}")


def _conversations(world: World) -> Iterator[Asked]:
    at = reverse("admin:accounts_usagesession_changelist")
    for name, query in (
        ("", {}), ("page 1000", {"p": 1000}), ("sorted by credits", {"o": "-9"}), ("last 30 days", {"day": "month"}),
        ("of a member", {"member__id__exact": world.member.pk}), ("search", {"q": _a_session(world).session[:8]}),
    ):  # fmt: skip
        yield Asked(f"conversations {name}".strip(), f"{at}?{urlencode(query)}")
    yield Asked("one conversation", reverse("admin:accounts_usagesession_change", args=[_a_session(world).pk]))


def _portal(world: World) -> Iterator[Asked]:
    yield Asked("portal: overview", reverse("home"), True)
    yield Asked("portal: keys", reverse("keys"), True)
    everything = {"since": world.first, "until": world.last}
    for by in (Dimension.ALL, Dimension.KEY, Dimension.MODEL, Dimension.SEAT, Dimension.PROGRAM, Dimension.SESSION):
        asked = urlencode({"by": by.value, **everything})
        yield Asked(f"portal: usage by {by}, all days", f"{reverse('usage')}?{asked}", True)
    per_day = urlencode({"by": "model", "per": "day", **everything})
    yield Asked("portal: usage by model per day, all days", f"{reverse('usage')}?{per_day}", True)
    at = reverse("requests")
    for name, query in (
        ("", {}), ("all days", everything), ("all days, abandoned", {**everything, "status": "abandoned"}),
        ("unknown model", {**everything, "model": "no-such-model"}), ("next page", {"before": _a_request(world).pk}),
    ):  # fmt: skip
        yield Asked(f"portal: requests {name}".strip(), f"{at}?{urlencode(query)}", True)
    yield Asked("portal: one request", reverse("request", args=[_a_request(world).pk]), True)
    yield Asked("portal: one conversation", reverse("conversation", args=[_a_session(world).pk]), True)


def _a_request(world: World) -> UsageRecord:
    return UsageRecord.objects.filter(member=world.member).exclude(session="")[200]


def _a_session(world: World) -> UsageSession:
    return UsageSession.objects.filter(member=world.member).order_by("-opened")[0]


def _some_seat() -> int:
    return Seat.objects.values_list("pk", flat=True)[0]
