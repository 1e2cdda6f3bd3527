from __future__ import annotations

from tests.replay.asks import BUDGETED_NANO, Kind, asks
from tests.replay.run import Plan


def test_the_process_is_killed_once_in_every_part_of_the_replay() -> None:
    points = Plan(1000, "1", kills=5).kill_points
    assert points == sorted(points)
    assert len(set(points)) == 5
    assert 0 < points[0] < points[-1] < 1000


def test_the_hard_budget_is_used_up_midway() -> None:
    plan = Plan(1000)
    wanted = sum(ask.kind is Kind.BUDGETED for ask in asks(plan.seed, plan.requests)) * BUDGETED_NANO
    assert wanted // 4 < plan.budgeted_limit < wanted // 2
    assert plan.budgeted_limit % BUDGETED_NANO, "the last one let in overspends"


def test_kills_wait_for_dozens_of_requests_under_way() -> None:
    assert Plan(10_000).fewest_under_way >= 24
    assert Plan(10, parallel=3).fewest_under_way == 2
