"""Builders for every refusal the real service is known to give, in the bytes it gives them in.

Three envelopes live side by side on the Copilot API: `{"error": {...}}` (its own), a bare `{"message": ...}` (from
one of the back ends) and Anthropic's `{"type": "error", ...}`; some refusals are plain sentences. All of them come as
text/plain with a newline at the end. GitHub's REST API answers in its own JSON shape: see `rest_errors`.

`asked` builds a refusal from the word a scenario names it by: see `WORDS`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from tests.simulator.rest_errors import (
    NOTICES,
    RATE_DOCS,
    bad_credentials,
    not_entitled,
    rest,
    rest_not_found,
    rest_rate_limited,
)
from tests.simulator.wire import NO_HEADERS, Refusal, encode


def capi(
    status: int,
    code: str | None,
    message: str,
    *,
    param: str | None = None,
    kind: str | None = None,
    headers: Mapping[str, str] = NO_HEADERS,
) -> Refusal:
    """Return `{"error": {message, code?, param?, type?}}`; keys given as None are left out."""
    fields = {"message": message, "code": code, "param": param, "type": kind}
    error = {name: value for name, value in fields.items() if value is not None}
    return Refusal(status, encode({"error": error}) + b"\n", headers)


def bare(message: str, *, status: int = 400) -> Refusal:
    """Return `{"message": ...}` without the `error` around it."""
    return Refusal(status, encode({"message": message}) + b"\n")


def anthropic(kind: str, message: str, *, status: int = 400, request_id: str = "req_011CSimulated") -> Refusal:
    """Return Anthropic's own envelope, as it comes through when Anthropic itself refuses."""
    body = {"type": "error", "error": {"type": kind, "message": message}, "request_id": request_id}
    return Refusal(status, encode(body) + b"\n")


def plain(status: int, text: str, *, headers: Mapping[str, str] = NO_HEADERS) -> Refusal:
    """Return a sentence with a newline."""
    return Refusal(status, text.encode() + b"\n", headers)


def wrapped(kind: str, message: str, *, status: int = 400, code: str = "invalid_request_body") -> Refusal:
    """Return a CAPI envelope whose message is itself Anthropic's JSON."""
    inner = encode({"type": "error", "error": {"type": kind, "message": message}}).decode()
    return capi(status, code, inner)


def model_not_supported(message: str = "The requested model is not supported.") -> Refusal:
    """The model is unknown, not in the plan, or its policy has not been accepted."""
    return capi(400, "model_not_supported", message, param="model", kind="invalid_request_error")


def not_for_integrator(integrator: str) -> Refusal:
    """The model exists, but not for the client that identified itself so."""
    return capi(
        400,
        "model_not_available_for_integrator",
        f'The requested model is not available for integrator "{integrator}". '
        "Verify the correct Copilot-Integration-Id header is being sent.",
    )


def unsupported_api(model: str, path: str) -> Refusal:
    """The model is not offered on this endpoint."""
    if path.endswith("/responses"):
        return capi(400, "unsupported_api_for_model", f"model {model} is not supported via Responses API.")
    return capi(400, "unsupported_api_for_model", f'model "{model}" is not accessible via the {path} endpoint')


def prompt_too_long(count: int, limit: int) -> Refusal:
    """The prompt does not fit into the model."""
    message = f"prompt token count of {count} exceeds the limit of {limit}"
    return capi(400, "model_max_prompt_tokens_exceeded", message)


def quota_exceeded(code: str = "quota_exceeded", message: str = "You have no quota") -> Refusal:
    """Nothing left to pay with: no retry-after, no quota headers."""
    return capi(402, code, message)


def rate_limited(
    code: str = "rate_limited",
    *,
    message: str | None = None,
    retry_after: float | str | None = None,
    exceeded: str | None = None,
) -> Refusal:
    """A 429. The code may carry a `:suffix`; `retry_after` and `exceeded` become headers when given."""
    headers = {}
    if retry_after is not None:
        headers["retry-after"] = str(retry_after)
    if exceeded is not None:
        headers["x-ratelimit-exceeded"] = exceeded
    family = code.partition(":")[0]
    text = message or RATE_MESSAGES.get(family, "rate limit exceeded").format(wait=retry_after or 2733)
    kind = "rate_limit_error" if family == "extension_blocked" else None
    return capi(429, code, text, kind=kind, headers=headers)


RATE_MESSAGES: Mapping[str, str] = MappingProxyType({
    "rate_limited": "rate limit exceeded",
    "user_model_rate_limited": "Sorry, you have exceeded your rate limit for this model. Please try another model.",
    "user_global_rate_limited": (
        "Sorry, you've exceeded your 5 hour session limits. Please retry after {wait} seconds."
    ),
    "user_weekly_rate_limited": (
        "Sorry, you've exceeded your weekly rate limit. Please review our Terms of Service."
    ),
    "integration_rate_limited": "Sorry, the rate limit of this integration has been exceeded.",
    "agent_mode_limit_exceeded": "Sorry, you have exceeded the agent mode rate limit.",
    "model_overloaded": "The model is overloaded. Please try again later.",
    "upstream_provider_rate_limit": "Sorry, the upstream model provider is currently rate limiting requests.",
    "extension_blocked": "This extension has been blocked by rate limits.",
})  # fmt: skip

QUOTA_MESSAGES: Mapping[str, str] = MappingProxyType({
    "quota_exceeded": "You have no quota",
    "free_quota_exceeded": "You have used all of your free quota for this month",
    "overage_limit_reached": "You have reached your overage limit",
    "billing_not_configured": "Billing is not configured for this account",
    "additional_spend_limit_reached": "You have reached your additional spend limit",
    "session_quota_exceeded": "You have used the quota of this session",
})  # fmt: skip


def unauthorized(text: str = "unauthorized: token expired") -> Refusal:
    """The bearer is not (or no longer) good."""
    return plain(401, text)


def wrong_selector() -> Refusal:
    """The auto-mode session token belongs to somebody else or has expired."""
    return plain(401, "Invalid auto-mode selector")


def feature_forbidden() -> Refusal:
    """The account may not use Copilot, or not this part of it."""
    return plain(403, "unauthorized: not authorized to use this Copilot feature")


def misdirected() -> Refusal:
    """The host belongs to another tier than the token."""
    return Refusal(421, b"Misdirected Request")


def api_version_gone() -> Refusal:
    """The client speaks an API version that is no longer served."""
    return plain(
        466,
        "bad request: the specified API version is no longer supported. "
        "You may need to update your client to a newer version.",
    )


def no_page() -> Refusal:
    """There is no such path."""
    return plain(404, "404 page not found")


WORDS: Mapping[str, Callable[[], Refusal]] = MappingProxyType({
    "bad_request": lambda: plain(400, "Bad Request"),
    "off_topic": lambda: capi(400, "off_topic", "This question is off topic."),
    "invalid_request_body": lambda: capi(400, "invalid_request_body", "invalid request body"),
    "model_not_supported": model_not_supported,
    "model_kind_not_supported": lambda: model_not_supported("Model is not supported for this request."),
    "too_large_for_context": lambda: capi(
        400, "context_length_exceeded", "Request body is too large for model context window",
    ),
    "token_expired": unauthorized,
    "authorize_url": lambda: Refusal(401, b'{"authorize_url":"https://github.com/login/oauth/authorize"}\n'),
    "suspended": feature_forbidden,
    "access_denied": lambda: plain(403, "forbidden: access denied"),
    "policy_required": lambda: plain(
        403, "access to this endpoint requires an enterprise or organization policy to be enabled",
    ),
    "not_found": no_page,
    "too_large": lambda: plain(413, "request entity too large"),
    "misdirected": misdirected,
    "filtered": lambda: capi(422, "content_filter", "Filtered by Responsible AI Service"),
    "failed_dependency": lambda: capi(424, "failed_dependency", "The agent's upstream failed."),
    "api_version": api_version_gone,
    "cancelled": lambda: plain(499, "client closed request"),
    "server_error": lambda: capi(500, "internal_error", "internal server error"),
    "bad_gateway": lambda: plain(502, "Bad Gateway"),
    "unavailable": lambda: plain(503, "upstream connect error or disconnect/reset before headers"),
    "gateway_timeout": lambda: plain(504, "stream timeout"),
    "overloaded": lambda: anthropic("overloaded_error", "Overloaded", status=529),
    "bad_credentials": bad_credentials,
    "rest_not_found": rest_not_found,
    "rest_rate_limited": lambda: rest_rate_limited(12345),
    "rest_too_many": lambda: rest(429, "You have exceeded a secondary rate limit.", docs=RATE_DOCS),
    "rest_server_error": lambda: rest(500, "Server Error"),
    "rest_unavailable": lambda: Refusal(503, b"<html><body>Unicorn!</body></html>", content_type="text/html"),
})  # fmt: skip


def asked(word: str, options: Mapping[str, Any]) -> Refusal:
    """Return the refusal named `word`; `options` may give message, retry_after, exceeded, status.

    Words are those of `WORDS`, any 429 code of `RATE_MESSAGES` (with or without `:suffix`), any 402 code of
    `QUOTA_MESSAGES`, any notification id of `NOTICES`. Raises ValueError for any other word.
    """
    message = options.get("message")
    family = word.partition(":")[0]
    if family in RATE_MESSAGES:
        return rate_limited(
            word, message=message, retry_after=options.get("retry_after"), exceeded=options.get("exceeded")
        )
    if family in QUOTA_MESSAGES:
        refusal = quota_exceeded(word, message or QUOTA_MESSAGES[family])
    elif word in NOTICES and word != "server_error":
        refusal = not_entitled(word)
    else:
        refusal = _built(word)
    if "retry_after" in options:
        refusal.headers["retry-after"] = str(options["retry_after"])
    return refusal


def _built(word: str) -> Refusal:
    if word not in WORDS:
        raise ValueError(f"no refusal is called {word!r}")
    return WORDS[word]()
