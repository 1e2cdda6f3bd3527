"""The counters of the ledger: equal to the sums of its rows after any sequence of acts; no budget spent twice."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from importlib import import_module
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.apps import apps
from django.db.models import Count, F, Q, Sum
from django.db.models.functions import Coalesce
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.ledger import Opening, Outcome
from accounts.ledger.booked import Booked
from accounts.ledger.bookkeeper import Act, Bookkeeper
from accounts.ledger.books import open_books
from accounts.ledger.instances import mark_abandoned
from accounts.models import (
    Budget,
    BudgetPeriod,
    BudgetWarning,
    Instance,
    UsageDay,
    UsageRecord,
    UsageSession,
    UsageStatus,
)
from accounts.retention import _delete as delete_rows
from bridge.tally import Tally
from tests.accounts.ledger.acts import ENDS, a_budget, an_end, an_opening, callers

pytestmark = pytest.mark.django_db

# --- the laws, after any sequence --------------------------------------------------------------------------


class Ledger:
    """A ledger that random acts are done to, beside plain memory of what its counters must say."""

    def __init__(self) -> None:
        self.callers = callers()
        self.instance = uuid4()
        self.keeper = Bookkeeper(self.instance)
        self.open: list[Opening] = []
        self.ended: list[UUID] = []
        self.pruned: list[Booked] = []
        self.pruned_sessions = 0

    def act(self, kind: str, number: int, nano: int | None) -> None:
        match kind:
            case "open":
                self._open(number, nano or 0)
            case "refuse":
                opening = an_opening(self.callers[number % 3], number % 2, reserved=nano or 0)
                self.keeper.commit([Act(opening, an_end(opening.id, Outcome.REFUSED, None, tally=Tally()))])
                self.ended.append(opening.id)
            case "settle" if self.open:
                opening = self.open.pop(number % len(self.open))
                end = an_end(opening.id, ENDS[number % 4], nano)
                self.keeper.commit([Act(settlement=end), Act(settlement=end)][: 1 + number % 2])
                self.ended.append(opening.id)
            case "abandon" if self.open:
                self._abandon()
            case "correct" if self.ended:
                self._correct(self.ended[number % len(self.ended)], nano)
            case "prune" if self.ended:
                row = UsageRecord.objects.get(pk=self.ended.pop(number % len(self.ended)))
                self.pruned.append(Booked.of(row))
                delete_rows([row.pk])
            case "budget":
                scopes: list[dict[str, Any]] = [{}, {"team_id": self.callers[0].team}, {"key_id": self.callers[0].key}]
                a_budget(10**9, hard=bool(number % 2), span=("day", "week", "month")[number % 3], **scopes[number % 3])

    def _open(self, number: int, reserved: int) -> None:
        opening = an_opening(
            self.callers[number % 3], number % 2, reserved=reserved, session=f"s{number % 2}", client="codex/1"
        )
        assert not self.keeper.commit([Act(opening)])
        self.open.append(opening)

    def _abandon(self) -> None:
        """The process dies; a late settlement may still come."""
        Instance.objects.create(id=self.instance, host="elsewhere", pid=1, stopped_at=datetime.now(UTC))
        assert mark_abandoned(uuid4()) == len(self.open)
        self.instance = uuid4()
        self.keeper = Bookkeeper(self.instance)
        late, self.open = self.open[:1], []
        self.ended += [row.pk for row in UsageRecord.objects.filter(status=UsageStatus.ABANDONED)]
        self.ended = list(dict.fromkeys(self.ended))
        for opening in late:
            self.keeper.commit([Act(settlement=an_end(opening.id))])

    @staticmethod
    def _correct(number: UUID, nano: int | None) -> None:
        row = UsageRecord.objects.get(pk=number)
        before = Booked.of(row)
        after = replace(before, nano_reported=nano, output=before.output + 1)
        with open_books() as books:
            books.prepare(moving=[after])
            books.move(before, after)
            UsageRecord.objects.as_ledger().filter(pk=number).update(nano_reported=nano, output_tokens=after.output)

    def check(self) -> None:
        rows = [Booked.of(row) for row in UsageRecord.objects.all()] + self.pruned
        whole = UsageDay.objects.aggregate(
            **{
                name: Coalesce(Sum(name), 0)
                for name in ("opened", "pruned", "settled", "refused", "failed", "cancelled", "abandoned", "nano")
            }
        )
        ended = [row for row in rows if not row.is_open]
        assert whole["opened"] == len(rows) == UsageRecord.objects.count() + whole["pruned"]
        for status in ("settled", "refused", "failed", "cancelled", "abandoned"):
            assert whole[status] == sum(row.status == status for row in ended)
        assert whole["nano"] == sum(row.cost for row in ended)
        for day in UsageDay.objects.all():
            part = [row for row in ended if (row.day, row.key, row.program) == (day.day, day.key_id, day.program)]
            assert (day.output_tokens, day.nano) == (sum(r.output for r in part), sum(r.cost for r in part))
        for talk in UsageSession.objects.all():
            part = [row for row in rows if (row.key, row.session) == (talk.key_id, talk.session)]
            assert (talk.opened, talk.nano) == (len(part), sum(row.cost for row in part))
            assert (talk.first_day, talk.last_day) == (min(r.day for r in part), max(r.day for r in part))
        for period in BudgetPeriod.objects.select_related("budget"):
            inside = [row for row in rows if _concerns(period, row)]
            assert period.settled_nano == sum(row.cost for row in inside)
            assert period.reserved_nano == sum(row.held for row in inside)


def _concerns(period: BudgetPeriod, row: Booked) -> bool:
    budget = period.budget
    subject = {"team": row.team, "member": row.member, "key": row.key}.get(budget.scope)
    return period.start <= row.day < period.end and (budget.scope == "installation" or subject == budget.subject_id)


_KINDS = ("open", "open", "open", "settle", "settle", "refuse", "abandon", "correct", "prune", "budget")


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    acts=st.lists(
        st.tuples(st.sampled_from(_KINDS), st.integers(0, 30), st.none() | st.integers(0, 10**6)), max_size=25
    )
)
def test_every_counter_is_the_sum_of_its_rows_after_any_sequence_of_acts(acts: list[tuple[str, int, int]]) -> None:
    _clear()
    ledger = Ledger()
    for act in acts:
        ledger.act(*act)
    ledger.check()


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    limit=st.integers(0, 100),
    batches=st.lists(
        st.lists(st.tuples(st.booleans(), st.integers(0, 40), st.integers(0, 60)), min_size=1, max_size=6), max_size=8
    ),
)
def test_no_interleaving_spends_more_than_the_limit_and_what_answers_cost_beyond_their_reservations(
    limit: int, batches: list[list[tuple[bool, int, int]]]
) -> None:
    """Two processes take turns; of those in flight, the answers that end cost what they like."""
    _clear()
    caller = callers()[0]
    budget = a_budget(limit, member_id=caller.member)
    keepers = [Bookkeeper(uuid4()), Bookkeeper(uuid4())]
    flying: list[tuple[Opening, int]] = []
    beyond = 0
    for turn, batch in enumerate(batches):
        acts: list[Act] = []
        costs: dict[Act, int] = {}
        for ends, reserved, cost in batch:
            if ends and flying:
                opening, actual = flying.pop(0)
                beyond += max(0, actual - opening.reserved)
                acts.append(Act(settlement=an_end(opening.id, nano=actual)))
            else:
                act = Act(an_opening(caller, reserved=reserved))
                costs[act] = cost
                acts.append(act)
        refused = keepers[turn % 2].commit(acts)
        flying += [(act.opening, cost) for act, cost in costs.items() if act not in refused and act.opening]
        for period in BudgetPeriod.objects.filter(budget=budget):
            assert period.spent_nano <= limit + beyond
            assert period.reserved_nano == sum(opening.reserved for opening, _cost in flying)
        assert UsageRecord.objects.filter(status=UsageStatus.OPEN).count() == len(flying)


def _clear() -> None:
    """Hypothesis runs many examples in one transaction of the test."""
    for model in (BudgetWarning, BudgetPeriod, Budget, UsageDay, UsageSession):
        model.objects.all().delete()
    delete_rows(list(UsageRecord.objects.values_list("id", flat=True)))
    UsageDay.objects.all().delete()


# --- what a settlement may touch --------------------------------------------------------------------------


def test_a_second_settlement_of_the_same_row_counts_nothing() -> None:
    keeper = Bookkeeper(uuid4())
    opening = an_opening(callers()[0], reserved=2)
    keeper.commit([Act(opening)])
    for nano in (5, 500):
        keeper.commit([Act(settlement=an_end(opening.id, nano=nano))])
    assert UsageDay.objects.aggregate(Sum("nano"), Sum("settled")) == {"nano__sum": 5, "settled__sum": 1}
    assert UsageRecord.objects.get().nano == 5


def test_what_github_did_not_report_stands_apart() -> None:
    keeper = Bookkeeper(uuid4())
    openings = [an_opening(callers()[0]) for _ in range(2)]
    keeper.commit([Act(opening) for opening in openings])
    keeper.commit([Act(settlement=an_end(openings[0].id)), Act(settlement=an_end(openings[1].id, nano=None))])
    told = UsageDay.objects.aggregate(all=Sum("nano"), apart=Sum("nano_stand_in"))
    assert told == {"all": 11, "apart": 6}


@pytest.fixture
def old_rows() -> None:
    keeper = Bookkeeper(uuid4())
    for caller in callers():
        for number in range(3):
            opening = an_opening(caller, number % 2, session=f"s{number}", client=f"codex/{number}")
            keeper.commit([Act(opening)])
            if number:
                keeper.commit([Act(settlement=an_end(opening.id, nano=None if number == 1 else 8))])


@pytest.mark.usefixtures("old_rows")
def test_rows_of_an_earlier_release_are_rolled_up_by_the_migration() -> None:
    kept = {model: _contents(model) for model in (UsageDay, UsageSession)}
    UsageDay.objects.all().delete()
    UsageSession.objects.all().delete()
    import_module("accounts.migrations.0004_fill_rollups").fill(apps, None)
    assert {model: _contents(model) for model in (UsageDay, UsageSession)} == kept


def _contents(model: Any) -> list[dict[str, Any]]:
    return [{k: v for k, v in row.items() if k != "id"} for row in model.objects.order_by("slot").values()]


def test_open_rows_and_ended_rows_add_up_to_what_was_opened() -> None:
    keeper = Bookkeeper(uuid4())
    openings = [an_opening(callers()[0]) for _ in range(3)]
    keeper.commit([Act(opening) for opening in openings])
    keeper.commit([Act(settlement=an_end(openings[0].id, Outcome.FAILED))])
    counted = UsageDay.objects.aggregate(opened=Sum("opened"), ended=Sum(F("settled") + F("failed")))
    still_open = UsageRecord.objects.aggregate(open=Count("id", filter=Q(status="open")))
    assert counted["opened"] == counted["ended"] + still_open["open"] == 3
