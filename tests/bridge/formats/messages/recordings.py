"""Streams as the upstream sent them, one list of `data` texts each; long values are shortened."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

_USAGE = '"cache_creation_input_tokens":4,"cache_read_input_tokens":30'


def _start(message_id: str, model: str = "claude-sonnet-4-6") -> str:
    return (
        f'{{"message":{{"content":[],"id":"{message_id}","model":"{model}","role":"assistant","stop_details":null,'
        f'"stop_reason":null,"stop_sequence":null,"type":"message","usage":{{{_USAGE},"input_tokens":16,"output_tokens":1}}}},'
        '"type":"message_start"}'
    )


def _bill(output: int) -> str:
    kinds = (("input", 16), ("cache_read", 30), ("cache_write", 4), ("output", output))
    details = ",".join(
        f'{{"batch_size":1000000,"cost_per_batch":300000000000,"token_count":{count},"token_type":"{kind}"}}'
        for kind, count in kinds
    )
    return f'"copilot_usage":{{"token_details":[{details}],"total_nano_aiu":30300000}}'


def _end(reason: str, output: int = 17, sequence: str = "null") -> str:
    return (
        f'{{{_bill(output)},"delta":{{"stop_details":null,"stop_reason":"{reason}","stop_sequence":{sequence}}},'
        f'"type":"message_delta","usage":{{{_USAGE},"input_tokens":16,"output_tokens":{output}}}}}'
    )


def _delta(index: int, delta: str) -> str:
    return f'{{"delta":{{{delta}}},"index":{index},"type":"content_block_delta"}}'


def _block(index: int, block: str) -> str:
    return f'{{"content_block":{{{block}}},"index":{index},"type":"content_block_start"}}'


def _stop(index: int) -> str:
    return f'{{"index":{index},"type":"content_block_stop"}}'


_PING = '{"type":"ping"}'
_METRICS = (
    '{"amazon-bedrock-invocationMetrics":{"firstByteLatency":4016,"inputTokenCount":16,"invocationLatency":4164,'
    '"outputTokenCount":17},"type":"message_stop"}'
)
_STOP = '{"type":"message_stop"}'

TEXT = (
    _start("msg_bdrk_01DrWJ"),
    _PING,
    _block(0, '"text":"","type":"text"'),
    _delta(0, '"text":"Grüße, ","type":"text_delta"'),
    '{"copilot_annotations":{"IPCodeCitations":[{"id":0,"start_offset":0,"end_offset":9}]},'
    + _delta(0, '"text":"wörld\u2028 🙂 \\"index\\":0,","type":"text_delta"')[1:],
    _PING,
    _stop(0),
    _end("end_turn"),
    _METRICS,
)
CALLS = (
    _start("msg_vrtx_01AAA"),
    _block(0, '"signature":"","thinking":"","type":"thinking"'),
    _delta(0, '"thinking":"I must ","type":"thinking_delta"'),
    _delta(0, '"thinking":"look.","type":"thinking_delta"'),
    _delta(0, '"signature":"EqQB+/=","type":"signature_delta"'),
    _stop(0),
    _block(1, '"text":"","type":"text"'),
    _delta(1, '"text":"Looking.","type":"text_delta"'),
    _stop(1),
    _block(2, '"id":"toolu_vrtx_01","input":{},"name":"read","type":"tool_use"'),
    _delta(2, '"partial_json":"","type":"input_json_delta"'),
    _delta(2, '"partial_json":"{\\"path\\": \\"a","type":"input_json_delta"'),
    _delta(2, '"partial_json":".py\\"}","type":"input_json_delta"'),
    _stop(2),
    _block(3, '"id":"toolu_vrtx_02","input":{},"name":"list","type":"tool_use"'),
    _delta(3, '"partial_json":"","type":"input_json_delta"'),
    _stop(3),
    _end("tool_use"),
    _STOP,
)
REDACTED = (
    _start("msg_01CCC"),
    _block(0, '"data":"EroB","type":"redacted_thinking"'),
    _stop(0),
    _block(1, '"signature":"","thinking":"","type":"thinking"'),
    _delta(1, '"signature":"silent","type":"signature_delta"'),
    _stop(1),
    _block(2, '"text":"","type":"text"'),
    _delta(2, '"text":"So","type":"text_delta"'),
    _stop(2),
    _end("stop_sequence", sequence='"###"'),
    _STOP,
    "[DONE]",
)
SEARCH = (
    _start("msg_01DDD"),
    _block(0, '"id":"srvtoolu_bdrk_1","input":{},"name":"web_search","type":"server_tool_use"'),
    _delta(0, '"partial_json":"{\\"query\\": \\"weather\\"}","type":"input_json_delta"'),
    _stop(0),
    _block(
        1,
        '"content":[{"encrypted_content":"x","page_age":null,"title":"Weather","type":"web_search_result",'
        '"url":"https://example.com/w"}],"tool_use_id":"srvtoolu_bdrk_1","type":"web_search_tool_result"',
    ),
    _stop(1),
    _block(2, '"citations":[],"text":"","type":"text"'),
    _delta(
        2,
        '"citation":{"cited_text":"Sun","encrypted_index":"i","title":"Weather","type":"web_search_result_location",'
        '"url":"https://example.com/w"},"type":"citations_delta"',
    ),
    _delta(2, '"text":"Sunny","type":"text_delta"'),
    _stop(2),
    _end("end_turn"),
    _STOP,
)
ALL = (TEXT, CALLS, REDACTED, SEARCH)


def wire(datas: Iterable[str], *, named: bool = True) -> bytes:
    """The recording as bytes; `named` with the `event:` lines that the upstream sends."""
    return b"".join(_frame(data, named=named) for data in datas)


def _frame(data: str, *, named: bool) -> bytes:
    name = f"event: {json.loads(data)['type']}\n" if named and data != "[DONE]" else ""
    return f"{name}data: {data}\n\n".encode()


def dressed(datas: Iterable[str]) -> bytes:
    """The same stream as servers may also write it: CRLF, comments, ids, data over several lines."""
    frames = [": hello\r\n\r\n"]
    for data in datas:
        name = f"event: {json.loads(data)['type']}\r\n" if data != "[DONE]" else ""
        split = data.replace('"type":', '\r\ndata: "type":', 1) if data.endswith('"type":"ping"}') else data
        frames.append(f"id: 5\r\n{name}data:{split}\r\n\r\n")
    return "".join(frames).encode()


def without(datas: Iterable[str], kind: str) -> list[str]:
    """The recording without the events of a type."""
    return [data for data in datas if data == "[DONE]" or json.loads(data)["type"] != kind]


def events_of(body: bytes) -> list[dict[str, Any]]:
    """The JSON objects of a written stream."""
    lines = [line.removeprefix(b"data: ") for line in body.split(b"\n") if line.startswith(b"data: ")]
    return [json.loads(line) for line in lines]
