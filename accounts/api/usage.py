"""The ledger: requests, days and conversations. What was measured changes by the correction act alone.

Members read their own rows. Note, tag and cost centre are the owners' bookkeeping, and so are corrections.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from django.db import transaction
from django.db.models import F, QuerySet
from django.db.models.functions import Coalesce
from django_filters import filters
from django_filters.filterset import FilterSet
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import mixins, serializers
from rest_framework.decorators import action
from rest_framework.response import Response

from accounts.api.access import Rule, own_by
from accounts.api.listing import FromDay, KeysetPages, ToDay, YesNo, both_ways
from accounts.api.money import Money
from accounts.api.observations import CorrectionSerializer
from accounts.api.resource import Long, Resource, RowSerializer
from accounts.corrections import CORRECTABLE, correct
from accounts.models import (
    CostSource,
    Door,
    UsageAttempt,
    UsageDay,
    UsageRecord,
    UsageSession,
    UsageStatus,
)
from accounts.models.usage_record import NANO_PER_CREDIT
from accounts.trail import append

if TYPE_CHECKING:
    from decimal import Decimal

    from rest_framework.request import Request

_COUNTS = (
    "opened", "settled", "refused", "failed", "cancelled", "abandoned", "input_tokens", "cached_tokens",
    "cache_write_tokens", "output_tokens", "reasoning_tokens", "cost", "stand_in", "premium_thousandths",
)  # fmt: skip


class AttemptSerializer(serializers.ModelSerializer[UsageAttempt]):
    cost = Money(source="nano", allow_null=True)

    class Meta:
        model = UsageAttempt
        fields = (
            "number", "seat", "seat_name", "upstream_format", "status", "error_code", "cost", "started_ms", "total_ms",
        )  # fmt: skip


class RecordSerializer(RowSerializer[UsageRecord]):
    """`cost` is what counts: as GitHub reported it, else as computed from the rate card. Members get no `note`."""

    cost = Money(source="nano", read_only=True, allow_null=True)
    reported = Money(source="nano_reported", read_only=True, allow_null=True)
    computed = Money(source="nano_computed", read_only=True, allow_null=True)
    reserved = Money(source="reserved_nano", read_only=True, help_text="What budgets held back while it was open.")

    class Meta:
        model = UsageRecord
        extra_kwargs = {"note": {"required": False}}
        fields: tuple[str, ...] = (
            "id", "opened_at", "settled_at", "day", "status", "member", "member_name", "key", "key_name", "team",
            "team_name", "seat", "seat_name", "door", "client", "program", "ip", "requested_model", "served_model",
            "route", "upstream_format", "streamed", "initiator", "session", "http_status", "error_code", "stop_reason",
            "input_tokens", "cached_tokens", "cache_write_tokens", "output_tokens", "reasoning_tokens", "cost",
            "reported", "computed", "reserved", "cost_source", "premium_thousandths", "first_byte_ms", "total_ms",
            "attempts", "dropped", "upstream_id", "note", "tag", "cost_centre",
        )  # fmt: skip
        read_only_fields = tuple(
            field.name for field in UsageRecord._meta.fields if field.name not in UsageRecord.editable_fields
        )

    def update(self, instance: UsageRecord, validated_data: dict[str, Any]) -> UsageRecord:
        """Write the bookkeeping alone, and say in the trail what it was and is."""
        changes = {
            name: {"old": getattr(instance, name), "new": value}
            for name, value in validated_data.items()
            if getattr(instance, name) != value
        }
        if changes:
            with transaction.atomic():
                for name in changes:
                    setattr(instance, name, validated_data[name])
                instance.save(update_fields=list(changes))
                append("usage.noted", instance, changes=changes)
        return instance

    def to_representation(self, instance: UsageRecord) -> dict[str, Any]:
        """What an owner notes about a request is not the member's to read."""
        told: dict[str, Any] = super().to_representation(instance)
        asker = self.context["request"].user
        if not (asker.is_owner or asker.is_auditor):
            del told["note"]
        return told


class WholeRecordSerializer(RecordSerializer):
    attempt_rows = AttemptSerializer(
        many=True, read_only=True, help_text="One per upstream attempt, when there were several."
    )

    class Meta(RecordSerializer.Meta):
        fields = (*RecordSerializer.Meta.fields, "attempt_rows")


class CorrectionRequest(serializers.Serializer[Any]):
    reason = serializers.CharField(max_length=2000)
    changes = serializers.DictField(
        help_text=f"New values by column: {', '.join(sorted(CORRECTABLE))}. Amounts are integer nano-AIU.",
    )


class RecordFilter(FilterSet):
    since = FromDay("day")
    until = ToDay("day")
    status = filters.ChoiceFilter(choices=UsageStatus.choices)
    member = filters.NumberFilter()
    key = filters.NumberFilter()
    team = filters.NumberFilter()
    seat = filters.NumberFilter()
    door = filters.ChoiceFilter(choices=Door.choices)
    model = filters.CharFilter(field_name="served_model", label="served model")
    requested_model = filters.CharFilter()
    upstream_format = filters.CharFilter()
    program = filters.CharFilter()
    session = filters.CharFilter(method="of_conversation")
    initiator = filters.CharFilter()
    streamed = YesNo(field_name="streamed")
    error_code = filters.CharFilter()
    http_status = filters.NumberFilter()
    cost_source = filters.ChoiceFilter(choices=CostSource.choices)
    min_credits = filters.NumberFilter(method="dearer")
    max_credits = filters.NumberFilter(method="cheaper")
    tag = filters.CharFilter()
    cost_centre = filters.CharFilter()

    def of_conversation(self, rows: QuerySet[Any], _name: str, session: str) -> QuerySet[Any]:
        """The second condition is that of the index, without which the whole ledger would be read."""
        return rows.filter(session=session).exclude(session="")

    def dearer(self, rows: QuerySet[Any], _name: str, credits_: Decimal) -> QuerySet[Any]:
        return _priced(rows).filter(cost_nano__gte=int(credits_ * NANO_PER_CREDIT))

    def cheaper(self, rows: QuerySet[Any], _name: str, credits_: Decimal) -> QuerySet[Any]:
        return _priced(rows).filter(cost_nano__lte=int(credits_ * NANO_PER_CREDIT))


def _priced(rows: QuerySet[Any]) -> QuerySet[Any]:
    priced: QuerySet[Any] = rows.alias(cost_nano=Coalesce(F("nano_reported"), F("nano_computed")))
    return priced


class Usage(mixins.ListModelMixin, mixins.RetrieveModelMixin, mixins.UpdateModelMixin, Resource):
    """One row per request, the latest first. Give `since` and `until` with filters that few rows fit."""

    rule = Rule(own_by("member"))
    queryset = UsageRecord.objects.order_by("-day", "-id")
    serializer_class = RecordSerializer
    filterset_class = RecordFilter
    pagination_class = KeysetPages
    orderings = both_ways(opened_at=("day", "id"))

    def get_serializer_class(self) -> type[RecordSerializer]:
        return RecordSerializer if self.action == "list" else WholeRecordSerializer

    @extend_schema(
        request=CorrectionRequest,
        responses=CorrectionSerializer(many=True),
        examples=[
            OpenApiExample(
                "Twice the tokens",
                {"reason": "GitHub's statement of 3 November", "changes": {"output_tokens": 1200}},
                request_only=True,
            )
        ],
    )
    @action(detail=True, methods=["post"], pagination_class=None, filter_backends=[])
    def correct(self, request: Request, pk: str) -> Response:
        """Correct what was measured; the old value, who and why are kept, and sums follow."""
        asked = CorrectionRequest(data=request.data)
        asked.is_valid(raise_exception=True)
        record = self.get_object()
        changes, reason = asked.validated_data["changes"], asked.validated_data["reason"]
        made = correct(record.pk, changes, reason, self.member)
        return Response(CorrectionSerializer(made, many=True).data)


class DaySerializer(serializers.ModelSerializer[UsageDay]):
    cost = Money(source="nano")
    stand_in = Money(source="nano_stand_in", help_text="The part of the cost that GitHub did not report.")

    class Meta:
        model = UsageDay
        fields = ("id", "day", "member", "key", "team", "seat", "model", "program", *_COUNTS, "pruned", "total_ms")


class RollupFilter(FilterSet):
    member = filters.NumberFilter()
    key = filters.NumberFilter()
    team = filters.NumberFilter()
    program = filters.CharFilter()


class DayFilter(RollupFilter):
    since = FromDay("day")
    until = ToDay("day")
    seat = filters.NumberFilter()
    model = filters.CharFilter()


class UsageDays(Long):
    """Sums per day, member, key, team, seat, model and program; they outlive the rows they were made of."""

    rule = Rule(own_by("member"))
    queryset = UsageDay.objects.order_by("-day", "-id")
    serializer_class = DaySerializer
    filterset_class = DayFilter
    orderings = both_ways(day=("day", "id"))


class ConversationSerializer(serializers.ModelSerializer[UsageSession]):
    cost = Money(source="nano")
    stand_in = Money(source="nano_stand_in", help_text="The part of the cost that GitHub did not report.")

    class Meta:
        model = UsageSession
        fields = ("id", "session", "member", "key", "team", "program", "first_day", "last_day", *_COUNTS)


class ConversationFilter(RollupFilter):
    session = filters.CharFilter()
    since = FromDay("last_day")
    until = ToDay("last_day")


class Conversations(Long):
    """Sums per conversation and key; their requests are those of `usage` with that `session`."""

    rule = Rule(own_by("member"))
    queryset = UsageSession.objects.order_by("-last_day", "-id")
    serializer_class = ConversationSerializer
    filterset_class = ConversationFilter
    orderings: ClassVar[dict[str, tuple[str, ...]]] = both_ways(last_day=("last_day", "id"), cost=("nano", "id"))
