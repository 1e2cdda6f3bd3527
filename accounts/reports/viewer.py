"""Whose rows somebody may see; every query of this package begins with it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from django.db.models import Model, QuerySet

    from accounts.models import Member

Row = TypeVar("Row", bound="Model")


@dataclass(frozen=True, slots=True)
class Viewer:
    """Everything, or the rows of one member; a viewer that is neither sees nothing."""

    member: int | None = None
    sees_all: bool = False

    @classmethod
    def everything(cls) -> Viewer:
        return cls(sees_all=True)

    @classmethod
    def only(cls, member: int) -> Viewer:
        return cls(member=member)

    @classmethod
    def of(cls, member: Member) -> Viewer:
        """What the role allows: owners and auditors see everything, members their own."""
        return cls.everything() if member.is_owner or member.is_auditor else cls.only(member.pk)

    def of_rows(self, rows: QuerySet[Row]) -> QuerySet[Row]:
        """Return those of `rows` that may be seen; the model has a column `member`."""
        if self.sees_all:
            return rows
        return rows.none() if self.member is None else rows.filter(member=self.member)
