"""Rows for everyone, a team, a member or a key: the condition that each names exactly the row its scope asks for."""

from __future__ import annotations

from django.db.models import Q

_SUBJECTS = ("team", "member", "key")


def names_its_row(widest: str) -> Q:
    """The condition of a row whose `scope` is one of the subjects, named in its column, or `widest`, naming none."""
    condition = Q(scope=widest, **_named(None))
    for subject in _SUBJECTS:
        condition |= Q(scope=subject, **_named(subject))
    return condition


def _named(subject: str | None) -> dict[str, bool]:
    return {f"{name}__isnull": name != subject for name in _SUBJECTS}
