from __future__ import annotations

from dataclasses import replace

import pytest

from tests.replay.asks import BUDGETED_NANO, Kind
from tests.replay.audit import Verdict, audit
from tests.replay.cast import BUDGETED
from tests.replay.evidence import Ended, Evidence, Period
from tests.replay_tests.evidences import DEAD, a_call, a_row, a_seen, an_ask, good, having


def laws(evidence: Evidence) -> set[str]:
    return {violation.law for violation in audit(evidence).violations}


def test_a_replay_in_which_everything_agrees_has_no_violation_and_names_only_the_refusal() -> None:
    verdict = audit(good())
    assert verdict.violations == []
    assert (verdict.settled, verdict.charged, verdict.matched) == (4006, 4006, 4)
    assert [(named.number, named.nano, named.charged) for named in verdict.named] == [(4, 0, 0)]


@pytest.mark.parametrize("by", [-1, 1])
def test_one_nano_of_difference_is_a_violation(by: int) -> None:
    verdict = audit(having(good(), 1, row=a_row(1, nano_reported=1001 + by)))
    assert {violation.law for violation in verdict.violations} == {"money", "sum"}


def test_differences_that_cancel_out_are_still_violations_of_each_row() -> None:
    evidence = having(good(), 1, row=a_row(1, nano_reported=1002))
    verdict = audit(having(evidence, 2, row=a_row(2, nano_reported=1001)))
    assert verdict.settled == verdict.charged
    assert [violation.law for violation in verdict.violations] == ["money", "money"]


def test_an_answer_received_to_its_end_must_be_settled() -> None:
    assert laws(having(good(), 1, row=a_row(1, "abandoned", instance=DEAD))) == {"ending"}
    assert laws(having(good(), 1, row=a_row(1, "cancelled"))) == {"ending"}


def test_a_row_that_nobody_asked_for_is_found() -> None:
    evidence = good()
    assert laws(replace(evidence, rows=[*evidence.rows, a_row(77)])) == {"row without a request"}
    assert laws(replace(evidence, rows=[*evidence.rows, a_row(78, client="curl/8")])) == {"row without a request"}
    assert laws(replace(evidence, rows=[*evidence.rows, a_row(1)])) == {"two rows"}


def test_an_upstream_call_without_a_row_is_found() -> None:
    gone = having(good(), 1, row=None, seen=a_seen(1, Ended.LOST, request_id="", status=None, last_life=1))
    assert laws(gone) == {"call without a row"}


def test_a_request_id_without_its_row_is_found() -> None:
    assert laws(having(good(), 1, row=None, calls=[], seen=a_seen(1))) == {"request id without a row"}
    assert laws(having(good(), 1, row=a_row(1, id="0" * 32))) == {"request id"}


def test_a_process_that_died_before_it_opened_a_row_is_named_and_no_violation() -> None:
    seen = a_seen(1, Ended.LOST, request_id="", status=None, last_life=1)
    verdict = audit(having(good(), 1, row=None, calls=[], seen=seen))
    assert verdict.violations == []
    assert verdict.named[0].note == "died unopened"


def lost(evidence: Evidence) -> Evidence:
    """Request 1 was under way when the process was killed."""
    row = a_row(1, "abandoned", instance=DEAD, upstream_id="", nano_reported=None, nano_computed=None, cost_source="")
    seen = a_seen(1, Ended.LOST, last_life=1)
    return having(evidence, 1, row=row, seen=seen, calls=[a_call(1, nano=700, is_whole=False)])


def test_an_abandoned_row_of_a_killed_process_is_named_with_what_it_lost() -> None:
    verdict = audit(lost(good()))
    assert verdict.violations == []
    assert [(named.number, named.loss) for named in verdict.named] == [(1, 700), (4, 0)]
    assert (verdict.lost, verdict.overcounted) == (700, 0)


def test_rows_are_not_abandoned_by_processes_that_live() -> None:
    evidence = lost(good())
    assert laws(replace(evidence, killed=frozenset(), kills_due=0)) == {"abandoned by the living"}


def test_a_connection_is_lost_to_kills_only() -> None:
    assert "answer without an end" in laws(having(good(), 1, seen=a_seen(1, Ended.LOST)))
    assert "answer without an end" in laws(having(good(), 1, seen=a_seen(1, Ended.SILENT, last_life=1)))


def test_a_row_that_stays_open_is_found() -> None:
    assert "open row" in laws(having(good(), 1, row=a_row(1, "open", settled_at=None)))


def test_a_try_that_was_charged_beside_the_settled_one_is_named() -> None:
    first = a_call(50, ask=1, upstream_id="UP:50", nano=300, is_whole=False)
    verdict = audit(having(good(), 1, calls=[first, a_call(1)]))
    assert verdict.violations == []
    assert (verdict.named[0].number, verdict.named[0].loss) == (1, 300)


def test_an_answer_is_not_settled_with_what_another_try_was_charged() -> None:
    first = a_call(50, ask=1, upstream_id="UP:50", nano=1001)
    assert "settled without a whole charge" in laws(having(good(), 1, calls=[first, a_call(1, is_whole=False)]))
    assert "upstream id" in laws(having(good(), 1, calls=[first]))


def test_an_estimate_beyond_the_charge_is_named_as_counted_too_much() -> None:
    row = a_row(1, "cancelled", cost_source="estimated", nano_reported=None, nano_computed=1500)
    evidence = having(good(), 1, row=row, seen=a_seen(1, Ended.LEFT), ask=an_ask(1, Kind.LEFT))
    verdict = audit(evidence)
    assert verdict.violations == []
    assert (verdict.lost, verdict.overcounted) == (0, 499)


def test_a_refused_request_was_not_charged() -> None:
    evidence = good()
    row = next(row for row in evidence.rows if row.status == "refused")
    assert "refused and charged" in laws(having(evidence, 4, row=row, calls=[a_call(4)]))


def test_what_the_client_is_told_of_the_cost_is_what_the_row_says() -> None:
    assert laws(having(good(), 1, seen=a_seen(1, cost="0.000001001"))) == set()
    assert laws(having(good(), 1, seen=a_seen(1, cost="0.000001002"))) == {"x-bridge-cost"}


def test_premium_requests_are_compared_in_thousandths() -> None:
    calls = [a_call(1, nano=0, premium_thousandths=330)]
    right = a_row(1, nano_reported=None, premium_thousandths=330)
    assert laws(having(good(), 1, row=right, calls=calls)) == set()
    assert laws(having(good(), 1, row=replace(right, premium_thousandths=0), calls=calls)) == {"premium"}


def test_counters_and_budget_periods_must_equal_their_rows() -> None:
    assert laws(replace(good(), sums=[("UsageDay nano", 5, 6)])) == {"counter"}
    fine = Period("dan", True, 10, settled=7, reserved=0, rows_settled=7, rows_reserved=0)
    assert laws(replace(good(), periods=[fine])) == set()
    assert laws(replace(good(), periods=[replace(fine, reserved=1)])) == {"budget period"}
    assert laws(replace(good(), proof="1 difference")) == {"manage.py prove"}
    assert laws(replace(good(), accounts={"carol-copilot": 1})) == {"account"}


def overspent(by: int, beyond_reserved: int) -> Verdict:
    nano = 5000 + by
    row = a_row(3, key=BUDGETED.name, nano_reported=nano, reserved_nano=nano - beyond_reserved)
    return audit(having(good(), 3, row=row, calls=[a_call(3, nano=nano)]))


def test_a_hard_budget_is_overspent_by_no_more_than_answers_beyond_their_reservation() -> None:
    assert overspent(by=10, beyond_reserved=10).violations == []
    assert [violation.law for violation in overspent(by=10, beyond_reserved=9).violations] == ["hard budget"]


def test_what_ended_long_before_the_last_admission_allows_no_overshoot() -> None:
    row = a_row(3, key=BUDGETED.name, nano_reported=5010, reserved_nano=0, opened_at=1.0, settled_at=2.0)
    evidence = having(good(), 3, row=row, calls=[a_call(3, nano=5010)])
    late = an_ask(2, key=BUDGETED.name)
    evidence = having(evidence, 2, ask=late, row=a_row(2, key=BUDGETED.name, reserved_nano=1002))
    assert "hard budget" in laws(evidence)


def test_a_hard_budget_must_refuse_somebody_and_in_the_form_that_stops_clients() -> None:
    evidence = good()
    refusal = evidence.seen[4]
    for wrong in (replace(refusal, may_retry=""), replace(refusal, status=402), replace(refusal, code="rate_limit")):
        assert "budget's refusal" in laws(having(evidence, 4, seen=wrong))
    let_in = having(evidence, 4, seen=a_seen(4), row=a_row(4, key=BUDGETED.name), calls=[a_call(4)])
    assert laws(let_in) == {"hard budget"}


def test_a_hard_budget_that_nobody_used_up_refuses_nobody() -> None:
    let_in = having(good(), 4, seen=a_seen(4), row=a_row(4, key=BUDGETED.name), calls=[a_call(4)])
    assert laws(replace(let_in, budgeted_limit=BUDGETED_NANO)) == set()


def test_a_replay_that_did_not_happen_proves_nothing() -> None:
    assert "coverage" in laws(replace(good(), kills_due=2))
    refused = a_seen(1, Ended.REFUSED, status=503, code="overloaded")
    row = a_row(1, "failed", upstream_id="", http_status=503, nano_reported=None)
    assert laws(having(good(), 1, seen=refused, row=row, calls=[])) == {"not answered"}
    asks = [an_ask(n) for n in range(600)]
    assert "coverage" in laws(replace(good(), asks=asks, seen={n: a_seen(n) for n in range(600)}))


def test_a_retried_request_took_more_than_one_try() -> None:
    assert "coverage" in laws(having(good(), 1, ask=an_ask(1, Kind.RETRIED)))
    assert laws(having(good(), 1, ask=an_ask(1, Kind.RETRIED), row=a_row(1, attempts=2))) == set()
