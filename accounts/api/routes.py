"""Model routes and prices: what a requested name becomes and what its tokens cost.

Rows that were shipped, come from the environment, from GitHub's model list or from an import are decided elsewhere:
here they can be switched off and noted, nothing else. Rows made here count as made in the console.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django.utils.translation import gettext as _
from django_filters import filters
from django_filters.filterset import FilterSet
from rest_framework import serializers

from accounts.api.access import EVERYBODY, STAFF_ONLY
from accounts.api.faults import Conflict
from accounts.api.listing import FromDay, ToDay, YesNo, both_ways, rising
from accounts.api.money import Money
from accounts.api.people import Names
from accounts.api.resource import Editable, Row, RowSerializer
from accounts.models import ModelRoute, Price, PriceOrigin, RouteOrigin, RouteScope

if TYPE_CHECKING:
    from django.db.models import Model

_ALWAYS_FREE: Final = frozenset({"active", "note"})


class DecidedElsewhere(RowSerializer[Row]):
    """Of rows that are not `own_origin`, the switch and the note alone can be changed."""

    own_origin = ""

    def update(self, instance: Row, validated_data: dict[str, Any]) -> Row:
        fixed = set(validated_data) - _ALWAYS_FREE
        if fixed and getattr(instance, "origin", "") != self.own_origin:
            raise Conflict(
                _("This row comes from elsewhere (%(origin)s); only its switch and its note can be changed.")
                % {"origin": getattr(instance, "origin", "")}
            )
        return super().update(instance, validated_data)


class OwnRows(Editable):
    """Rows that are deleted only if they were made by people."""

    own_origin = ""

    def perform_destroy(self, instance: Model) -> None:
        if getattr(instance, "origin", "") != self.own_origin:
            raise Conflict(_("This row comes from elsewhere and would come back; switch it off instead."))
        super().perform_destroy(instance)


class RouteSerializer(DecidedElsewhere[ModelRoute]):
    own_origin = RouteOrigin.CONSOLE
    fallbacks = Names(required=False)

    class Meta:
        model = ModelRoute
        fields = (
            "id", "pattern", "target", "fallbacks", "priority", "scope", "team", "member", "key", "active", "note",
            "origin", "created_at",
        )  # fmt: skip
        read_only_fields = ("origin", "created_at")


class RouteFilter(FilterSet):
    origin = filters.ChoiceFilter(choices=RouteOrigin.choices)
    scope = filters.ChoiceFilter(choices=RouteScope.choices)
    active = YesNo(field_name="active")
    team = filters.NumberFilter()
    member = filters.NumberFilter()
    key = filters.NumberFilter()
    target = filters.CharFilter()


class Routes(OwnRows):
    """What requested model names become."""

    rule = STAFF_ONLY
    own_origin = RouteOrigin.CONSOLE
    queryset = ModelRoute.objects.order_by("pattern", "-priority", "id")
    serializer_class = RouteSerializer
    filterset_class = RouteFilter
    search_fields = ("pattern", "target", "note")
    orderings = rising(pattern=("pattern", "id")) | both_ways(created_at=("created_at", "id"), priority=("priority",))


class PriceSerializer(DecidedElsewhere[Price]):
    """Amounts are per million tokens; an empty one costs what input costs."""

    own_origin = PriceOrigin.CONSOLE
    input = Money(source="input_nano")
    cached_input = Money(source="cached_nano", required=False, allow_null=True)
    cache_write = Money(source="cache_write_nano", required=False, allow_null=True)
    output = Money(source="output_nano")

    class Meta:
        model = Price
        fields = (
            "id", "model", "above_input_tokens", "valid_from", "input", "cached_input", "cache_write", "output",
            "active", "note", "origin", "created_at",
        )  # fmt: skip
        read_only_fields = ("origin", "created_at")

    def validate_model(self, name: str) -> str:
        if any(character.isspace() for character in name):
            raise serializers.ValidationError(_("A model name has no spaces."))
        return name


class PriceFilter(FilterSet):
    model = filters.CharFilter()
    origin = filters.ChoiceFilter(choices=PriceOrigin.choices)
    active = YesNo(field_name="active")
    since = FromDay("valid_from")
    until = ToDay("valid_from")


class Prices(OwnRows):
    """The dated rate card, one row per tier of input; every member may read it."""

    rule = EVERYBODY
    own_origin = PriceOrigin.CONSOLE
    queryset = Price.objects.order_by("model", "-valid_from", "above_input_tokens")
    serializer_class = PriceSerializer
    filterset_class = PriceFilter
    search_fields = ("model", "note")
    orderings = rising(model=("model", "valid_from", "above_input_tokens", "id")) | both_ways(
        valid_from=("valid_from", "id")
    )
