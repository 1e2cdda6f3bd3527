"""Nothing is lost silently on any crossing, and the README's table says what the crossing does."""

from __future__ import annotations

import pytest

from bridge.dialect import Dialect
from tests.matrix.answers import ANSWERS, AnswerFeature, answer_mark_of
from tests.matrix.crossing import Mark, mark_of
from tests.matrix.features import FEATURES, Feature
from tests.matrix.table import CROSSINGS, README, with_table

every_crossing = pytest.mark.parametrize(("door", "upstream"), CROSSINGS)


@every_crossing
@pytest.mark.parametrize("feature", FEATURES, ids=lambda feature: feature.name)
def test_what_a_request_says_is_carried_or_named(feature: Feature, door: Dialect, upstream: Dialect) -> None:
    assert mark_of(feature, door, upstream) is not Mark.LOST


@every_crossing
@pytest.mark.parametrize("feature", ANSWERS, ids=lambda feature: feature.name)
def test_what_an_answer_tells_is_carried_or_named(feature: AnswerFeature, door: Dialect, upstream: Dialect) -> None:
    assert answer_mark_of(feature, door, upstream) is not Mark.LOST


def test_the_readmes_table_is_up_to_date() -> None:
    text = README.read_text(encoding="utf-8")
    assert with_table(text) == text, "make it anew with `python -m tests.matrix`"
