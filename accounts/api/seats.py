"""Seats: how each is, whom it serves, and the acts on its state. Tokens are neither taken nor given here."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from asgiref.sync import async_to_sync
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django_filters import filters
from django_filters.filterset import FilterSet
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers
from rest_framework.decorators import action
from rest_framework.response import Response

from accounts.api.access import Rule, own_by
from accounts.api.listing import both_ways, rising
from accounts.api.observations import ReconciliationSerializer
from accounts.api.resource import Resource, RowSerializer
from accounts.github import open_github
from accounts.models import Reconciliation, Seat, SeatKind, SeatState, Serves
from accounts.reconciling.comparing import reconcile
from accounts.seats import Checked, check
from accounts.serving import refuse_unaccepted

if TYPE_CHECKING:
    from rest_framework.request import Request

    from accounts.models import Team

_RISK = "Several seats that serve the same people are a risk with GitHub; without this the request is refused (409)."


class SeatSerializer(RowSerializer[Seat]):
    account = serializers.CharField(read_only=True, help_text="The login, with the host unless it is github.com.")
    usable = serializers.BooleanField(read_only=True, help_text="Whether requests may take this seat now.")
    quota = serializers.JSONField(read_only=True, help_text="Allowances as GitHub last told them, in its own units.")
    accept_risk = serializers.BooleanField(write_only=True, default=False, help_text=_RISK)

    class Meta:
        model = Seat
        fields = (
            "id", "account", "login", "host", "label", "owner", "serves", "teams", "kind", "plan", "sku", "state",
            "state_until", "state_reason", "usable", "quota", "quota_seen_at", "created_at", "last_used_at",
            "accept_risk",
        )  # fmt: skip
        read_only_fields = (
            "login", "host", "owner", "kind", "plan", "sku", "state", "state_until", "state_reason", "quota_seen_at",
            "created_at", "last_used_at",
        )  # fmt: skip

    def update(self, instance: Seat, validated_data: dict[str, Any]) -> Seat:
        is_accepted = validated_data.pop("accept_risk", False)
        teams: list[Team] | None = validated_data.pop("teams", None)
        moved = "serves" in validated_data or teams is not None
        serves = validated_data.get("serves", instance.serves)
        if moved and not is_accepted and instance.state != SeatState.DISABLED:
            served = list(instance.teams.all()) if teams is None else teams
            refuse_unaccepted(instance.owner, serves, served, besides=instance.pk)
        with transaction.atomic():
            super().update(instance, validated_data)
            if teams is not None:
                instance.teams.set(teams)
        return instance


class RevivalSerializer(serializers.Serializer[Any]):
    accept_risk = serializers.BooleanField(default=False, help_text=_RISK)


class RestSerializer(serializers.Serializer[Any]):
    seconds = serializers.IntegerField(min_value=1, max_value=30 * 24 * 3600, help_text="How long the seat rests.")
    reason = serializers.CharField(max_length=500, default="", allow_blank=True)


class ReasonSerializer(serializers.Serializer[Any]):
    reason = serializers.CharField(max_length=500, default="", allow_blank=True)


class CheckedSerializer(serializers.Serializer[Any]):
    well = serializers.BooleanField(help_text="Whether the seat can be used.")
    sentence = serializers.CharField()
    seat = SeatSerializer()


class SeatFilter(FilterSet):
    owner = filters.NumberFilter()
    state = filters.ChoiceFilter(choices=SeatState.choices)
    serves = filters.ChoiceFilter(choices=Serves.choices)
    kind = filters.ChoiceFilter(choices=SeatKind.choices)
    host = filters.CharFilter()
    plan = filters.CharFilter()


class Seats(
    mixins.ListModelMixin, mixins.RetrieveModelMixin, mixins.UpdateModelMixin, mixins.DestroyModelMixin, Resource
):
    """GitHub accounts with Copilot. They are connected on the page for it; members see their own."""

    rule = Rule(own_by("owner"))
    queryset = Seat.objects.prefetch_related("teams").order_by("host", "login")
    serializer_class = SeatSerializer
    filterset_class = SeatFilter
    search_fields = ("label", "login", "host", "owner__username", "plan")
    orderings = rising(login=("host", "login")) | both_ways(created_at=("created_at", "id"))

    @extend_schema(request=None, responses=CheckedSerializer)
    @action(detail=True, methods=["post"])
    def check(self, request: Request, pk: str) -> Response:
        """Ask GitHub how the seat is, keep what it says, and clear a state that no longer holds."""
        found = async_to_sync(_ask_github)(self.get_object())
        seat = self.get_serializer(found.seat).data
        return Response({"well": found.well, "sentence": found.sentence, "seat": seat})

    @extend_schema(request=None, responses=ReconciliationSerializer)
    @action(detail=True, methods=["post"])
    def reconcile(self, request: Request, pk: str) -> Response:
        """Compare what GitHub counted of the seat with the ledger, and keep the result."""
        return Response(ReconciliationSerializer(async_to_sync(_compare)(self.get_object())).data)

    @extend_schema(request=RestSerializer, responses=SeatSerializer)
    @action(detail=True, methods=["post"])
    def cool(self, request: Request, pk: str) -> Response:
        """Let the seat rest for a while. A seat that is worse off than resting stays as it is."""
        asked = _read(RestSerializer, request)
        seat = self.get_object()
        seat.cool(timezone.now() + timedelta(seconds=asked["seconds"]), asked["reason"] or _("Put to rest by hand."))
        return Response(self.get_serializer(seat).data)

    @extend_schema(request=ReasonSerializer, responses=SeatSerializer)
    @action(detail=True, methods=["post"])
    def disable(self, request: Request, pk: str) -> Response:
        """Switch the seat off until somebody revives it."""
        seat = self.get_object()
        seat.disable(_read(ReasonSerializer, request)["reason"] or _("Switched off by hand."))
        return Response(self.get_serializer(seat).data)

    @extend_schema(request=RevivalSerializer, responses=SeatSerializer)
    @action(detail=True, methods=["post"])
    def revive(self, request: Request, pk: str) -> Response:
        """Count the seat as active again, whatever was wrong."""
        is_accepted = _read(RevivalSerializer, request)["accept_risk"]
        seat = self.get_object()
        if seat.state == SeatState.DISABLED and not is_accepted:
            refuse_unaccepted(seat.owner, seat.serves, list(seat.teams.all()), besides=seat.pk)
        seat.revive()
        return Response(self.get_serializer(seat).data)


async def _compare(seat: Seat) -> Reconciliation:
    async with open_github() as github:
        return await reconcile(github, seat)


async def _ask_github(seat: Seat) -> Checked:
    async with open_github() as github:
        return await check(github, seat)


def _read(kind: type[serializers.Serializer[Any]], request: Request) -> dict[str, Any]:
    asked = kind(data=request.data)
    asked.is_valid(raise_exception=True)
    return dict(asked.validated_data)
