"""Errors at the door: the caller's dialect, the caller's language, the headers that tell clients whether to retry."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING
from uuid import UUID

from django.http import HttpResponse
from django.utils.translation import gettext, override

from accounts.models import Door
from bridge.crossing import FORMATS
from bridge.dialect import Dialect
from bridge.errors import BridgeError, Internal
from bridge.formats.messages.errors import status_of

if TYPE_CHECKING:
    from proxy.lean import DoorRequest


def sentence(error: BridgeError, language: str) -> str:
    """The error in words, in the member's language unless clients parse the sentence."""
    if not language or error.verbatim:
        return str(error)
    with override(language):
        text = gettext(error.text)
    return text % error.params if error.params else text


def unforeseen(request_id: UUID) -> Internal:
    """What a caller is told of a fault of the gateway itself."""
    return Internal(
        "The gateway failed on this request. Tell its owner the request id %(id)s.", {"id": str(request_id)}
    )


def status_at(door: str, error: BridgeError) -> int:
    """The HTTP status of `error` at a door of that name."""
    return status_of(error) if door == Door.MESSAGES else error.status


def error_response(request: DoorRequest, error: BridgeError) -> HttpResponse:
    """The whole answer for `error`, in the dialect of the door."""
    is_claude = request.dialect is Dialect.MESSAGES
    write = FORMATS[request.dialect].write_error
    response = HttpResponse(
        write(error, sentence(error, request.language), str(request.id)),
        status=status_of(error) if is_claude else error.status,
        content_type="application/json",
    )
    for name, value in retry_headers(error).items():
        response.headers[name] = value
    return response


def retry_headers(error: BridgeError) -> dict[str, str]:
    """`retry-after` in whole seconds for what passes, `x-should-retry: false` for what does not.

    Python's SDKs sleep as long as `retry-after` says: a long wait is told in the sentence alone.
    """
    if error.final:
        return {"x-should-retry": "false"}
    if error.retry_after is not None:
        return {"retry-after": str(max(1, math.ceil(error.retry_after)))}
    return {}
