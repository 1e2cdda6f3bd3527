"""Everything that can go wrong on the way of a request, as one tree.

    BridgeError
    ├── Refused                   the caller must change something; never retried
    │   ├── BadKey                no key, wrong, revoked, expired                  401
    │   ├── Forbidden             the key may not use this door, model, address    403
    │   ├── BadRequest            not JSON, a field of the wrong type or value     400
    │   │   ├── ContextTooLong    prompt over the model's limit
    │   │   └── Filtered          content filtered before output
    │   ├── TooLarge              body over the limit                              413
    │   ├── UnknownModel          no such model for this caller                    404
    │   ├── UnknownPath           no such door                                     404
    │   ├── WrongMethod           the door takes another method                    405
    │   └── SeatRequired          no usable seat: none, needs login, suspended     403
    ├── Exhausted                 credits or budget gone; never retried            429 (402 on Messages)
    ├── Busy                      come back later, `retry_after` says when
    │   ├── RateLimited           the key or the seat was told to slow down        429
    │   │   └── LimitReached      … for longer than a client may wait; never retried
    │   └── Shedding              draining, overloaded, ledger not writable        503
    ├── UpstreamFault             the upstream failed
    │   ├── Unreachable           no connection, connection lost                   502
    │   ├── TimedOut              no answer in time                                504
    │   ├── Unavailable           5xx of the upstream, catalogue never loaded      503
    │   └── BrokenStream          the answer broke off after it began              502
    └── Internal                  a fault of the gateway itself                    500

An error carries a stable `code`, an English sentence with named parameters, and what a client may do about it.
The doors translate the sentence and give it the shape of the caller's dialect; a sentence that clients parse is
marked `verbatim` and never translated.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

# SDKs sleep as long as they are told to, with the user watching: longer waits are said in words, not in a header.
LONG_WAIT_SECONDS = 60.0


class BridgeError(Exception):
    """A fault with the sentence that says what to do about it.

    `text` is a %-template over `params`; `param` names the field of the request that is at fault; `retry_after` is
    in seconds; `upstream_status` and `upstream_code` are what the upstream answered, if it did; `final` overrules
    the class on whether trying again is pointless.
    """

    status: ClassVar[int] = 500
    code: ClassVar[str] = "internal_error"
    permanent: ClassVar[bool] = False
    verbatim: ClassVar[bool] = False

    def __init__(
        self,
        text: str,
        params: Mapping[str, object] | None = None,
        *,
        param: str | None = None,
        retry_after: float | None = None,
        upstream_status: int | None = None,
        upstream_code: str = "",
        final: bool | None = None,
    ) -> None:
        super().__init__(text)
        self.text = text
        self.params: Mapping[str, object] = params or {}
        self.param = param
        self.retry_after = retry_after
        self.upstream_status = upstream_status
        self.upstream_code = upstream_code
        self.final = self.permanent if final is None else final

    def __str__(self) -> str:
        return self.text % self.params if self.params else self.text


class Refused(BridgeError):
    """The caller must change something first."""

    status = 400
    code = "invalid_request_error"
    permanent = True


class BadKey(Refused):
    status = 401
    code = "invalid_api_key"


class Forbidden(Refused):
    status = 403
    code = "permission_denied"


class BadRequest(Refused):
    pass


class ContextTooLong(BadRequest):
    """Raised with the params `tokens` and `limit`; clients read both numbers out of the sentence."""

    code = "context_length_exceeded"
    verbatim = True


class Filtered(BadRequest):
    code = "content_filter"


class TooLarge(Refused):
    status = 413
    code = "request_too_large"


class UnknownModel(Refused):
    status = 404
    code = "model_not_found"


class UnknownPath(Refused):
    status = 404
    code = "not_found"


class WrongMethod(Refused):
    status = 405
    code = "method_not_allowed"


class SeatRequired(Refused):
    status = 403
    code = "seat_required"


class Exhausted(BridgeError):
    status = 429
    code = "insufficient_quota"
    permanent = True


class Busy(BridgeError):
    """Come back after `retry_after` seconds."""

    status = 503
    code = "overloaded"


class RateLimited(Busy):
    """Told to slow down for a short while. `of_wait` makes the error that fits a wait of any length."""

    status = 429
    code = "rate_limit_exceeded"

    @staticmethod
    def of_wait(
        text: str,
        params: Mapping[str, object],
        wait: float | None,
        *,
        is_long: bool = False,
        upstream_status: int | None = None,
        upstream_code: str = "",
    ) -> RateLimited:
        """`wait` in seconds; `is_long` decides when it is not known."""
        kind = LimitReached if (is_long if wait is None else wait > LONG_WAIT_SECONDS) else RateLimited
        return kind(text, params, retry_after=wait, upstream_status=upstream_status, upstream_code=upstream_code)


class LimitReached(RateLimited):
    """Told to slow down for more than LONG_WAIT_SECONDS: no client may wait for it with a request in hand.

    Its code holds no word by which client programs decide to try again.
    """

    code = "usage_limit_reached"
    permanent = True


class Shedding(Busy):
    pass


class UpstreamFault(BridgeError):
    status = 502
    code = "upstream_error"


class Unreachable(UpstreamFault):
    code = "upstream_unreachable"


class TimedOut(UpstreamFault):
    status = 504
    code = "upstream_timeout"


class Unavailable(UpstreamFault):
    status = 503
    code = "upstream_unavailable"


class BrokenStream(UpstreamFault):
    code = "upstream_stream_broken"


class Internal(BridgeError):
    pass
