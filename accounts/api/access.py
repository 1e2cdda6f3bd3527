"""What whoever asks may see and do: one rule per view.

    owner     sees every row and may do everything
    auditor   sees every row and changes nothing
    member    sees the rows that the rule calls the member's own, and does with them what the rule lists

Rows that somebody may not see do not exist for them (404); an act that somebody may not do is refused (403), and so
is a whole view that has nothing for members. A view without a rule is closed to everybody.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from django.db.models import Q
from rest_framework.permissions import SAFE_METHODS, BasePermission

from accounts.models import Member

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.db.models import QuerySet
    from rest_framework.request import Request
    from rest_framework.views import APIView


@dataclass(frozen=True, slots=True)
class Rule:
    """`members_see`: the condition on rows that are a member's own; None closes the view to members.

    `members_do`: names of the acts that change something and are open to members on those rows.
    """

    members_see: Callable[[Member], Q] | None
    members_do: frozenset[str] = field(default_factory=frozenset)

    def admits(self, member: Member, action: str, *, reads: bool) -> bool:
        """Whether `member` may do `action` on rows of this view at all."""
        if member.is_owner:
            return True
        if member.is_auditor:
            return reads
        return self.members_see is not None and (reads or action in self.members_do)

    def visible(self, rows: QuerySet[Any], member: Member) -> QuerySet[Any]:
        """Return those of `rows` that exist for `member`."""
        if member.is_owner or member.is_auditor:
            return rows
        return rows.none() if self.members_see is None else rows.filter(self.members_see(member))


def own_by(path: str) -> Callable[[Member], Q]:
    """Return the condition that `path` of a row leads to the member."""
    return lambda member: Q(**{path: member.pk})


def all_rows(_member: Member) -> Q:
    """What belongs to the gateway as a whole and may be known to each of its members."""
    return Q()


STAFF_ONLY: Final = Rule(None)
EVERYBODY: Final = Rule(all_rows)


class ByRule(BasePermission):
    """Asks the view's rule; deny is the default."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        rule, member = getattr(view, "rule", None), request.user
        if not isinstance(rule, Rule) or not isinstance(member, Member) or not member.is_active:
            return False
        action = getattr(view, "action", None) or (request.method or "").lower()
        return rule.admits(member, action, reads=request.method in SAFE_METHODS)

    def has_object_permission(self, request: Request, view: APIView, obj: Any) -> bool:
        """The rule once more for the one row: a queryset that forgot it lets nothing out."""
        rule, member = getattr(view, "rule", None), request.user
        if not isinstance(rule, Rule) or not isinstance(member, Member):
            return False
        if member.is_owner or member.is_auditor:
            return True
        return rule.visible(type(obj)._default_manager.filter(pk=obj.pk), member).exists()
