"""What the upstream's refusals mean: status, headers and body in, one error of the tree out."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.copilot.refusals import Said, read_refusal, read_stream_failure, read_words, retry_seconds
from bridge.errors import (
    BadRequest,
    BridgeError,
    ContextTooLong,
    Exhausted,
    Filtered,
    LimitReached,
    RateLimited,
    SeatRequired,
    TimedOut,
    TooLarge,
    Unavailable,
    UnknownModel,
    UpstreamFault,
)

NOW = 1_800_000_000.0


def refusal(status: int, body: object = "", **headers: str) -> BridgeError:
    text = body if isinstance(body, str) else json.dumps(body) + "\n"
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return read_refusal(status, named, text.encode(), now=lambda: NOW)


def an_error(code: str = "", message: str = "Said so.", **rest: object) -> dict[str, object]:
    return {"error": {"message": message, "code": code, **rest}}


# --- what each status and code means ----------------------------------------------------------------------

_INTEGRATOR = (
    'The requested model is not available for integrator "opencode". '
    "Verify the correct Copilot-Integration-Id header is being sent."
)
_NOT_HERE = 'model "gpt-5.4" is not accessible via the /chat/completions endpoint'
_TOO_LONG = "prompt token count of 138898 exceeds the limit of 64000"
_OLD_CLIENT = "bad request: the specified API version is no longer supported. You may need to update your client."


@pytest.mark.parametrize(
    ("status", "body", "kind", "code"),
    [
        (400, an_error("model_not_supported", "The requested model is not supported."), UnknownModel, ""),
        (400, an_error("", "Model is not supported for this request."), UnknownModel, ""),
        (400, "Model is not supported for this request.\n", UnknownModel, ""),
        (400, an_error("model_not_available_for_integrator", _INTEGRATOR), UnknownModel, ""),
        (400, an_error("unsupported_api_for_model", _NOT_HERE), BadRequest, "unsupported_api_for_model"),
        (400, an_error("model_max_prompt_tokens_exceeded", _TOO_LONG), ContextTooLong, ""),
        (400, an_error("", _TOO_LONG, param="", type=""), ContextTooLong, ""),
        (400, an_error("context_length_exceeded", "Too long."), ContextTooLong, "context_length_exceeded"),
        (400, "Request body is too large for model context window", ContextTooLong, ""),
        (400, "Bad Request\n", BadRequest, ""),
        (400, an_error("off_topic"), BadRequest, "off_topic"),
        (400, an_error("previous_response_not_found"), BadRequest, "previous_response_not_found"),
        (400, an_error("invalid_request_body"), BadRequest, "invalid_request_body"),
        (400, an_error("invalid_reasoning_effort"), BadRequest, "invalid_reasoning_effort"),
        (400, an_error("unsupported_value"), BadRequest, "unsupported_value"),
        (400, an_error("content_filter"), Filtered, "content_filter"),
        (401, "unauthorized: token expired\n", SeatRequired, ""),
        (401, {"authorize_url": "https://github.com/login/oauth"}, SeatRequired, ""),
        (401, "Invalid auto-mode selector", SeatRequired, ""),
        (402, an_error("quota_exceeded", "You have no quota"), Exhausted, "quota_exceeded"),
        (402, an_error("session_quota_exceeded"), Exhausted, "session_quota_exceeded"),
        (402, "", Exhausted, ""),
        (403, "unauthorized: not authorized to use this Copilot feature\n", SeatRequired, ""),
        (403, "forbidden: access denied", SeatRequired, ""),
        (404, "404 page not found\n", UpstreamFault, ""),
        (404, an_error("model_not_found"), UnknownModel, "model_not_found"),
        (404, {"type": "error", "error": {"type": "not_found", "message": "No."}}, UpstreamFault, "not_found"),
        (413, an_error("request_too_large"), TooLarge, "request_too_large"),
        (421, "Misdirected Request", UpstreamFault, ""),
        (422, "Filtered by Responsible AI Service", Filtered, ""),
        (424, "failed dependency", UpstreamFault, ""),
        (429, an_error("rate_limited", "rate limit exceeded"), RateLimited, "rate_limited"),
        (429, an_error("user_model_rate_limited"), RateLimited, "user_model_rate_limited"),
        (429, an_error("user_global_rate_limited:enterprise"), LimitReached, "user_global_rate_limited"),
        (429, an_error("integration_rate_limited"), RateLimited, "integration_rate_limited"),
        (429, an_error("agent_mode_limit_exceeded"), RateLimited, "agent_mode_limit_exceeded"),
        (429, an_error("model_overloaded"), RateLimited, "model_overloaded"),
        (429, an_error("upstream_provider_rate_limit"), RateLimited, "upstream_provider_rate_limit"),
        (429, an_error("extension_blocked", type="rate_limit_error"), RateLimited, "extension_blocked"),
        (429, "Too many requests", RateLimited, "rate_limited"),
        *((429, an_error(code), Exhausted, code) for code in ("quota_exceeded", "free_quota_exceeded",
           "overage_limit_reached", "billing_not_configured", "additional_spend_limit_reached")),
        (466, _OLD_CLIENT, UpstreamFault, ""),
        (499, "", UpstreamFault, ""),
        (500, "Internal Server Error", UpstreamFault, ""),
        (502, "<html><body>Bad Gateway</body></html>", UpstreamFault, ""),
        (503, "upstream connect error", Unavailable, ""),
        (504, "", TimedOut, ""),
        (529, {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}, Unavailable, ""),
    ],
)  # fmt: skip
def test_each_refusal_is_one_error(status: int, body: object, kind: type[BridgeError], code: str) -> None:
    error = refusal(status, body)
    assert type(error) is kind
    assert error.upstream_status == status
    assert code in ("", error.upstream_code)
    assert str(error)


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 413, 422, 466])
def test_what_will_not_pass_is_final(status: int) -> None:
    assert refusal(status, "no").final


@pytest.mark.parametrize("status", [421, 424, 429, 499, 500, 502, 503, 504, 529])
def test_what_may_pass_is_not(status: int) -> None:
    assert not refusal(status, "no").final


@pytest.mark.parametrize("message", [_TOO_LONG, "prompt is too long: 138898 tokens > 64000 maximum"])
def test_too_long_a_prompt_is_said_in_the_words_that_clients_parse(message: str) -> None:
    error = refusal(400, an_error("", message))
    assert error.verbatim
    assert str(error) == "prompt is too long: 138898 tokens > 64000 maximum"


def test_the_upstreams_words_and_field_reach_the_caller() -> None:
    error = refusal(400, an_error("unsupported_value", "No such thing.", param="temperature"))
    assert (str(error), error.param) == ("No such thing.", "temperature")


def test_a_percent_sign_in_the_upstreams_words_is_one() -> None:
    assert str(refusal(400, "100%s wrong %(x)s")) == "100%s wrong %(x)s"


def test_an_outdated_client_is_the_operators_matter() -> None:
    assert "BRIDGE_PROFILE" in str(refusal(466, _OLD_CLIENT))


def test_without_words_the_status_is_told() -> None:
    assert "HTTP 502" in str(refusal(502, "<!DOCTYPE html><html>unicorn</html>"))
    assert "HTTP 402" in str(refusal(402, ""))


# --- whatever the envelope --------------------------------------------------------------------------------

_WORDS = Said("No.", "some_code", "field")


@pytest.mark.parametrize(
    "body",
    [
        {"error": {"message": "No.", "code": "some_code", "param": "field"}},
        {"message": "No.", "code": "some_code", "param": "field", "documentation_url": "https://docs.github.com"},
        {"type": "error", "error": {"type": "some_code", "message": "No.", "param": "field"}, "request_id": "r"},
        {"error": {"message": "No.", "code": "some_code:pro", "param": "field", "type": "x"}},
        {"error": {"message": json.dumps({"error": {"message": "No.", "code": "some_code", "param": "field"}})}},
        {"error": {"code": "outer", "message": json.dumps({"message": "No.", "code": "some_code", "param": "field"})}},
        {"message": json.dumps({"error": {"code": "some_code", "param": "field", "message": '{"message": "No."}'}})},
    ],
)  # fmt: skip
def test_the_words_are_found_in_every_envelope(body: object) -> None:
    said = read_words((json.dumps(body) + "\n").encode())
    assert said == _WORDS


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", Said("", "")),
        (b"  plain words \n", Said("plain words", "")),
        (b"<html>", Said("", "")),
        (b"\x1f\x8b\x08\xff", Said("", "")),
        (b"{broken", Said("{broken", "")),
        (b"[1]", Said("[1]", "")),
        (b"{}", Said("", "")),
        (b'{"error":"words"}', Said("words", "")),
        (b'{"error":null,"message":"words"}', Said("words", "")),
        (b'{"error":{"message":7,"code":402}}', Said("", "402")),
        (b'{"error":{"message":"x","param":""}}', Said("x", "")),
    ],
)
def test_odd_bodies_say_what_they_can(body: bytes, said: Said) -> None:
    assert read_words(body) == said


def test_a_novel_is_cut() -> None:
    assert len(read_words(b"x" * 100_000).message) <= 600
    assert len(str(refusal(400, an_error("", "y" * 100_000)))) <= 600


@given(st.integers(400, 599), st.binary(max_size=60), st.text(max_size=20))
def test_no_answer_breaks_the_reading(status: int, body: bytes, wait: str) -> None:
    error = read_refusal(status, {"retry-after": wait}, body, now=lambda: NOW)
    assert str(error)
    assert error.retry_after is None or error.retry_after >= 0


# --- how long to wait -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("header", "message", "seconds"),
    [
        ("30", "", 30.0),
        (" 1.5 ", "", 1.5),
        ("Fri, 15 Jan 2027 08:01:40 GMT", "", 100.0),
        ("Fri, 15 Jan 2027 08:01:40", "", 100.0),
        ("Fri, 15 Jan 2027 07:00:00 GMT", "", 0.0),
        ("7", "Please retry after 99 seconds", 7.0),
        ("soon", "Please retry after 99 seconds", 99.0),
        ("", "You exceeded your 5 hour session limits. Please retry after 120 seconds.", 120.0),
        ("", "Please try again in 6.5s.", 6.5),
        ("", "Try again in 500ms", 0.5),
        ("", "try again in 5 minutes", 300.0),
        ("", "Sorry, try again in 51 hours.", 183_600.0),
        ("", "try again in 463h", 1_666_800.0),
        ("", "Please try again in 2 days", 172_800.0),
        ("", "Retry after 20.", 20.0),
        ("", "Sorry, you've exceeded your weekly rate limit.", None),
        ("", "", None),
    ],
)
def test_the_wait_is_found_in_header_or_sentence(header: str, message: str, seconds: float | None) -> None:
    assert NOW == 1_800_000_000  # 2027-01-15 08:00:00 UTC
    assert retry_seconds({"retry-after": header} if header else {}, message, NOW) == seconds


def test_a_short_wait_is_told_and_a_long_one_is_final() -> None:
    short, long = refusal(429, an_error("rate_limited"), retry_after="60"), refusal(429, "", retry_after="61")
    assert (short.retry_after, short.final) == (60.0, False)
    assert (long.retry_after, long.final) == (61.0, True)


def test_a_wait_of_hours_that_only_the_sentence_tells_is_final() -> None:
    assert refusal(429, an_error("user_global_rate_limited", "Please try again in 15 hours.")).final


@pytest.mark.parametrize(
    "code", ["user_weekly_rate_limited", "user_monthly_rate_limited", "user_global_rate_limited:pro"]
)
def test_the_long_limits_are_final_even_when_no_wait_is_named(code: str) -> None:
    error = refusal(429, an_error(code))
    assert (error.retry_after, error.final) == (None, True)


def test_a_503_keeps_the_wait_it_names() -> None:
    assert refusal(503, "busy", retry_after="3").retry_after == 3.0


# --- errors within a stream -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "message", "kind", "status"),
    [
        ("quota_exceeded", "You have no quota", Exhausted, 402),
        ("rate_limited", "Slow down", RateLimited, 429),
        ("user_model_rate_limited:pro", "Slow down", RateLimited, 429),
        ("rate_limit_error", "Slow down", RateLimited, 429),
        ("content_filter", "Filtered", Filtered, 200),
        ("invalid_request_body", "Wrong", BadRequest, 400),
        ("model_not_supported", "The requested model is not supported.", UnknownModel, 400),
        ("model_max_prompt_tokens_exceeded", _TOO_LONG, ContextTooLong, 400),
        ("context_length_exceeded", "Too long", ContextTooLong, 400),
        ("server_error", "Boom", UpstreamFault, 502),
        ("", "", UpstreamFault, 502),
    ],
)
def test_an_error_within_a_stream_is_told_by_its_code(
    code: str, message: str, kind: type[BridgeError], status: int
) -> None:
    error = read_stream_failure(message, code)
    assert type(error) is kind
    assert error.upstream_status == status


def test_an_overloaded_model_may_be_tried_again() -> None:
    error = read_stream_failure("The model is overloaded.", "model_overloaded")
    assert isinstance(error, UpstreamFault)
    assert not error.final


def test_a_long_wait_within_a_stream_is_final() -> None:
    error = read_stream_failure("Please try again in 15 hours.", "rate_limited")
    assert (error.retry_after, error.final) == (54_000.0, True)
