"""Page sessions of a member, ended from outside."""

from __future__ import annotations

from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.models import Session
from django.utils import timezone

_AT_ONCE = 500


def end_sessions(member: int) -> int:
    """Delete every page session of a member and return how many there were.

    Whose a session is stands inside its signed content alone, so each living one is read.
    """
    living = Session.objects.filter(expire_date__gt=timezone.now()).iterator(chunk_size=_AT_ONCE)
    theirs = [session.pk for session in living if session.get_decoded().get(SESSION_KEY) == str(member)]
    for start in range(0, len(theirs), _AT_ONCE):
        Session.objects.filter(pk__in=theirs[start : start + _AT_ONCE]).delete()
    return len(theirs)
