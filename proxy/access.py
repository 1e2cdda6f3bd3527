"""Who calls at a door of the LLM API, and which conversation the call belongs to."""

from __future__ import annotations

import time

from accounts.directory import Caller
from accounts.models import Door
from bridge.errors import BadKey
from proxy.lean import DoorRequest
from proxy.plan import is_conversation
from proxy.record import Errand

# How clients name their conversation, the surest first.
_CONVERSATION_HEADERS = (
    "HTTP_X_SESSION_ID",
    "HTTP_SESSION_ID",
    "HTTP_X_CLAUDE_CODE_SESSION_ID",
    "HTTP_X_SESSION_AFFINITY",
)


def authenticate(request: DoorRequest, door: Door | None) -> Caller:
    """Who calls, and that the caller may enter here; a door of None is open to every key.

    Raises BadKey, Forbidden.
    """
    caller = identify(request)
    if door is not None:
        caller.check_door(door, request.address)
    else:
        caller.check_address(request.address)
    return caller


def identify(request: DoorRequest) -> Caller:
    """Who calls, from `Authorization: Bearer` or `x-api-key`. Raises BadKey.

    Whether the caller may enter is checked behind it: what is refused to somebody known is in the ledger.
    """
    secret = _secret(request)
    if secret is None and "key" in request.META["QUERY_STRING"].lower():
        raise BadKey("An API key in the address is not accepted: addresses end up in logs. Send it in a header.")
    caller = request.runtime.directory.snapshot.caller(secret, time.time())
    request.language = caller.language
    return caller


def errand_of(request: DoorRequest, caller: Caller, door: Door) -> Errand:
    """The request as the ledger will know it."""
    return Errand(
        id=request.id,
        caller=caller,
        door=door.value,
        opened_at=request.opened_at,
        started=request.started,
        client=request.META.get("HTTP_USER_AGENT", "")[:200],
        address=request.address,
    )


def conversation_of(request: DoorRequest) -> str:
    """The client's own id of the conversation, if it sent one that is fit to be a header again; else empty."""
    given = (request.META.get(name, "") for name in _CONVERSATION_HEADERS)
    return next((value for value in given if is_conversation(value)), "")


def _secret(request: DoorRequest) -> str | None:
    scheme, _, token = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
    if scheme.lower() == "bearer" and token.strip():
        return str(token.strip())
    key: str = request.META.get("HTTP_X_API_KEY", "").strip()
    return key or None
