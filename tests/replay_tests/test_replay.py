"""A short replay in the suite; the environment's REPLAY_COUNT makes it longer, REPLAY_SEED asks other things."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from tests.replay.audit import audit
from tests.replay.report import markdown, summary
from tests.replay.run import Plan, replay

COUNT = int(os.environ.get("REPLAY_COUNT", "150"))
SEED = os.environ.get("REPLAY_SEED", "1")


@pytest.mark.timeout(240 + COUNT // 5)
async def test_what_is_settled_is_what_was_charged_though_the_gateway_is_killed(tmp_path: Path) -> None:
    plan = Plan(COUNT, SEED, kills=1)
    since = time.monotonic()
    evidence = await replay(plan, tmp_path)
    verdict = audit(evidence)
    told = summary(plan, evidence, verdict, time.monotonic() - since)
    assert not verdict.violations, told
    assert verdict.matched > COUNT // 3, told
    assert verdict.settled == verdict.charged > 0
    report = markdown(plan, evidence, verdict, time.monotonic() - since)
    assert all(f"| {named.number} | {named.request_id} |" in report for named in verdict.named)
