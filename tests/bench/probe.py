"""Reads one answer of each kind in full before anything is measured: speed says nothing about a wrong answer."""

from __future__ import annotations

import re
from typing import Any

import httpx
import msgspec

from tests.bench.upstream import Target
from tests.simulator.fast_answers import CLEAN_MODEL, QUIRKY_MODEL, Shape

_SHAPE = Shape(5, 0, 250)
_TAG = "00004711"
_STAMP = re.compile(rf"@T\d{{18}}@#{_TAG}#")
_DATA = "data: "


def faults_of(target: Target) -> list[str]:
    """What is wrong with the target's answers, one sentence each; empty when all is well."""
    found: list[str] = []
    with httpx.Client(base_url=f"http://127.0.0.1:{target.port}", timeout=20, trust_env=False) as client:
        for model in (CLEAN_MODEL, QUIRKY_MODEL):
            strict = target.repairs or model == CLEAN_MODEL
            for streamed in (False, True):
                kind = f"{target.name}, {model}, {'streamed' if streamed else 'unstreamed'}"
                answer = _asked(client, target, model, streamed)
                if answer.status_code != 200:
                    found.append(f"{kind}: {answer.status_code} {answer.text[:300]}")
                    continue
                faults = _stream_faults(answer.text, strict) if streamed else _whole_faults(answer.content, strict)
                found.extend(f"{kind}: {fault}" for fault in faults)
    return found


def _asked(client: httpx.Client, target: Target, model: str, streamed: bool) -> httpx.Response:
    content = f"{_SHAPE} @@tag={_TAG}@@ {model} {streamed}"
    question = {"model": model, "stream": streamed, "messages": [{"role": "user", "content": content}]}
    if streamed:
        question["stream_options"] = {"include_usage": True}
    return client.post(target.path, json=question, headers={"authorization": f"Bearer {target.key}"})


def _stream_faults(text: str, strict: bool) -> list[str]:
    frames = [line.removeprefix(_DATA) for line in text.split("\n") if line.startswith(_DATA)]
    if not frames or frames[-1] != "[DONE]":
        return ["does not end with [DONE]"]
    chunks = [msgspec.json.decode(frame) for frame in frames[:-1]]
    choices = [choice for chunk in chunks for choice in chunk["choices"]]
    faults = _content_faults("".join(choice["delta"].get("content") or "" for choice in choices))
    if [choice["finish_reason"] for choice in choices if choice.get("finish_reason")] != ["stop"]:
        faults.append("has not one finish reason")
    if len([chunk for chunk in chunks if chunk.get("usage")]) != 1:
        faults.append("has not one usage")
    if strict and any(_unlike(chunk, "chat.completion.chunk") for chunk in chunks):
        faults.append("has a chunk without object, id or model")
    return faults


def _whole_faults(body: bytes, strict: bool) -> list[str]:
    answer = msgspec.json.decode(body)
    faults = _content_faults(answer["choices"][0]["message"]["content"] or "")
    if answer.get("usage", {}).get("completion_tokens") != _SHAPE.chunks:
        faults.append("has not the usage that was reported")
    if strict and _unlike(answer, "chat.completion"):
        faults.append("has no object, id or model")
    return faults


def _content_faults(text: str) -> list[str]:
    count = len(_STAMP.findall(text))
    return [] if count == _SHAPE.chunks else [f"has {count} of {_SHAPE.chunks} pieces of content"]


def _unlike(value: dict[str, Any], kind: str) -> bool:
    return value.get("object") != kind or not value.get("id") or not value.get("model")
