"""The first start of an installation: an owner with a one-time password and a first API key; later starts find them."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import transaction

from accounts.models import ApiKey, Member, ModelRoute, Role
from accounts.prices.rows import sync_shipped
from accounts.secrets import digest

if TYPE_CHECKING:
    from collections.abc import Iterator

OWNER = "owner"
FIRST_KEY = "First key"
ENVIRONMENT_KEY = "API_KEY"
# Without letters and digits that look alike.
_READABLE = "abcdefghjkmnpqrstuvwxyz23456789"
_PASSWORD_GROUPS = 4
_GROUP_LENGTH = 5


class NameTaken(Exception):
    """There is no owner, and a member without that role bears the owner's name."""


@dataclass(frozen=True, slots=True)
class FirstStart:
    """The owner, and the secrets that were made just now (None: they exist already)."""

    owner: Member
    password: str | None = field(repr=False)
    key: str | None = field(repr=False)


def prepare() -> FirstStart:
    """Make what is missing: owner, first key, the key of API_KEY, shipped and environment routes, shipped prices.

    A second call changes nothing.

    Raises NameTaken when no owner can be made.
    """
    with transaction.atomic():
        ModelRoute.objects.sync_origins(settings.MODEL_MAPPING)
        sync_shipped()
        owner = find_owner()
        password = None
        if owner is None:
            owner, password = _make_owner()
        if settings.API_KEY:
            _honour(owner, settings.API_KEY)
        key = ApiKey.objects.issue(owner, FIRST_KEY)[1] if password and not settings.API_KEY else None
    return FirstStart(owner, password, key)


def find_owner() -> Member | None:
    """The owner who was made first, switched off or not."""
    return Member.objects.filter(role=Role.OWNER).order_by("pk").first()


def greeting(start: FirstStart) -> Iterator[str]:
    """Yield the lines a person reads after the start."""
    address: str = settings.PUBLIC_URL
    if start.password is None:
        yield f"The gateway is at {address}. Your API keys are listed at {address}/me/keys"
        return
    key = start.key or "$API_KEY"
    yield "The gateway is set up. This is shown only once:"
    yield ""
    yield f"  sign in    {address}/"
    yield f"  user       {start.owner.username}"
    yield f"  password   {start.password}   (you will be asked for a new one)"
    yield f"  API key    {start.key or 'the value of API_KEY'}"
    yield ""
    yield "What to do next:"
    yield f"  1. Open {address}/auth/device and connect a GitHub account that has Copilot."
    yield "  2. Ask something:"
    yield f"     curl -N {address}/v1/chat/completions -H 'authorization: Bearer {key}' \\"
    yield "       -H 'content-type: application/json' \\"
    yield """       -d '{"model": "gpt-4o-mini", "stream": true, "messages": [{"role": "user", "content": "Hello"}]}'"""
    yield f"  3. Sign in, and add members and issue keys in the console: {address}/admin/"


def _make_owner() -> tuple[Member, str]:
    if Member.objects.filter(username=OWNER).exists():
        raise NameTaken(f"The member '{OWNER}' exists without the role of an owner; give that role to somebody first.")
    password = _new_password()
    owner = Member.objects.create_superuser(OWNER, password=password, must_change_password=True)
    return owner, password


def _honour(owner: Member, secret: str) -> None:
    """Let the value of API_KEY be a key; an earlier value ends. A value somebody revoked stays revoked."""
    earlier = ApiKey.objects.filter(member=owner, name=ENVIRONMENT_KEY, revoked_at=None)
    for key in earlier.exclude(digest=digest(secret)):
        key.revoke()
    if ApiKey.objects.for_secret(secret) is None:
        ApiKey.objects.issue(owner, ENVIRONMENT_KEY, secret=secret)


def _new_password() -> str:
    return "-".join("".join(secrets.choice(_READABLE) for _ in range(_GROUP_LENGTH)) for _ in range(_PASSWORD_GROUPS))
