from __future__ import annotations

import json
from collections import Counter

from tests.replay.asks import WEIGHTS, Kind, asks, drawn, number_in_body, number_in_program
from tests.replay.cast import KEYS


def test_a_request_is_the_same_in_every_run_of_a_seed_and_another_in_another() -> None:
    assert [drawn("1", n) for n in range(50)] == [drawn("1", n) for n in range(50)]
    assert [drawn("1", n).body for n in range(50)] != [drawn("2", n).body for n in range(50)]


def test_every_request_carries_its_number_in_its_text_and_in_its_program() -> None:
    for ask in asks("1", 300):
        assert number_in_program(ask.program) == ask.number
        if ask.kind is not Kind.BAD_BODY:
            assert number_in_body(ask.body) == ask.number


def test_programs_that_are_not_of_a_replay_have_no_number() -> None:
    assert [number_in_program(text) for text in ("", "curl/8", "replay-laptop/1.0", "other r000001")] == [None] * 4
    assert number_in_body(b'{"messages": []}') is None


def test_a_thousand_requests_hold_every_kind_by_its_weight() -> None:
    count = sum(WEIGHTS.values())
    assert Counter(ask.kind for ask in asks("1", count)) == WEIGHTS
    assert set(WEIGHTS) == set(Kind)


def test_every_door_format_and_key_is_drawn() -> None:
    drawn_ones = list(asks("1", 1000))
    assert {ask.door for ask in drawn_ones} == {"chat", "responses", "messages", "embeddings"}
    assert {ask.key for ask in drawn_ones} == {key.name for key in KEYS}
    assert {ask.streamed for ask in drawn_ones} == {True, False}


def test_bodies_are_json_unless_they_are_to_be_bad() -> None:
    for ask in asks("1", 300):
        if ask.kind is not Kind.BAD_BODY:
            assert json.loads(ask.body)["model"] == ask.model


def test_faults_that_strike_once_are_told_apart_by_their_request() -> None:
    texts = [ask.body for ask in asks("1", 1000) if ask.kind in (Kind.RETRIED, Kind.REPAIRED)]
    assert all(body.count(b"#r") >= 2 for body in texts), "the mark stands in the scenario, too"
