"""The spoilers: the same dice spoil in the same way, every way is taken, and none fails itself."""

from __future__ import annotations

import json
import random

import pytest

from bridge.json_text import decode_object
from tests.fuzz import requests, seeds
from tests.fuzz.mutation import nested, spoilt_bytes, spoilt_json, spoilt_text, spoilt_value

ALL = (*seeds.CHAT, *seeds.RESPONSES, *seeds.MESSAGES, *seeds.EMBEDDINGS)


def test_the_same_seed_gives_the_same_case() -> None:
    first = [requests.drawn(random.Random(f"a/{number}")) for number in range(50)]
    again = [requests.drawn(random.Random(f"a/{number}")) for number in range(50)]
    other = [requests.drawn(random.Random(f"b/{number}")) for number in range(50)]
    assert first == again
    assert first != other


def test_most_spoilt_requests_are_still_json_and_nearly_all_are_spoilt() -> None:
    dice = random.Random(5)
    told = [(body, spoilt_json(dice, body)) for body in ALL * 20]
    readable = [decode_object(text) for _, text in told]
    assert len([value for value in readable if value is not None]) > len(told) // 2
    unspoilt = [body for (body, _), value in zip(told, readable, strict=True) if value == body]
    assert len(unspoilt) < len(told) // 10


def test_a_good_request_is_left_as_it_was() -> None:
    before = json.dumps(ALL)
    spoilt_json(random.Random(1), ALL)
    assert json.dumps(ALL) == before


@pytest.mark.parametrize("value", [{}, [], 5, "x", None, [[]], {"a": {}}])
def test_even_the_smallest_value_can_be_spoilt(value: object) -> None:
    for number in range(200):
        dice = random.Random(number)
        text = spoilt_json(dice, value)
        assert isinstance(spoilt_text(dice, text), bytes)
        assert isinstance(spoilt_bytes(dice, b""), bytes)
        spoilt_value(dice, json.loads(json.dumps(value)))


@pytest.mark.parametrize("as_list", [True, False])
def test_nesting_is_as_deep_as_it_was_asked_for(as_list: bool) -> None:
    value = json.loads(nested(40, as_list=as_list))
    depth = 0
    while isinstance(value, dict | list):
        value, depth = next(iter(value.values() if isinstance(value, dict) else value), 1), depth + 1
    assert depth == 40
