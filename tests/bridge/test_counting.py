"""Counting tokens without asking anyone: near the truth, of everything the model reads and of nothing else."""

from __future__ import annotations

import base64
import json
import struct
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw

from bridge.asked import Asked, read_fields
from bridge.carrier import PREFIX
from bridge.counting import Calibration, count_tokens
from bridge.counting.media import (
    claude_picture_tokens,
    document_tokens,
    picture_size,
    tiled_picture_tokens,
)
from bridge.counting.text import estimate_text
from bridge.dialect import Dialect
from bridge.errors import BadRequest

# Texts of many kinds, with the tokens that OpenAI's real vocabulary `o200k_base` makes of them.
MEASURED: dict[str, dict[str, Any]] = json.loads(Path(__file__).with_name("measured_texts.json").read_text("utf-8"))
WORDS = "The quick brown fox jumps over the lazy dog. " * 20
PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + struct.pack(">II", 1000, 750) + b"\x08\x06\0\0\0"


def asked(dialect: Dialect, entries: list[Any], **fields: Any) -> Asked:
    name = "input" if dialect is Dialect.RESPONSES else "messages"
    body = json.dumps({"model": "m", name: entries, **fields}).encode()
    raw = read_fields(body)
    return Asked(
        dialect, raw, "m", [read_fields(b'{"e":' + json.dumps(entry).encode() + b"}")["e"] for entry in entries], False
    )


def of_messages(*blocks: Any, vendor: str = "", **fields: Any) -> int:
    return count_tokens(asked(Dialect.MESSAGES, [{"role": "user", "content": list(blocks)}], **fields), vendor)


def text(words: str) -> dict[str, str]:
    return {"type": "text", "text": words}


def picture(data: bytes, media_type: str = "image/png") -> dict[str, Any]:
    return {
        "type": "image",
        "source": {"type": "base64", "media_type": media_type, "data": base64.b64encode(data).decode()},
    }


@pytest.mark.parametrize("kind", MEASURED)
def test_a_text_is_estimated_near_its_real_tokens(kind: str) -> None:
    sample = MEASURED[kind]
    assert estimate_text(sample["text"]) == pytest.approx(sample["tokens"], rel=0.15)


def test_all_kinds_together_are_estimated_within_five_percent() -> None:
    estimated = sum(estimate_text(sample["text"]) for sample in MEASURED.values())
    assert estimated == pytest.approx(sum(sample["tokens"] for sample in MEASURED.values()), rel=0.05)


@given(st.text(max_size=200))
def test_no_text_is_less_than_a_token_or_more_than_four_for_a_character(sample: str) -> None:
    assert (1.0 if sample else 0.0) <= estimate_text(sample) <= 4.0 * len(sample)


def test_a_long_prompt_is_counted_in_a_fraction_of_a_second() -> None:
    prompt = asked(Dialect.MESSAGES, [{"role": "user", "content": MEASURED["python"]["text"] * 460}])
    started = time.process_time()
    assert count_tokens(prompt) > 90_000
    assert time.process_time() - started < 0.2


def test_the_three_dialects_count_the_same_words_alike() -> None:
    counts = [
        count_tokens(asked(Dialect.CHAT, [{"role": "user", "content": WORDS}])),
        count_tokens(asked(Dialect.CHAT, [{"role": "user", "content": [text(WORDS)]}])),
        count_tokens(asked(Dialect.MESSAGES, [{"role": "user", "content": WORDS}])),
        count_tokens(asked(Dialect.MESSAGES, [{"role": "user", "content": [text(WORDS)]}])),
        count_tokens(asked(Dialect.RESPONSES, [{"role": "user", "content": [{"type": "input_text", "text": WORDS}]}])),
    ]
    assert len(set(counts)) == 1
    assert counts[0] == pytest.approx(207, rel=0.1)


def test_an_empty_request_is_still_more_than_nothing() -> None:
    assert count_tokens(asked(Dialect.MESSAGES, [])) >= 1


def words_of_messages() -> list[dict[str, Any]]:
    blocks = [
        {"type": "tool_result", "tool_use_id": "t", "content": WORDS},
        {"type": "tool_result", "tool_use_id": "t", "content": [text(WORDS)]},
        {"type": "thinking", "thinking": WORDS, "signature": "s"},
        {"type": "tool_use", "id": "t", "name": "f", "input": {"a": WORDS}},
        {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": WORDS}},
        {"type": "document", "source": {"type": "content", "content": [text(WORDS)]}},
    ]
    return [{"role": "user", "content": [block]} for block in blocks]


def words_of_chat() -> list[dict[str, Any]]:
    url = "data:text/plain;base64," + base64.b64encode(WORDS.encode()).decode()
    return [
        {"role": "assistant", "tool_calls": [{"id": "c", "function": {"name": "f", "arguments": WORDS}}]},
        {"role": "tool", "tool_call_id": "c", "content": WORDS},
        {"role": "user", "content": [{"type": "file", "file": {"filename": "a.txt", "file_data": url}}]},
    ]


def words_of_responses() -> list[dict[str, Any]]:
    return [
        {"type": "function_call_output", "call_id": "c", "output": WORDS},
        {"type": "function_call_output", "call_id": "c", "output": [{"type": "input_text", "text": WORDS}]},
        {"type": "custom_tool_call", "call_id": "c", "name": "f", "input": WORDS},
        {"type": "reasoning", "summary": [{"type": "summary_text", "text": WORDS}], "encrypted_content": "e"},
        {"type": "additional_tools", "tools": [{"type": "function", "name": "f", "description": WORDS}]},
        {"type": "something_new", "content": {"deep": [WORDS]}},
    ]


@pytest.mark.parametrize("entry", [*words_of_messages(), *words_of_chat(), *words_of_responses()])
def test_words_count_wherever_the_model_reads_them(entry: dict[str, Any]) -> None:
    assert count_tokens(asked(Dialect.CHAT, [entry])) == pytest.approx(222, rel=0.15)


@pytest.mark.parametrize(
    "entry",
    [
        {"role": "assistant", "content": [{"type": "thinking", "thinking": "", "signature": WORDS}]},
        {"role": "assistant", "content": [{"type": "redacted_thinking", "data": WORDS}]},
        {"role": "assistant", "content": "", "reasoning_opaque": WORDS},
        {"type": "reasoning", "id": "r", "summary": [], "encrypted_content": WORDS},
        {"role": "assistant", "content": [{"type": "output_text", "text": PREFIX + WORDS}]},
    ],
)
def test_seals_and_carriers_are_not_counted(entry: dict[str, Any]) -> None:
    assert count_tokens(asked(Dialect.CHAT, [entry])) < 25


def test_system_tools_and_the_wished_schema_count_in_every_dialect() -> None:
    schema = {"type": "object", "properties": {name: {"type": "string"} for name in MEASURED}}
    tool = {"name": "find", "description": WORDS, "input_schema": schema}
    hello = [{"role": "user", "content": "Hello"}]
    bare = count_tokens(asked(Dialect.MESSAGES, hello))
    assert count_tokens(asked(Dialect.MESSAGES, hello, system=[text(WORDS)])) > bare + 180
    assert count_tokens(asked(Dialect.RESPONSES, hello, instructions=WORDS)) > bare + 180
    assert count_tokens(asked(Dialect.MESSAGES, hello, tools=[tool])) > bare + 240
    assert count_tokens(asked(Dialect.CHAT, hello, tools=[{"type": "function", "function": tool}])) > bare + 240
    wishes: list[tuple[Dialect, dict[str, Any]]] = [
        (Dialect.CHAT, {"response_format": {"type": "json_schema", "json_schema": {"schema": schema}}}),
        (Dialect.RESPONSES, {"text": {"format": {"type": "json_schema", "schema": schema}}}),
        (Dialect.MESSAGES, {"output_config": {"format": {"type": "json_schema", "schema": schema}}}),
    ]
    assert len({count_tokens(asked(dialect, hello, **wish)) for dialect, wish in wishes}) == 1
    assert count_tokens(asked(Dialect.CHAT, hello, **wishes[0][1])) > bare + 60


def test_claude_gets_its_own_prompt_for_tools_and_its_own_vocabulary() -> None:
    tool = {"name": "find", "input_schema": {}}
    without = of_messages(text("Hello"), vendor="Anthropic")
    assert of_messages(text("Hello"), vendor="Anthropic", tools=[tool]) > without + 346
    forced = of_messages(text("Hello"), vendor="Anthropic", tools=[tool], tool_choice={"type": "any"})
    assert of_messages(text("Hello"), vendor="Anthropic", tools=[tool]) - forced == 346 - 313
    assert of_messages(text(WORDS), vendor="Anthropic") > 1.15 * of_messages(text(WORDS), vendor="OpenAI")


def test_pictures_count_by_their_real_size() -> None:
    assert of_messages(picture(PNG), vendor="Anthropic") == of_messages(vendor="Anthropic") + 1000
    url = "data:image/png;base64," + base64.b64encode(PNG).decode()
    chat = {"role": "user", "content": [{"type": "image_url", "image_url": {"url": url, "detail": "low"}}]}
    assert count_tokens(asked(Dialect.CHAT, [chat]), "OpenAI") == 7 + 85
    item = {"role": "user", "content": [{"type": "input_image", "image_url": url, "detail": "high"}]}
    assert count_tokens(asked(Dialect.RESPONSES, [item]), "OpenAI") == 7 + 85 + 4 * 170


def webp(chunk: bytes) -> bytes:
    return b"RIFF\0\0\0\0WEBP" + chunk.ljust(30, b"\0")


@pytest.mark.parametrize(
    "data",
    [
        PNG,
        b"GIF89a" + struct.pack("<HH", 1000, 750),
        webp(b"VP8 \0\0\0\0\0\0\0\x9d\x01\x2a" + struct.pack("<HH", 1000, 750)),
        webp(b"VP8L\0\0\0\0\x2f" + (999 | 749 << 14).to_bytes(4, "little")),
        webp(b"VP8X\0\0\0\0\0\0\0\0" + (999).to_bytes(3, "little") + (749).to_bytes(3, "little")),
        b"\xff\xd8\xff\xe0\0\x10JFIF" + b"\0" * 10 + b"\xff\xff\xc0\0\x11\x08" + struct.pack(">HH", 750, 1000),
        b"\xff\xd8" + (b"\xff\xe2\xff\xff" + b"\0" * 65533) * 3 + b"\xff\xc2\0\x11\x08" + struct.pack(">HH", 750, 1000),
    ],
    ids=["png", "gif", "webp", "webp lossless", "webp extended", "jpeg", "jpeg after profiles"],
)
def test_the_size_of_a_picture_is_read_from_its_head(data: bytes) -> None:
    assert picture_size(base64.b64encode(data + b"\0" * 40).decode()) == (1000, 750)


@given(st.binary(max_size=80), st.sampled_from([b"", b"\xff\xd8\xff", b"RIFF\0\0\0\0WEBPVP8X", b"\x89PNG\r\n\x1a\n"]))
def test_a_broken_picture_has_no_size_or_a_real_one(rest: bytes, start: bytes) -> None:
    size = picture_size(base64.b64encode(start + rest).decode())
    assert size is None or min(size) > 0
    assert 0 < claude_picture_tokens(size) <= 1600
    assert tiled_picture_tokens(size) > 85


def test_large_pictures_are_bounded() -> None:
    assert claude_picture_tokens((20_000, 20_000)) == 1600
    assert tiled_picture_tokens((20_000, 20_000)) == 85 + 4 * 170
    assert claude_picture_tokens((200, 200)) == 54
    assert tiled_picture_tokens((1024, 1024), "high") == 765


def test_a_document_counts_by_its_pages() -> None:
    pages = b"%PDF-1.4 /Type /Pages " + b"<< /Type /Page >>" * 7
    assert document_tokens(base64.b64encode(pages).decode()) == 7 * 3000
    assert document_tokens("A" * 800_000) == 11 * 3000
    assert document_tokens("") == 3000
    source = {"type": "base64", "media_type": "application/pdf", "data": base64.b64encode(pages).decode()}
    assert of_messages({"type": "document", "source": source, "title": "A"}) > 21_000


def test_odd_values_are_counted_or_refused_and_never_crash() -> None:
    odd: list[Any] = [
        {"type": ["image"]},
        {"type": "image"},
        {"type": "document"},
        {"type": "file", "file": 3},
        None,
        7,
    ]
    assert of_messages(*odd, tools=[3, {"function": 4}], output_config={"format": 5}) > 0
    deep = Asked(Dialect.MESSAGES, {"system": Raw(b"[" * 9999 + b"]" * 9999)}, "m", [], False)
    with pytest.raises(BadRequest):
        count_tokens(deep)


def test_calibration_follows_what_was_observed_within_bounds() -> None:
    calibration = Calibration()
    assert calibration.ratio("m") == 1.0
    calibration.note("m", 100, 300)
    assert calibration.ratio("m") == 1.0
    calibration.note("m", 1000, 1200)
    assert calibration.ratio("m") == pytest.approx(1.2)
    calibration.note("m", 1000, 1000)
    assert 1.0 < calibration.ratio("m") < 1.2
    for _ in range(50):
        calibration.note("m", 1000, 100_000)
    assert calibration.ratio("m") == pytest.approx(2.0, rel=0.01)
    assert calibration.ratio("other") == 1.0
