"""How a Responses stream ends: completed, incomplete or failed, and what it used.

Quirk responses-early-failure: `response.failed` may say nothing of its cause, which then follows in an `error` event
of its own, flat or nested. Quirk responses-content-filters: a filtered answer may call itself completed.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import msgspec

from bridge.errors import BrokenStream
from bridge.events import Failed
from bridge.formats.responses.frames import read_json
from bridge.formats.responses.usage import read_usage
from bridge.tally import Tally, with_copilot_usage

ENDINGS = frozenset(
    {"response.completed", "response.incomplete", "response.failed", "response.cancelled", "response.error", "error"}
)


_MISSHAPEN = "an answer that is no response"


class _Response(msgspec.Struct):
    status: Any = None
    error: Any = None
    incomplete_details: Any = None
    usage: Any = None
    copilot_usage: Any = None
    content_filters: Any = None


class _Frame(msgspec.Struct):
    type: Any = None
    response: _Response | None = None
    copilot_usage: Any = None
    content_filters: Any = None
    error: Any = None
    code: Any = None
    message: Any = None


_decode = msgspec.json.Decoder(_Frame).decode
_decode_body = msgspec.json.Decoder(_Response).decode


class Ending:
    """`read` each event that is one of ENDINGS.

    `status` is `completed` or `incomplete` once the answer is whole, `reason` why it is incomplete.
    """

    def __init__(self) -> None:
        self.status = ""
        self.reason = ""
        self.failure: Failed | None = None
        self.tally = Tally()
        self.counted = False
        self._unexplained = False

    @property
    def is_over(self) -> bool:
        return bool(self.status) or self.failure is not None

    @property
    def stop_reason(self) -> str:
        """The upstream's own word: why the answer is incomplete, or its status."""
        return self.reason or self.status or ("failed" if self.failure is not None else "")

    def read(self, data: bytes) -> None:
        """Take in a terminal event. Raises BrokenStream when its shape is none of the format's."""
        frame = read_json(data, _decode, _MISSHAPEN)
        if frame.type in ("error", "response.error"):
            self._fail(frame.error if isinstance(frame.error, dict) else frame)
            return
        response = frame.response or _Response()
        self._count(response, frame.copilot_usage)
        status = response.status if isinstance(response.status, str) else str(frame.type).removeprefix("response.")
        self._end(status, response, frame.content_filters)

    def read_body(self, body: bytes) -> None:
        """Take in a whole answer, a response object. Raises BrokenStream when it is none."""
        response = read_json(body, _decode_body, _MISSHAPEN)
        self._count(response, None)
        if response.status is None and isinstance(response.error, dict):
            self._fail(response.error)
        elif isinstance(response.status, str):
            self._end(response.status, response, None)

    def close(self) -> None:
        """The stream is at its end. Raises BrokenStream when the answer is not, or failed without a word."""
        if self._unexplained and self.failure is None:
            raise BrokenStream("The upstream gave the answer up without saying why. Send the request again.")
        if not self.is_over:
            raise BrokenStream("The upstream's answer ended in the middle. Send the request again.")

    def _end(self, status: str, response: _Response, filters: Any) -> None:
        if status in ("failed", "cancelled"):
            self._unexplained = True
            if isinstance(response.error, dict):
                self._fail(response.error)
            elif status == "cancelled":
                self.failure = Failed("The upstream cancelled the answer.", "cancelled")
            return
        details = response.incomplete_details
        if _is_blocked(response.content_filters) or _is_blocked(filters):
            self.status, self.reason = "incomplete", "content_filter"
        elif status == "incomplete":
            reason = details.get("reason") if isinstance(details, dict) else None
            self.status, self.reason = (
                "incomplete",
                reason if isinstance(reason, str) and reason else "max_output_tokens",
            )
        else:
            self.status = "completed"

    def _fail(self, told: dict[str, Any] | _Frame) -> None:
        code, message = (
            (told.code, told.message) if isinstance(told, _Frame) else (told.get("code"), told.get("message"))
        )
        self.failure = Failed(
            message if isinstance(message, str) and message else "The upstream failed.",
            code if isinstance(code, str) else "",
        )

    def _count(self, response: _Response, billed: Any) -> None:
        if isinstance(response.usage, dict):
            self.tally, self.counted = read_usage(response.usage), True
        billed = billed if isinstance(billed, dict) else response.copilot_usage
        if isinstance(billed, dict):
            tally = with_copilot_usage(self.tally, billed)
            self.tally, self.counted = replace(tally, reasoning=min(tally.reasoning, tally.output)), True


def _is_blocked(filters: Any) -> bool:
    listed = filters if isinstance(filters, list) else []
    return any(isinstance(each, dict) and each.get("blocked") is True for each in listed)
