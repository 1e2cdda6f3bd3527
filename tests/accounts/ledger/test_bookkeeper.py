from __future__ import annotations

from uuid import uuid4

import pytest

from accounts.ledger import Outcome
from accounts.ledger.bookkeeper import Act, Bookkeeper
from accounts.models import Budget, BudgetPeriod
from bridge.tally import Tally
from tests.accounts.ledger.desk import a_known_caller, a_settlement, an_opening, the_row

pytestmark = pytest.mark.django_db


def test_a_request_that_a_budget_refused_holds_nothing_back_and_gives_nothing_back() -> None:
    Budget.objects.create(limit_nano=100)
    keeper, caller = Bookkeeper(uuid4()), a_known_caller()
    held, refused = an_opening(caller, reserved=60), an_opening(caller, reserved=60)
    keeper.commit([Act(held)])
    assert list(keeper.commit([act := Act(refused)])) == [act]
    keeper.commit([Act(refused, a_settlement(refused, outcome=Outcome.REFUSED, http_status=429, tally=Tally()))])
    period = BudgetPeriod.objects.get()
    assert (period.settled_nano, period.reserved_nano) == (0, 60)
    assert the_row(refused).reserved_nano == 0
    keeper.commit([Act(settlement=a_settlement(held, tally=Tally(nano=70)))])
    period.refresh_from_db()
    assert (period.settled_nano, period.reserved_nano) == (70, 0)
