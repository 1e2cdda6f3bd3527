"""Sign-ins in the trail: who came in, and where somebody tried to.

Anybody may fail to sign in as often as the network allows, and the trail is never pruned: only so many failures of a
minute are told. What was typed as a name is told only if it is a member's: people type passwords there.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.dispatch import receiver
from django.utils import timezone

from accounts.actor import acting
from accounts.models.member import Member
from accounts.models.trail_entry import TrailEntry, tell

if TYPE_CHECKING:
    from collections.abc import Mapping

logger = logging.getLogger(__name__)

FAILURES_PER_MINUTE = 20
_FAILED = "member.sign_in_failed"


@receiver(user_logged_in, sender=Member)
def tell_sign_in(user: Member, **_context: Any) -> None:
    with acting(user):
        tell("member.signed_in", user)


@receiver(user_logged_out, sender=Member)
def tell_sign_out(user: Member | None, **_context: Any) -> None:
    if user is not None:
        with acting(user):
            tell("member.signed_out", user)


@receiver(user_login_failed)
def tell_failure(credentials: Mapping[str, Any], **_context: Any) -> None:
    since = timezone.now() - timedelta(minutes=1)
    if TrailEntry.objects.filter(at__gte=since, action=_FAILED).count() >= FAILURES_PER_MINUTE:
        logger.warning("Too many failed sign-ins within a minute; this one is not in the trail")
        return
    member = Member.objects.filter(username=credentials.get(Member.USERNAME_FIELD)).first()
    with acting(None, "visitor"):
        tell(_FAILED, member)
