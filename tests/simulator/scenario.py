"""Scenario: everything that can be asked of the simulator for one answer, and how it is asked.

A scenario is merged from three places, the later one winning: the account's default, what the control API
queued, and words in the last user message:

* ``@sim{"fault": "cut", "after": 3}`` sets any field below by its name;
* ``@@n=100,d=20,s=200@@`` asks for 100 content chunks, 20 ms apart, of about 200 bytes each, every one of
  them carrying ``@T<CLOCK_MONOTONIC ns, 18 digits>@``.

``asked_in(text)`` returns those words as a dict of fields, ``Scenario().with_fields(fields)`` applies such a
dict (unknown names and wrong values raise ``ValueError``). ``fault`` also takes the short forms
``"status:429"``, ``"stall:40"``, ``"slow_headers:5"``, ``"cut:3"``: they set the field the fault counts by.

Who obeys what: ``cut_bytes`` and ``crlf`` belong to the wire (how bytes are packed); all other fields to the
generators. ``fail_times`` is counted by ``generate.memory.Memory.due``; once used up, ``fault`` is ``none``.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, fields, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Mapping


class Fault(StrEnum):
    NONE = "none"
    STATUS = "status"
    """Answer `status` with `code`, `message`, `retry_after` in the envelope `body`."""
    HTML_502 = "html_502"
    REDIRECT = "redirect"
    """307 to `location`, which must not be followed with the bearer."""
    RESET_BEFORE_HEADERS = "reset_before_headers"
    RESET_AFTER_HEADERS = "reset_after_headers"
    SLOW_HEADERS = "slow_headers"
    """Nothing for `seconds`, then a good answer."""
    CUT = "cut"
    """TCP reset after `after` content chunks."""
    CLEAN_EOF = "clean_eof"
    """Proper end of the body after `after` content chunks, without any terminal event."""
    HANG_UP = "hang_up"
    """FIN after `after` content chunks, the chunked body unfinished."""
    ERROR_EVENT = "error_event"
    """The format's error event after `after` content chunks, then the end of the body."""
    FAILED = "failed"
    """/responses: `response.failed` with the error inside after `after` content chunks."""
    EARLY_FAILURE = "early_failure"
    """/responses: created, then `response.failed` with `error: null`, then a standalone `error` event."""
    STALL = "stall"
    """Silence of `seconds` after `after` content chunks, then the rest."""
    ONE_BYTE_PER_SECOND = "one_byte_per_second"
    HUGE_FRAME = "huge_frame"
    """One content chunk of `size` bytes (2 MiB when 0)."""
    WHITESPACE_ARGS = "whitespace_args"
    """Tool arguments that are whitespace without end, until `max` output or 20 000 deltas."""


class Body(StrEnum):
    """The envelope of a refusal asked for by `fault: status`."""

    WRAPPED = "wrapped"
    BARE = "bare"
    ANTHROPIC = "anthropic"
    NESTED = "nested"
    PLAIN = "plain"
    EMPTY = "empty"


class ToolShape(StrEnum):
    """How the calls of a chat stream are numbered and cut; AUTO is the family's own manner."""

    AUTO = "auto"
    STANDARD = "standard"
    ALL_ZERO = "all_zero"
    FROM_ONE = "from_one"
    WHOLE = "whole"


class ReasoningShape(StrEnum):
    """How reasoning is shown on chat; AUTO is the family's own manner when the request asks for reasoning."""

    AUTO = "auto"
    NONE = "none"
    TEXT = "text"
    OPAQUE_ONLY = "opaque_only"
    COT = "cot"
    THINKING = "thinking"
    REDACTED = "redacted"


class OpaquePlace(StrEnum):
    """On which chunk `reasoning_opaque` rides."""

    AUTO = "auto"
    WITH_REASONING = "with_reasoning"
    WITH_CONTENT = "with_content"
    WITH_CALL = "with_call"
    WITH_FINISH = "with_finish"


class UsagePlace(StrEnum):
    AUTO = "auto"
    ON_FINISH = "on_finish"
    SEPARATE = "separate"
    EVERY_CHUNK = "every_chunk"
    ABSENT = "absent"


class Backend(StrEnum):
    """Which cloud serves a Claude model; AUTO derives it from the request number."""

    AUTO = "auto"
    BEDROCK = "bdrk"
    VERTEX = "vrtx"
    ANTHROPIC = "plain"


class BrokenBill(StrEnum):
    """What is billed of a stream that broke off behind its first content; what the real service does is not known."""

    SENT = "sent"
    """The whole prompt and the output until then."""
    WHOLE = "whole"
    NOTHING = "nothing"


_COUNTED_BY = {
    Fault.STATUS: "status",
    Fault.STALL: "seconds",
    Fault.SLOW_HEADERS: "seconds",
    Fault.CUT: "after",
    Fault.CLEAN_EOF: "after",
    Fault.HANG_UP: "after",
    Fault.ERROR_EVENT: "after",
    Fault.FAILED: "after",
    Fault.HUGE_FRAME: "size",
}
_WORD = re.compile(r"@sim(?=\{)")
_BENCH = re.compile(r"@@n=(\d+),d=(\d+),s=(\d+)@@")


@dataclass(frozen=True, slots=True)
class Scenario:
    """One answer's wishes; the defaults are a well-behaved, family-typical answer at the world's own pace."""

    # faults
    fault: Fault = Fault.NONE
    after: int = 0
    seconds: float = 0.0
    fail_times: int | None = None
    """How many matching requests get the fault before all is well; None means every one."""
    status: int = 500
    code: str = ""
    message: str = ""
    error_type: str = ""
    retry_after: str | None = None
    exceeded: str | None = None
    """Value of `x-ratelimit-exceeded`."""
    body: Body = Body.WRAPPED
    location: str = "http://127.0.0.1:9/elsewhere"

    # pace and packing
    ttft_ms: float | None = None
    delay_ms: float | None = None
    """Between content chunks; None means the world's pace."""
    cut_bytes: int = 0
    """Packets of this many bytes, whatever the borders of events; 0 means one event a packet."""
    crlf: bool = False
    event_lines: bool = True
    """False: `data:` lines without `event:` on /responses."""
    keepalive: bool = False
    """Send `:` comments on chat, `ping` on messages, `keepalive` on responses between content chunks."""
    done: bool | None = None
    """Whether `data: [DONE]` ends the stream; None means the endpoint's own manner."""

    # content
    text: str | None = None
    reasoning_text: str | None = None
    size: int = 0
    """At least so many bytes of text (for `huge_frame`: of the one chunk)."""
    chunks: int = 0
    """Cut the text into exactly so many content chunks."""
    finish: str | None = None
    """The finish or stop reason to claim, in the endpoint's own words; `missing` leaves it out."""
    content_filter: bool = False
    leaked_call: bool = False
    """Write the tool call as text (`<function_calls><invoke …>`) and end as if nothing was called."""
    empty: bool = False
    """No choices, no blocks, no items."""
    native_body: bool = False
    """Chat: answer an unstreamed request with an Anthropic message instead of choices."""
    annotations: bool = False
    """Code citations and references among the chunks."""
    call: str | None = None
    """Name of the tool to call, whatever the question says; `none` forbids calls."""
    arguments: Any = None
    """The arguments of that call: an object, or a string taken as it stands."""
    calls: int = 0
    """How many calls in parallel; 0 lets the question decide."""
    rounds: int = 1
    """After so many rounds of tool results the answer is text."""
    fenced_json: bool = False
    """Structured output wrapped in a Markdown fence."""

    # family manners
    tools: ToolShape = ToolShape.AUTO
    reasoning: ReasoningShape = ReasoningShape.AUTO
    opaque: OpaquePlace = OpaquePlace.AUTO
    usage: UsagePlace = UsagePlace.AUTO
    backend: Backend = Backend.AUTO
    object_field: bool | None = None
    """Whether chat chunks carry `object`; None means the family's own manner."""
    split_choices: bool | None = None
    rotating_ids: bool | None = None
    model: str | None = None
    """The `model` the answer claims; None means the provider's snapshot name."""

    # numbers
    tokens: Mapping[str, int] | None = None
    """Usage to claim and bill: any of input (total), cached, cache_write, output, reasoning."""
    broken_bill: BrokenBill = BrokenBill.SENT
    cache_min: int = 1024
    """Prefixes shorter than this many tokens are not cached."""

    # bench: chunks, ms between them, bytes of each event
    bench: tuple[int, int, int] | None = None

    @classmethod
    def from_dict(cls, raw: Mapping[str, Any]) -> Self:
        return cls().with_fields(raw)

    def with_fields(self, raw: Mapping[str, Any]) -> Self:
        """A copy with these fields set by name; raises ValueError naming what is unknown or wrong."""
        changes: dict[str, Any] = {}
        for name, value in raw.items():
            if name == "fault":
                changes.update(_fault(value))
            elif name in _KINDS:
                changes[name] = _coerced(name, value)
            else:
                raise ValueError(f"a scenario has no field {name!r}")
        return replace(self, **changes)


_KINDS: Mapping[str, str] = {field.name: str(field.type) for field in fields(Scenario)}
_ENUMS: Mapping[str, type[StrEnum]] = {
    kind.__name__: kind for kind in (Body, ToolShape, ReasoningShape, OpaquePlace, UsagePlace, Backend, BrokenBill)
}


def asked_in(text: str) -> dict[str, Any]:
    """The scenario fields that words in `text` ask for; the last word wins, broken JSON raises ValueError."""
    asked: dict[str, Any] = {}
    for word in _WORD.finditer(text):
        value, _ = json.JSONDecoder().raw_decode(text, word.end())
        asked.update(value)
    if shape := _BENCH.search(text):
        asked["bench"] = [int(number) for number in shape.groups()]
    return asked


def without_words(text: str) -> str:
    """`text` as a person would have written it: without the words meant for the simulator."""
    parts: list[str] = []
    at = 0
    for word in _WORD.finditer(text):
        if word.start() < at:
            continue
        _, end = json.JSONDecoder().raw_decode(text, word.end())
        parts.append(text[at : word.start()])
        at = end
    parts.append(text[at:])
    return _BENCH.sub("", "".join(parts)).strip()


def _fault(value: object) -> dict[str, Any]:
    name, _, number = str(value).partition(":")
    fault = Fault(name)
    changes: dict[str, Any] = {"fault": fault}
    if number:
        counted = _COUNTED_BY.get(fault)
        if counted is None:
            raise ValueError(f"the fault {name} counts nothing")
        changes[counted] = _coerced(counted, float(number))
    return changes


def _coerced(name: str, value: Any) -> Any:
    kind = _KINDS[name]
    if kind in _ENUMS:
        return _ENUMS[kind](value)
    if value is None or kind == "Any":
        return value
    if name == "bench":
        chunks, delay, size = value
        return int(chunks), int(delay), int(size)
    if name == "tokens":
        return {str(key): int(count) for key, count in value.items()}
    wanted = kind.removesuffix(" | None")
    if wanted == "bool" and isinstance(value, bool):
        return value
    if wanted == "str" and isinstance(value, str | int | float) and not isinstance(value, bool):
        return str(value)
    if wanted in ("int", "float") and isinstance(value, int | float) and not isinstance(value, bool):
        return int(value) if wanted == "int" else float(value)
    raise ValueError(f"scenario field {name} wants {kind}, not {value!r}")
