from __future__ import annotations

import json

from tests.replay.audit import audit
from tests.replay.report import as_json, markdown, summary
from tests.replay.run import Plan
from tests.replay_tests.evidences import a_row, good, having

PLAN = Plan(5, "1", kills=1)


def test_the_summary_says_both_sums_and_every_violation() -> None:
    evidence = having(good(), 1, row=a_row(1, nano_reported=1002))
    told = summary(PLAN, evidence, audit(evidence), 3.0)
    assert "settled 4007 nano-AIU in 4 rows" in told
    assert "charged 4006 nano-AIU for those very answers: difference 1" in told
    assert "money: request 1: the row says 1002, the upstream charged 1001" in told


def test_the_report_names_requests_one_by_one_with_their_difference() -> None:
    evidence = having(good(), 1, row=a_row(1, "failed", nano_reported=400))
    verdict = audit(evidence)
    lines = markdown(PLAN, evidence, verdict, 3.0).splitlines()
    [line] = [line for line in lines if line.startswith("| 1 |")]
    assert "| 400 | 1001 | 601 |" in line
    told = json.loads(as_json(PLAN, verdict))
    assert [(each["number"], each["loss"]) for each in told["named"]] == [(1, 601), (4, 0)]
    assert len(told["violations"]) == len(verdict.violations)


def test_money_is_shown_in_credits_exactly() -> None:
    evidence = good()
    verdict = audit(evidence)
    verdict.overshoot = -1_500_000_001
    assert "-1.500000001 credits beyond its limit" in summary(PLAN, evidence, verdict, 3.0)
