"""Embeddings."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import pytest

from tests.simulator_tests.asking import Asker, sim_words

if TYPE_CHECKING:
    import httpx

    from tests.simulator.server import SimulatorServer

MODEL = "text-embedding-3-small"


@pytest.fixture
def asker(sim: SimulatorServer, client: httpx.Client) -> Asker:
    return Asker(sim, client)


def embed(asker: Asker, texts: Any, model: str = MODEL, **more: Any) -> httpx.Response:
    return asker.post("/embeddings", {"model": model, "input": texts, **more})


def test_equal_texts_have_equal_unit_vectors(asker: Asker) -> None:
    body = embed(asker, ["tea", "coffee", "tea"]).json()
    first, second, third = (row["embedding"] for row in body["data"])
    assert first == third != second
    assert len(first) == 1536
    assert math.isclose(math.fsum(number * number for number in first), 1.0, abs_tol=1e-4)
    assert [row["index"] for row in body["data"]] == [0, 1, 2]
    assert body["usage"]["prompt_tokens"] == 4


def test_dimensions_are_honoured_where_the_model_has_them(asker: Asker) -> None:
    assert len(embed(asker, ["tea"], dimensions=8).json()["data"][0]["embedding"]) == 8
    assert embed(asker, ["tea"], "text-embedding-ada-002", dimensions=8).status_code == 400


def test_fields_can_be_missing(asker: Asker) -> None:
    body = embed(asker, ["tea" + sim_words(object_field=False)]).json()
    assert body["data"][0].keys() == {"embedding"}
    assert "object" not in body


@pytest.mark.parametrize("texts", ["tea", [], [[1, 2]], [1, 2], [""], ["x"] * 513])
def test_anything_but_a_list_of_texts_within_the_limit_is_refused(asker: Asker, texts: Any) -> None:
    assert embed(asker, texts).status_code == 400


def test_a_text_beyond_the_context_is_refused_with_the_real_number(asker: Asker) -> None:
    message = embed(asker, ["x" * 40_000]).json()["error"]["message"]
    assert message == "prompt token count of 10000 exceeds the limit of 8191"


def test_only_the_input_is_billed(asker: Asker) -> None:
    body = embed(asker, ["x" * 4000]).json()
    assert body["copilot_usage"]["total_nano_aiu"] == 1000 * 2000
    assert asker.sim.world.accounts["credits"].nano_aiu == 2_000_000
