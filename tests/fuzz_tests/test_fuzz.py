"""A short run of the fuzz; the environment's FUZZ_COUNT makes it longer, FUZZ_SEED gives it other cases."""

from __future__ import annotations

import os

import pytest

from tests.fuzz.runs import WEIGHTS, Plan, run_all

COUNT = int(os.environ.get("FUZZ_COUNT", "1000"))
SEED = os.environ.get("FUZZ_SEED", "1")


@pytest.mark.timeout(120 + COUNT // 20)
def test_nothing_that_comes_in_brings_the_gateway_down() -> None:
    findings, _ = run_all(Plan(COUNT, SEED, tuple(WEIGHTS)))
    assert not findings.counts, f"seed {SEED}\n{findings.report()}"
