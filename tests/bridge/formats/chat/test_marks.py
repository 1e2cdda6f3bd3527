"""Citations and log probabilities, in and out."""

from __future__ import annotations

from typing import Any

import pytest

from bridge.formats.chat.marks import read_chances, read_citations, write_chances, write_citation
from bridge.parts import Citation, TokenChance


def test_citations_have_their_place_in_the_whole_answer() -> None:
    citation = Citation("https://a.example/", "A", 2, 5)
    written = write_citation(citation, 10, 7)
    assert written == {
        "type": "url_citation",
        "url_citation": {"url": "https://a.example/", "title": "A", "start_index": 12, "end_index": 15},
    }
    assert read_citations([written]) == [Citation("https://a.example/", "A", 12, 15)]


def test_a_citation_without_a_place_covers_its_text() -> None:
    place = write_citation(Citation("u"), 10, 7)["url_citation"]
    assert (place["start_index"], place["end_index"]) == (10, 17)


@pytest.mark.parametrize(
    "odd",
    [
        None,
        {"IPCodeCitations": []},
        "x",
        [None, "x", {}, {"url_citation": None}, {"url_citation": {"title": "no address"}}],
    ],
)
def test_what_cites_no_page_is_passed_over(odd: Any) -> None:
    assert read_citations(odd) == []


def test_a_place_that_is_no_place_is_not_told() -> None:
    note = {"url_citation": {"url": "u", "title": None, "start_index": -1, "end_index": True}}
    assert read_citations([note]) == [Citation("u")]


def test_log_probabilities_come_back_as_they_went_out() -> None:
    chances = (
        TokenChance("ü", -0.5, (195, 188), (TokenChance("ü", -0.5, (195, 188)), TokenChance("u", -2.0, None))),
        TokenChance("x", -1.0),
    )
    assert read_chances({"content": write_chances(chances), "refusal": None}) == chances


@pytest.mark.parametrize(
    "odd", [None, [], {"content": None}, {"content": [None, {"token": "x"}, {"token": 1, "logprob": 1}]}]
)
def test_log_probabilities_of_another_shape_are_passed_over(odd: Any) -> None:
    assert read_chances(odd) == ()
