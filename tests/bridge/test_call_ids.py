"""Ids of tool calls that fit every dialect."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.call_ids import LENGTH_LIMIT, Distinct, fit


@pytest.mark.parametrize("call_id", ["toolu_01", "call-a_B9", "x" * 64])
def test_an_id_that_fits_stays(call_id: str) -> None:
    assert fit(call_id) == call_id


def test_an_id_that_does_not_fit_stays_readable() -> None:
    assert re.fullmatch(r"functions_read_0_[0-9a-f]{8}", fit("functions.read:0"))
    assert re.fullmatch(r"call_[0-9a-f]{8}", fit(""))


@given(st.text(), st.text())
def test_ids_fit_are_stable_and_stay_apart(one: str, other: str) -> None:
    assert re.fullmatch(r"[a-zA-Z0-9_-]+", fit(one))
    assert len(fit(one)) <= LENGTH_LIMIT
    assert fit(fit(one)) == fit(one)
    assert (fit(one) == fit(other)) == (one == other) or fit(one) == other or fit(other) == one


def test_half_a_character_does_no_harm() -> None:
    assert fit("\ud83d").startswith("_")


def test_ids_of_one_answer_are_kept_apart() -> None:
    ids = Distinct()
    fitted = [ids.fit("a"), ids.fit("a"), ids.fit("a"), ids.fit("b")]
    assert (fitted[0], fitted[3], len(set(fitted))) == ("a", "b", 4)
    again = Distinct()
    assert [again.fit("a"), again.fit("a")] == fitted[:2]
