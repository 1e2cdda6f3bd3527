"""The tables: medians, ratios, what is unknown, and what was wrong."""

from __future__ import annotations

from typing import Any

import pytest

from tests.bench.jobs import Measured, Spread
from tests.bench.measuring import Observed, Results
from tests.bench.plan import Cell, Form, Frames, Kind, full_form, short_form
from tests.bench.processes import Cores
from tests.bench.report import report
from tests.bench.upstream import Target, Upstream
from tests.simulator.fast_answers import Shape

CELL = Cell(Kind.UNSTREAMED, Frames.CLEAN, 50, Shape(8, 0, 200), 1.0)
PACED = Cell(Kind.PACED, Frames.QUIRKY, 500, Shape(8, 50, 200), 1.0)
DIRECT = Upstream("http://127.0.0.1:1", 0).direct
GATEWAY = Target("gateway", 2, "/v1/chat/completions", "k", 7)
CORES = Cores(1, 0)


def observed(served: int, **more: Any) -> Observed:
    spread = Spread(more.pop("p50", 1.0), more.pop("p99", 2.0))
    measured = Measured(
        served=served, chunks=served * 8, seconds=2.0, wrong=more.pop("wrong", {}), first=spread, delay=spread,
        whole=spread, peak=50, cpu=0.5,
    )  # fmt: skip
    asked: dict[str, Any] = {"cpu": None, "rss": None, "threads": None, "load_busy": 0.5}
    return Observed(measured=measured, **(asked | more))


def row(text: str, road: str) -> list[str]:
    return next([cell.strip() for cell in line.split("|")[1:-1]] for line in text.splitlines() if f"| {road} |" in line)


def reported(cell: Cell, results: Results, faults: list[str] | None = None) -> str:
    form = Form(3, 60, (cell,))
    return report(form, ["direct", "gateway"], results, CORES, [], faults or [])


def test_figures_are_medians_and_stand_beside_the_direct_ones() -> None:
    results = Results()
    for served in (1000, 4000, 2000):
        results.add(CELL, DIRECT, observed(served))
    for served in (500, 400, 9000):
        results.add(CELL, GATEWAY, observed(served, cpu=0.1, rss=90_000_000, threads=4, p50=3.0))
    text = reported(CELL, results)
    assert row(text, "direct") == ["50", "direct", "1,000", "1.00", "1.00", "1.00", "2.00", "1.00", "–", "–", "–", "50"]
    assert row(text, "gateway") == [
        "50",
        "gateway",
        "250",
        "0.25",
        "3.00",
        "3.00",
        "2.00",
        "1.00",
        "200",
        "90",
        "4",
        "50",
    ]
    assert "up to 300% apart" in text
    assert "None among 16,900." in text


def test_what_a_chunk_is_delayed_more_than_directly_is_added() -> None:
    results = Results()
    results.add(PACED, DIRECT, observed(10, p50=0.25, p99=1.0))
    results.add(PACED, GATEWAY, observed(10, p50=0.5, p99=4.0))
    assert row(reported(PACED, results), "gateway")[6:10] == ["0.500", "0.250", "4.000", "3.000"]


def test_what_was_not_measured_is_unknown_and_not_nothing() -> None:
    results = Results(left_out=2)
    results.add(CELL, DIRECT, observed(10))
    text = reported(CELL, results)
    assert set(row(text, "gateway")[2:]) == {"–"}
    assert "2 measurements left out for want of time" in text


def test_wrong_answers_are_listed_with_their_place() -> None:
    results = Results()
    results.add(PACED, GATEWAY, observed(10, wrong={"no [DONE]": 2}))
    results.add(PACED, GATEWAY, observed(10, wrong={"no [DONE]": 1, "status 503": 4}))
    text = reported(PACED, results, faults=["gateway: has no object"])
    assert "* gateway: has no object" in text
    assert "* paced, quirky frames, 500 clients, gateway: 3 × no [DONE], 4 × status 503" in text


@pytest.mark.parametrize(("form", "limit"), [(short_form(), 60), (full_form(), 480)])
def test_a_form_with_two_roads_fits_its_limit(form: Form, limit: int) -> None:
    assert form.limit == limit
    assert 2 * form.rounds * sum(cell.cost for cell in form.cells) < limit


@pytest.mark.parametrize("form", [short_form(), full_form()])
def test_both_forms_measure_what_was_promised(form: Form) -> None:
    paced = {(cell.frames, cell.connections) for cell in form.cells if cell.kind is Kind.PACED}
    assert paced == {(frames, many) for frames in Frames for many in (1, 50, 500)}
    assert {cell.connections for cell in form.cells if cell.kind is Kind.UNSTREAMED} == {1, 50}


def test_the_number_of_rounds_can_be_chosen() -> None:
    assert (short_form(2).rounds, full_form(7).rounds) == (2, 7)


def test_a_job_asks_what_its_cell_says() -> None:
    job = PACED.job(GATEWAY, 5)
    assert (job.model, job.streamed, job.connections, job.ramp, job.patience) == (
        "claude-sonnet-4.5",
        True,
        500,
        0.4,
        5,
    )
    assert CELL.job(GATEWAY, 5).streamed is False
