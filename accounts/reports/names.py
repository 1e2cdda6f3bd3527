"""How the subjects of a report are called: of each dimension all names in one query, for people and in exports."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from django.utils.translation import gettext as _

from accounts.models import ApiKey, Member, Seat, Team, UsageDay
from accounts.reports.dimensions import Dimension

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django.db.models import Model, QuerySet

    from accounts.reports.viewer import Viewer

Row = TypeVar("Row", bound="Model")


@dataclass(frozen=True, slots=True)
class Name:
    text: str
    detail: str = ""


def names_of(viewer: Viewer, dimension: Dimension) -> Mapping[int, Name]:
    """Return the names of the rows a dimension points at, by id: all of them, or those that the viewer's own requests
    named. Empty for dimensions that are names themselves."""
    match dimension:
        case Dimension.MEMBER:
            members = _known(viewer, dimension, Member.objects.all())
            return {pk: Name(name) for pk, name in members.values_list("pk", "username")}
        case Dimension.TEAM:
            teams = _known(viewer, dimension, Team.objects.all())
            return {pk: Name(name) for pk, name in teams.values_list("pk", "name")}
        case Dimension.SEAT:
            seats = _known(viewer, dimension, Seat.objects.only("label", "login", "host"))
            return {seat.pk: Name(str(seat)) for seat in seats}
        case Dimension.KEY:
            keys = _known(viewer, dimension, ApiKey.objects.only("name", "hint", "member__username"))
            return {key.pk: Name(str(key), key.member.username) for key in keys.select_related("member")}
        case _:
            return {}


def _known(viewer: Viewer, dimension: Dimension, rows: QuerySet[Row]) -> QuerySet[Row]:
    if viewer.sees_all:
        return rows
    return rows.filter(pk__in=viewer.of_rows(UsageDay.objects.order_by()).values(dimension.value))


def unnamed(dimension: Dimension) -> str:
    """What stands where a request had no such thing."""
    match dimension:
        case Dimension.ALL:
            return _("everything")
        case Dimension.TEAM:
            return _("no team")
        case Dimension.SEAT:
            return _("no seat")
        case Dimension.MODEL:
            return _("no model")
        case Dimension.PROGRAM:
            return _("unknown program")
        case _:
            return "–"
