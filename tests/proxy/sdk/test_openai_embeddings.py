"""The `openai` SDK at the embeddings door, which asks for base64 unless told otherwise."""

from __future__ import annotations

import openai
import pytest


def test_an_embedding_is_the_same_in_either_encoding(openai_client: openai.OpenAI) -> None:
    packed = openai_client.embeddings.create(model="text-embedding-3-small", input="Hello")
    plain = openai_client.embeddings.create(model="text-embedding-3-small", input="Hello", encoding_format="float")
    assert packed.data[0].embedding == pytest.approx(plain.data[0].embedding, abs=1e-6)
    assert packed.usage.prompt_tokens == plain.usage.prompt_tokens > 0


def test_many_texts_come_in_their_order_and_as_short_as_asked(openai_client: openai.OpenAI) -> None:
    answer = openai_client.embeddings.create(
        model="text-embedding-3-small", input=[f"text {number}" for number in range(30)], dimensions=32
    )
    assert [each.index for each in answer.data] == list(range(30))
    assert {len(each.embedding) for each in answer.data} == {32}


def test_a_model_that_makes_none_is_a_bad_request(openai_client: openai.OpenAI) -> None:
    with pytest.raises(openai.BadRequestError, match="makes no embeddings"):
        openai_client.embeddings.create(model="gpt-4o", input="Hello")
