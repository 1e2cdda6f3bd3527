"""A whole run, as small as can be: what it says and whether it calls the answers right."""

from __future__ import annotations

import pytest

from tests.bench.__main__ import bench
from tests.bench.plan import Cell, Form, Frames, Kind
from tests.simulator.fast_answers import Shape

MORE_THAN_THE_UPSTREAM_CAN = Shape(1_000_000, 0, 200)
"""A number it does not read: it answers with its default of 20 chunks, which is then the wrong count."""


@pytest.mark.parametrize(
    ("shape", "right"), [(Shape(5, 1, 200), True), (MORE_THAN_THE_UPSTREAM_CAN, False)], ids=["right", "wrong"]
)
def test_a_run_is_as_right_as_its_answers(shape: Shape, right: bool) -> None:
    cells = tuple(Cell(kind, Frames.CLEAN, 2, shape, 0.1) for kind in (Kind.UNSTREAMED, Kind.PACED))
    text, all_right = bench(Form(1, 20, cells), with_gateway=False)
    assert all_right is right
    assert ("None among" in text) is right
    assert ("× chunks missing" in text) is not right
    assert "The gateway was left out" in text


def test_what_there_is_no_time_for_is_left_out() -> None:
    late = Cell(Kind.UNSTREAMED, Frames.CLEAN, 1, Shape(5, 0, 200), 3600)
    text, all_right = bench(Form(1, 20, (late,)), with_gateway=False)
    assert all_right
    assert "left out for want of time" in text
