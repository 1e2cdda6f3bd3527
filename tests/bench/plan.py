"""What is measured: the cells of the tables, and how much of it the short and the full form do.

*Paced* streams flow as a model writes; they show what a gateway adds to the first byte and to each chunk.
*Unpaced* streams come as fast as anyone can carry them; they and the unstreamed requests show how much it can do.
Paced streams begin evenly spread over the length of one of them, as clients of a team would, not all at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from tests.bench.jobs import Job
from tests.bench.upstream import Target
from tests.simulator.fast_answers import CLEAN_MODEL, QUIRKY_MODEL, Shape

_STARTING = 0.5
"""Seconds that a load generator takes to start and end, about."""


class Kind(StrEnum):
    UNSTREAMED = "unstreamed"
    PACED = "paced"
    UNPACED = "unpaced"


class Frames(StrEnum):
    CLEAN = "clean"
    QUIRKY = "quirky"


@dataclass(frozen=True, slots=True)
class Cell:
    """One measurement that every target gets in every round."""

    kind: Kind
    frames: Frames
    connections: int
    shape: Shape
    seconds: float

    @property
    def cost(self) -> float:
        """Seconds that it takes on a machine that keeps up."""
        return self.seconds + self.shape.seconds + _STARTING

    def job(self, target: Target, patience: float) -> Job:
        return Job(
            port=target.port,
            path=target.path,
            key=target.key,
            model=CLEAN_MODEL if self.frames is Frames.CLEAN else QUIRKY_MODEL,
            streamed=self.kind is not Kind.UNSTREAMED,
            shape=self.shape,
            connections=self.connections,
            seconds=self.seconds,
            patience=patience,
            ramp=self.shape.seconds if self.kind is Kind.PACED else 0.0,
        )


@dataclass(frozen=True, slots=True)
class Form:
    """How much is done; `limit` is the most seconds it may take from the first process to the last."""

    rounds: int
    limit: float
    cells: tuple[Cell, ...]


def short_form(rounds: int | None = None) -> Form:
    """A look at everything in a minute: too short for figures to quote, enough to see that all answers are right."""
    return Form(rounds or 1, 60, _cells(Shape(16, 50, 200), paced=1.0, others=0.7, unpaced=(50,)))


def full_form(rounds: int | None = None) -> Form:
    """The figures to quote, in at most eight minutes."""
    return Form(rounds or 3, 480, _cells(Shape(30, 50, 200), paced=2.0, others=1.5, unpaced=(1, 50, 500)))


def _cells(shape: Shape, *, paced: float, others: float, unpaced: tuple[int, ...]) -> tuple[Cell, ...]:
    return (
        *(Cell(Kind.UNSTREAMED, Frames.CLEAN, many, Shape(8, 0, 200), others) for many in (1, 50)),
        *(Cell(Kind.PACED, frames, many, shape, paced) for frames in Frames for many in (1, 50, 500)),
        *(Cell(Kind.UNPACED, frames, many, Shape(100, 0, 200), others) for frames in Frames for many in unpaced),
    )
