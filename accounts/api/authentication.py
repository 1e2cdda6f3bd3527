"""Who asks the management API: a member signed in to the pages, or a key whose doors name the management API.

A key is looked up in the table, not in a snapshot, so that a revoked one ends with the very next request. It acts
as its member: what it may see and do is the member's role's affair (`access`). Keys in addresses are refused, for
addresses end up in logs.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from django.utils import timezone, translation
from rest_framework.authentication import BaseAuthentication, SessionAuthentication

from accounts.address import client_address
from accounts.directory import Caller, caller_of
from accounts.models import ApiKey, Door, Member
from accounts.secrets import looks_issued
from bridge.errors import BadKey

if TYPE_CHECKING:
    from django.http import HttpRequest
    from rest_framework.request import Request

_NAMES_OF_KEYS: Final = frozenset({"api_key", "apikey", "api-key", "x-api-key", "access_token", "token"})
# A last use is noted this often: a key that asks every second does not write every second.
_NOTED_EVERY: Final = timedelta(minutes=1)


class KeyAuthentication(BaseAuthentication):
    """`Authorization: Bearer` or `x-api-key`; sets `request.auth` to the `Caller`."""

    def authenticate(self, request: Request) -> tuple[Member, Caller] | None:
        """Raises BadKey, and Forbidden for a key that does not name the management API or not from this address."""
        _refuse_key_in_address(request)
        secret = _secret(request)
        if secret is None:
            return None
        key = ApiKey.objects.live().filter(member__is_active=True).select_related("member__team").for_secret(secret)
        caller = _read(key)
        if key is None or caller is None:
            raise BadKey("This API key is unknown, revoked or expired. Check it, or ask the gateway's owner for one.")
        caller.check_door(Door.MANAGEMENT, client_address(request._request))
        if key.member.language:
            translation.activate(key.member.language)
        _note_use(key)
        return key.member, caller

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


class PageSession(SessionAuthentication):
    """The session of the console and the portal; what changes something needs the pages' CSRF token."""


def actor_name(member: Member, auth: object) -> str:
    """Return who acts, for the trail: the user name, and by which key if it was one."""
    return f"{member.username} via {auth.key_hint}" if isinstance(auth, Caller) else member.username


def _read(key: ApiKey | None) -> Caller | None:
    """A key whose limits cannot be read opens nothing, as at the other doors."""
    try:
        return None if key is None else caller_of(key)
    except (ValueError, TypeError):
        return None


def _secret(request: Request) -> str | None:
    scheme, _, token = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
    if scheme.lower() == "bearer" and token.strip():
        return str(token.strip())
    key: str = request.META.get("HTTP_X_API_KEY", "").strip()
    return key or None


def _refuse_key_in_address(request: Request) -> None:
    asked: HttpRequest = request._request
    values = [value for name in asked.GET for value in asked.GET.getlist(name)]
    named = any(name.lower() in _NAMES_OF_KEYS for name in asked.GET)
    if named or any(looks_issued(value) for value in (*values, *asked.path.split("/"))):
        raise BadKey("An API key in the address is not accepted: addresses end up in logs. Send it in a header.")


def _note_use(key: ApiKey) -> None:
    now = timezone.now()
    if key.last_used_at is None or now - key.last_used_at >= _NOTED_EVERY:
        ApiKey.objects.filter(pk=key.pk).quiet_update(last_used_at=now)
