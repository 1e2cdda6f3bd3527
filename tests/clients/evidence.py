"""What is looked at when a program has run: the ledger's rows, what came upstream, and what was billed for it."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

from bridge.dialect import Dialect
from tests.clients.demo import Demo
from tests.clients.program import Model

_UPSTREAM = MappingProxyType(
    {"/chat/completions": Dialect.CHAT, "/responses": Dialect.RESPONSES, "/v1/messages": Dialect.MESSAGES}
)
_SETTLE_SECONDS = 10.0
_PAUSE = 0.1


class Witness:
    """Sees what one run of a program leaves behind: make it before the run, ask it afterwards."""

    def __init__(self, demo: Demo) -> None:
        self._demo = demo
        self._known = {row["id"] for row in demo.gateway.rows()}
        self._upstream = max((request["number"] for request in demo.upstream_since(0)), default=0)
        self._billed = demo.billed()

    def generations(self) -> list[dict[str, Any]]:
        """The requests for an answer that came upstream, in order; `parsed` is the body."""
        requests = [item for item in self._demo.upstream_since(self._upstream) if item["path"] in _UPSTREAM]
        return [request | {"parsed": json.loads(request["body"])} for request in requests]

    def rows(self) -> list[dict[str, Any]]:
        """The new rows of the ledger, as soon as none of them is open."""
        give_up = time.monotonic() + _SETTLE_SECONDS
        while True:
            rows = [row for row in self._demo.gateway.rows() if row["id"] not in self._known]
            if (rows and all(row["status"] != "open" for row in rows)) or time.monotonic() > give_up:
                return rows
            time.sleep(_PAUSE)

    def faults(self, door: Dialect, model: Model) -> list[str]:
        """What is wrong with the ledger and with what was sent upstream, in words."""
        rows = self.rows()
        if not rows:
            return ["the ledger has no row of this run"]
        faults = [fault for row in rows for fault in _row_faults(row, door, model)]
        if not any(row["status"] == "settled" for row in rows):
            faults.append("no row is settled")
        return [*faults, *_upstream_faults(self.generations(), model), *self._bill_faults(rows)]

    def _bill_faults(self, rows: list[dict[str, Any]]) -> Iterator[str]:
        if any(row["status"] != "settled" for row in rows):
            return  # what was broken off is billed upstream by another rule
        billed = self._demo.billed() - self._billed
        booked = sum(row["nano_reported"] or 0 for row in rows)
        if billed != booked:
            yield f"{billed} nano-AIU were billed and {booked} booked"


def _row_faults(row: dict[str, Any], door: Dialect, model: Model) -> Iterator[str]:
    wanted = {"door": door, "requested_model": model.name, "upstream_format": model.upstream}
    for column, value in wanted.items():
        if row[column] != value:
            yield f"the row's {column} is {row[column]!r} and not {str(value)!r}"
    if row["status"] == "cancelled":
        return  # a side request that the program no longer waits for
    if row["status"] != "settled" or row["http_status"] != 200:
        yield f"a row is {row['status']} with {row['http_status']} {row['error_code']}"
        return
    read = sum(row[column] for column in ("input_tokens", "cached_tokens", "cache_write_tokens"))
    if not (read and row["output_tokens"]):
        yield f"a row has {read} tokens in and {row['output_tokens']} out"


def _upstream_faults(generations: list[dict[str, Any]], model: Model) -> Iterator[str]:
    for request in generations:
        if _UPSTREAM[request["path"]] is not model.upstream:
            yield f"{request['path']} was asked upstream"
        if request["status"] != 200:
            yield f"the upstream refused a request with {request['status']}"


def thoughts_replayed(upstream: Dialect, body: Mapping[str, Any]) -> bool:
    """Whether a request brings thoughts of earlier turns back to the model, with the seal that it put on them."""
    match upstream:
        case Dialect.MESSAGES:
            return any(
                (block.get("type") == "thinking" and block.get("signature")) or block.get("type") == "redacted_thinking"
                for block in _blocks(body)
            )
        case Dialect.RESPONSES:
            return any(
                item.get("type") == "reasoning" and item.get("encrypted_content") for item in _list(body["input"])
            )
        case Dialect.CHAT:
            return any(message.get("reasoning_opaque") for message in body["messages"])


def _blocks(body: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for message in body["messages"]:
        if message["role"] == "assistant":
            yield from _list(message["content"])


def _list(value: Any) -> list[dict[str, Any]]:
    return value if isinstance(value, list) else []
