"""What a refusal of the Copilot API means: status, headers and body in, one error of our tree out.

Bodies come in five shapes: `{"error": {"message", "code", ...}}`, bare `{"message", ...}`, Anthropic's
`{"type": "error", "error": {...}}`, one of these as text inside another's message, and plain text. Statuses and
codes are those recorded by public clients (GitHub's VS Code chat client, copilot-cli and LiteLLM issue threads).
"""

from __future__ import annotations

import email.utils
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC

import msgspec

from bridge.errors import (
    BadRequest,
    BridgeError,
    ContextTooLong,
    Exhausted,
    Filtered,
    RateLimited,
    SeatRequired,
    TimedOut,
    TooLarge,
    Unavailable,
    UnknownModel,
    UpstreamFault,
)

_TEXT_LIMIT = 600
_PROMPT_COUNT = re.compile(r"prompt token count of (\d+) exceeds the limit of (\d+)")
_PROMPT_TOO_LONG = re.compile(r"prompt is too long: (\d+) tokens > (\d+) maximum")
_RETRY_IN_TEXT = re.compile(r"(?:retry after|try again in) (\d+(?:\.\d+)?) ?(ms|milli|s|m|h|d)?", re.IGNORECASE)
_UNITS = {"ms": 0.001, "milli": 0.001, "m": 60.0, "h": 3600.0, "d": 86_400.0}
_QUOTA_CODES = frozenset(
    {
        "quota_exceeded",
        "free_quota_exceeded",
        "overage_limit_reached",
        "billing_not_configured",
        "additional_spend_limit_reached",
        "session_quota_exceeded",
    }
)
_MODEL_CODES = frozenset({"model_not_supported", "model_not_found", "model_not_available_for_integrator"})


@dataclass(frozen=True, slots=True)
class Said:
    """The words of a refusal, whatever envelope they came in. `code` has lost its `:suffix`."""

    message: str
    code: str
    param: str | None = None


def read_words(body: bytes) -> Said:
    """Unwrap a refusal's body; never raises. HTML pages and binary bodies say nothing quotable."""
    text = body.decode("utf-8", "replace").strip()
    code, param = "", None
    for _ in range(3):
        found = _envelope(text)
        if found is None:
            break
        text, code, param = found.message, found.code or code, found.param or param
    if text.startswith("<") or "\ufffd" in text:
        text = ""
    return Said(text[:_TEXT_LIMIT], code, param)


def _envelope(text: str) -> Said | None:
    if not text.startswith("{"):
        return None
    try:
        value = msgspec.json.decode(text.encode())
    except (msgspec.DecodeError, RecursionError):
        return None
    if not isinstance(value, dict):
        return None
    inner = value.get("error")
    fields = inner if isinstance(inner, dict) else value
    message = (
        fields.get("message") if isinstance(fields.get("message"), str) else inner if isinstance(inner, str) else ""
    )
    code = fields.get("code") or fields.get("type") or ""
    param = fields.get("param")
    return Said(
        str(message or "")[: _TEXT_LIMIT * 4],
        str(code).split(":", 1)[0],
        param if isinstance(param, str) and param else None,
    )


def retry_seconds(headers: Mapping[str, str], message: str, now: float) -> float | None:
    """How long the upstream asks to wait: `retry-after` (seconds or a date), else the sentence itself."""
    header = headers.get("retry-after", "").strip()
    if re.fullmatch(r"\d+(\.\d+)?", header):
        return float(header)
    if header:
        try:
            moment = email.utils.parsedate_to_datetime(header)
        except ValueError:
            moment = None
        if moment is not None:
            moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
            return max(0.0, moment.timestamp() - now)
    match = _RETRY_IN_TEXT.search(message)
    if match is None:
        return None
    return float(match[1]) * _UNITS.get((match[2] or "s").lower(), 1.0)


def read_refusal(
    status: int, headers: Mapping[str, str], body: bytes, *, now: Callable[[], float] = time.time
) -> BridgeError:
    """The error that an upstream answer of `status` >= 400 stands for."""
    said = read_words(body)
    if status in (400, 404):
        return _bad_request(status, said)
    if status == 402 or (status == 429 and said.code in _QUOTA_CODES):
        return _built(Exhausted, "The Copilot seat has no credits left: %(said)s", said, status)
    if status == 429:
        return _slow_down(said, status, retry_seconds(headers, said.message, now()))
    if status in (401, 403):
        return _built(SeatRequired, "GitHub Copilot refused this seat: %(said)s", said, status)
    if status == 413:
        return _built(TooLarge, "The upstream refused the request as too large: %(said)s", said, status)
    if status == 422:
        return _built(Filtered, "GitHub's content filter refused the request: %(said)s", said, status)
    return _upstream_fault(status, said, retry_seconds(headers, said.message, now()))


def read_stream_failure(message: str, code: str) -> BridgeError:
    """The error that an error object inside a stream of status 200 stands for: its code tells, no status does."""
    said = Said(message[:_TEXT_LIMIT], code.split(":", 1)[0])
    if said.code in _QUOTA_CODES:
        return _built(Exhausted, "The Copilot seat has no credits left: %(said)s", said, 402)
    if "rate_limit" in said.code:
        return _slow_down(said, 429, retry_seconds({}, said.message, 0.0))
    if said.code == "content_filter":
        return _built(Filtered, "GitHub's content filter stopped the answer: %(said)s", said, 200)
    if said.code.startswith("invalid_") or said.code in _MODEL_CODES or "context" in said.code or "prompt" in said.code:
        return _bad_request(400, said)
    return _upstream_fault(502, said, None)


def _built(kind: type[BridgeError], text: str, said: Said, status: int, *, final: bool | None = None) -> BridgeError:
    return kind(
        text,
        {"said": said.message or f"HTTP {status}"},
        param=said.param,
        upstream_status=status,
        upstream_code=said.code,
        final=final,
    )


def _bad_request(status: int, said: Said) -> BridgeError:
    for pattern in (_PROMPT_COUNT, _PROMPT_TOO_LONG):
        match = pattern.search(said.message)
        if match is not None:
            return ContextTooLong(
                "prompt is too long: %(tokens)d tokens > %(limit)d maximum",
                {"tokens": int(match[1]), "limit": int(match[2])},
                upstream_status=status,
                upstream_code=said.code,
            )
    if said.code in ("context_length_exceeded", "model_max_prompt_tokens_exceeded") or (
        "too large for model context window" in said.message
    ):
        return _built(ContextTooLong, "%(said)s", said, status)
    if said.code in _MODEL_CODES or "model is not supported" in said.message.lower():
        return _built(UnknownModel, "GitHub Copilot does not offer this model to this seat: %(said)s", said, status)
    if said.code == "content_filter":
        return _built(Filtered, "GitHub's content filter refused the request: %(said)s", said, status)
    if status == 404 and not said.message.startswith("Item with id"):  # which the request named, and must not
        return _built(UpstreamFault, "GitHub Copilot does not know this endpoint: %(said)s", said, status, final=True)
    return _built(BadRequest, "%(said)s", said, status)


def _slow_down(said: Said, status: int, wait: float | None) -> BridgeError:
    """Weekly and monthly limits may name no wait at all: those are long."""
    names_long_limit = "weekly" in said.code or "monthly" in said.code or "global" in said.code
    return RateLimited.of_wait(
        "GitHub Copilot asks this seat to slow down: %(said)s",
        {"said": said.message or "rate limited"},
        wait,
        is_long=names_long_limit,
        upstream_status=status,
        upstream_code=said.code or "rate_limited",
    )


def _ended(said: Said) -> Said:
    """The same words as a sentence that another can follow."""
    if not said.message or said.message.endswith((".", "!", "?", "。")):
        return said
    return replace(said, message=f"{said.message}.")


def _upstream_fault(status: int, said: Said, wait: float | None) -> BridgeError:
    if status == 466:
        return _built(
            UpstreamFault,
            "GitHub no longer accepts the client version this gateway presents; ask its operator to update "
            "BRIDGE_PROFILE: %(said)s",
            said,
            status,
            final=True,
        )
    kind: type[BridgeError] = {503: Unavailable, 504: TimedOut, 529: Unavailable}.get(status, UpstreamFault)
    error = _built(kind, "GitHub Copilot failed: %(said)s Try again shortly.", _ended(said), status)
    error.retry_after = wait
    return error
