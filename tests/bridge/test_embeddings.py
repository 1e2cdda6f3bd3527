"""Embeddings: what may be asked, how it is cut up for the upstream, and how the answers become one again."""

from __future__ import annotations

import base64
import json
import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.embeddings import EmbeddingsRequest, batches, read_batch, read_embeddings, write_embeddings
from bridge.errors import BadRequest, BrokenStream
from bridge.tally import Tally


def read(**fields: Any) -> EmbeddingsRequest:
    return read_embeddings(json.dumps({"model": "m", "input": "a", **fields}).encode())


def answer(*rows: Any, **fields: Any) -> bytes:
    return json.dumps({"data": list(rows), **fields}).encode()


@pytest.mark.parametrize(
    ("given", "inputs"),
    [
        ("a", ("a",)),
        (["a", "b"], ("a", "b")),
        ([1, 2, 3], ([1, 2, 3],)),
        ([[1], [2, 3]], ([1], [2, 3])),
        (["a", [2, 3]], ("a", [2, 3])),
    ],
)
def test_inputs_of_every_shape_become_a_list(given: Any, inputs: tuple[Any, ...]) -> None:
    assert read(input=given).inputs == inputs


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"input": ""}, "input"),
        ({"input": []}, "input"),
        ({"input": [""]}, "input"),
        ({"input": ["a", ""]}, "input"),
        ({"input": [[]]}, "input"),
        ({"input": [["a"]]}, "input"),
        ({"input": [1, "a"]}, "input"),
        ({"input": [1.5]}, "input"),
        ({"input": [-1]}, "input"),
        ({"input": [True]}, "input"),
        ({"input": {"a": 1}}, "input"),
        ({"input": None}, "input"),
        ({"input": ["a"] * 2049}, "input"),
        ({"model": ""}, "model"),
        ({"model": 3}, "model"),
        ({"encoding_format": "int8"}, "encoding_format"),
        ({"encoding_format": 1}, "encoding_format"),
        ({"dimensions": 0}, "dimensions"),
        ({"dimensions": "512"}, "dimensions"),
        ({"user": 3}, "user"),
    ],
)
def test_nonsense_is_refused_with_the_field_at_fault(fields: dict[str, Any], param: str) -> None:
    with pytest.raises(BadRequest) as caught:
        read(**fields)
    assert caught.value.param == param


def test_an_input_that_is_missing_is_refused() -> None:
    with pytest.raises(BadRequest, match="missing"):
        read_embeddings(b'{"model":"m"}')


def test_the_upstream_is_sent_a_list_without_the_encoding() -> None:
    request = read(input="a", encoding_format="base64", dimensions=512, user="u")
    (body,) = batches(request, "text-embedding-3-small", None)
    assert json.loads(body) == {"input": ["a"], "model": "text-embedding-3-small", "dimensions": 512, "user": "u"}
    (body,) = batches(read(input=[[1, 2]]), "m", 512)
    assert json.loads(body) == {"input": [[1, 2]], "model": "m"}


@given(st.integers(1, 50), st.integers(1, 20))
def test_batches_are_no_larger_than_the_model_takes_and_lose_nothing(count: int, most: int) -> None:
    texts = [str(number) for number in range(count)]
    sent = [json.loads(body)["input"] for body in batches(read(input=texts), "m", most)]
    assert [text for batch in sent for text in batch] == texts
    assert max(map(len, sent)) <= most
    assert len(sent) == -(-count // most)


def test_vectors_come_in_the_order_of_their_index() -> None:
    rows = [{"index": 1, "embedding": [2.0]}, {"index": 0, "embedding": [1]}]
    assert read_batch(answer(*rows)).vectors == [[1], [2.0]]


@pytest.mark.parametrize("indices", [(None, None), (0, 0), (5, 3), ("1", "0")])
def test_without_a_whole_numbering_vectors_stay_as_they_came(indices: tuple[Any, Any]) -> None:
    rows = [{"index": index, "embedding": [float(place)]} for place, index in enumerate(indices)]
    assert read_batch(answer(*rows)).vectors == [[0.0], [1.0]]


def test_a_bare_answer_is_filled_up() -> None:
    batch = read_batch(answer({"embedding": [0.5, -0.25]}, usage={"prompt_tokens": 7, "total_tokens": 7}))
    assert batch.tally == Tally(input=7)
    reply = json.loads(write_embeddings(read(), batch.vectors, batch.tally.input))
    assert reply == {
        "object": "list",
        "data": [{"object": "embedding", "index": 0, "embedding": [0.5, -0.25]}],
        "model": "m",
        "usage": {"prompt_tokens": 7, "total_tokens": 7},
    }


def test_what_was_billed_overrules_what_was_used() -> None:
    billed = {"total_nano_aiu": 5, "token_details": [{"token_type": "input", "token_count": 9}]}
    body = answer({"embedding": [1.0]}, usage={"prompt_tokens": 7}, copilot_usage=billed)
    assert read_batch(body).tally == Tally(input=9, nano=5)


@given(
    st.lists(st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False), min_size=1), min_size=1, max_size=4)
)
def test_base64_holds_little_endian_floats_of_32_bits(vectors: list[list[float]]) -> None:
    request = read(input=["a"] * len(vectors), encoding_format="base64")
    rows = json.loads(write_embeddings(request, vectors, 3))["data"]
    assert [row["index"] for row in rows] == list(range(len(vectors)))
    packed = [base64.b64decode(row["embedding"]) for row in rows]
    assert [list(struct.unpack(f"<{len(each) // 4}f", each)) for each in packed] == vectors


def test_an_upstream_that_answers_in_base64_is_understood() -> None:
    packed = base64.b64encode(struct.pack("<2f", 0.5, 2.0)).decode()
    assert read_batch(answer({"embedding": packed})).vectors == [[0.5, 2.0]]


@pytest.mark.parametrize(
    "body",
    [
        b"<html>",
        b"[]",
        b"{}",
        b'{"data":{}}',
        b'{"data":[3]}',
        b'{"data":[{}]}',
        b'{"data":[{"embedding":[]}]}',
        b'{"data":[{"embedding":["a"]}]}',
        b'{"data":[{"embedding":[true]}]}',
        b'{"data":[{"embedding":[null]}]}',
        b'{"data":[{"embedding":"AAA"}]}',
        b'{"data":[{"embedding":"AAAAAAA="}]}',
    ],
)
def test_an_answer_without_vectors_is_a_broken_one(body: bytes) -> None:
    with pytest.raises(BrokenStream):
        read_batch(body)


def test_a_missing_vector_is_never_passed_over() -> None:
    with pytest.raises(BrokenStream):
        write_embeddings(read(input=["a", "b"]), [[1.0]], 3)


def test_a_number_that_32_bits_cannot_hold_is_a_broken_answer() -> None:
    with pytest.raises(BrokenStream):
        write_embeddings(read(encoding_format="base64"), [[1e300]], 3)
