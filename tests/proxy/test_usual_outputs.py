"""How long answers usually are: percentiles of each key and model, in bounded memory, known again after a start."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import ApiKey, UsageStatus
from proxy.usual_outputs import FEWEST_SAMPLES, REMEMBERED_PAIRS, SAMPLES, UNKNOWN, UsualOutputs, latest_answers
from tests.accounts.rows import a_member, a_record


def noted(*lengths: int, key: int = 1, model: str = "m") -> UsualOutputs:
    usual = UsualOutputs()
    for length in lengths:
        usual.note(key, model, length)
    return usual


def test_ninety_five_of_a_hundred_answers_are_no_longer() -> None:
    assert noted(*range(1, 101)).usual(1, "m") == 95
    assert noted(*[10] * 95, *[9999] * 5).usual(1, "m") == 10
    assert noted(*[10] * 94, *[9999] * 6).usual(1, "m") == 9999


def test_too_few_answers_of_a_key_leave_it_to_the_model_and_too_few_of_that_to_a_guess() -> None:
    assert UsualOutputs().usual(1, "m") == UNKNOWN
    assert noted(*[7] * (FEWEST_SAMPLES - 1)).usual(1, "m") == UNKNOWN
    usual = noted(*[7] * FEWEST_SAMPLES)
    assert (usual.usual(1, "m"), usual.usual(2, "m"), usual.usual(1, "other")) == (7, 7, UNKNOWN)
    for _ in range(FEWEST_SAMPLES):
        usual.note(2, "m", 900)
    assert (usual.usual(1, "m"), usual.usual(2, "m"), usual.usual(3, "m")) == (7, 900, 900)


def test_only_the_last_answers_count() -> None:
    assert noted(*[9999] * 500, *[5] * SAMPLES).usual(1, "m") == 5


def test_an_answer_without_output_teaches_nothing() -> None:
    assert noted(*[0] * 100, *[-3] * 100).usual(1, "m") == UNKNOWN


def test_memory_is_bounded_and_what_is_used_is_kept() -> None:
    usual = noted(*[5] * FEWEST_SAMPLES, model="kept")
    for number in range(REMEMBERED_PAIRS * 2):
        usual.note(number, f"m{number % 500}", 10)
        usual.note(1, "kept", 5)
    assert len(usual._of_keys) == REMEMBERED_PAIRS
    assert len(usual._of_models) <= 200
    assert usual.usual(1, "kept") == 5


def test_what_is_learned_from_the_ledger_is_older_than_what_was_seen() -> None:
    usual = noted(*[5] * SAMPLES)
    usual.learn([(1, "m", 9999)] * 300 + [(2, "n", 40)] * FEWEST_SAMPLES + [(None, "n", 1)] * 99)
    assert usual.usual(1, "m") == 5
    assert usual.usual(2, "n") == 40
    assert usual.usual(3, "n") == 40


@given(st.lists(st.integers(1, 10**6), min_size=FEWEST_SAMPLES, max_size=SAMPLES))
def test_the_usual_length_was_seen_and_at_most_a_twentieth_is_longer(lengths: list[int]) -> None:
    usual = noted(*lengths).usual(1, "m")
    assert usual in lengths
    assert sum(length > usual for length in lengths) * 20 <= len(lengths)
    assert sum(length >= usual for length in lengths) * 20 > len(lengths)


@pytest.mark.django_db
def test_the_latest_settled_rows_are_read_from_the_end_of_the_ledger() -> None:
    key, _text = ApiKey.objects.issue(a_member())
    for number in range(1, 6):
        a_record(number, key=key, served_model="m", output_tokens=number)
    a_record(6, key=key, served_model="m", output_tokens=6, status=UsageStatus.CANCELLED)
    a_record(7, served_model="m", output_tokens=7)
    assert latest_answers() == [(None, "m", 7), *[(key.pk, "m", number) for number in (5, 4, 3, 2, 1)]]
    assert latest_answers(3) == [(None, "m", 7), (key.pk, "m", 5)]
