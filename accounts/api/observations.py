"""What was observed and done: quotas, reconciliations, corrections, the trail, processes."""

from __future__ import annotations

import json
from typing import Any

from django.db.models import QuerySet
from django_filters import filters
from django_filters.filterset import FilterSet
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounts.api.access import STAFF_ONLY, Rule, own_by
from accounts.api.listing import FromMoment, ToMoment, YesNo, both_ways
from accounts.api.resource import Long, Readable
from accounts.models import Correction, Instance, QuotaReading, Reconciliation, TrailEntry
from accounts.reconciling.drift import sentence, verdict


class ReadingSerializer(serializers.ModelSerializer[QuotaReading]):
    used = serializers.FloatField(read_only=True, allow_null=True, help_text="Overage included.")

    class Meta:
        model = QuotaReading
        fields = (
            "id", "seat", "name", "at", "source", "unlimited", "entitlement", "remaining", "percent_remaining",
            "overage", "used", "reset_at",
        )  # fmt: skip


class ReadingFilter(FilterSet):
    seat = filters.NumberFilter()
    name = filters.CharFilter()
    since = FromMoment("at")
    until = ToMoment("at")


class Readings(Long):
    """What GitHub said was left of a seat, again and again; its own figures, in its own units."""

    rule = Rule(own_by("seat__owner"))
    queryset = QuotaReading.objects.order_by("-at", "-id")
    serializer_class = ReadingSerializer
    filterset_class = ReadingFilter
    orderings = both_ways(at=("at", "id"))


class CauseSerializer(serializers.Serializer[Any]):
    code = serializers.CharField(help_text="Stable; the parameters beside it depend on it.")
    sentence = serializers.CharField()
    params = serializers.DictField()


class ReconciliationSerializer(serializers.ModelSerializer[Reconciliation]):
    """Amounts are integers, billionths of `unit`: nano-AIU where the seat pays with credits."""

    drift_nano = serializers.IntegerField(
        read_only=True, allow_null=True, help_text="Positive: GitHub counted more than the ledger."
    )
    agrees = serializers.BooleanField(read_only=True, help_text="Whether the drift is within the tolerance.")
    verdict = serializers.SerializerMethodField(help_text="The same in words.")
    causes = serializers.SerializerMethodField(help_text="Likely causes, the largest first.")

    class Meta:
        model = Reconciliation
        fields = (
            "id", "seat", "made_at", "since", "until", "unit", "ledger_nano", "github_nano", "drift_nano",
            "tolerance_nano", "agrees", "verdict", "requests", "causes",
        )  # fmt: skip

    def get_verdict(self, row: Reconciliation) -> str:
        return verdict(row)

    @extend_schema_field(CauseSerializer(many=True))
    def get_causes(self, row: Reconciliation) -> list[dict[str, Any]]:
        return [
            {
                "code": cause.get("code"),
                "sentence": sentence(cause, row.unit),
                "params": {name: value for name, value in cause.items() if name != "code"},
            }
            for cause in row.causes
        ]


class ReconciliationFilter(FilterSet):
    seat = filters.NumberFilter()
    since = FromMoment("made_at")
    until = ToMoment("made_at")


class Reconciliations(Readable):
    """What the ledger counted of a seat beside what GitHub's counter moved, and the likely causes of a drift."""

    rule = STAFF_ONLY
    queryset = Reconciliation.objects.order_by("-made_at", "-id")
    serializer_class = ReconciliationSerializer
    filterset_class = ReconciliationFilter
    orderings = both_ways(made_at=("made_at", "id"))


class CorrectionSerializer(serializers.ModelSerializer[Correction]):
    class Meta:
        model = Correction
        fields = ("id", "record", "column", "old", "new", "reason", "by", "by_name", "at")


class CorrectionFilter(FilterSet):
    record = filters.UUIDFilter()
    by = filters.NumberFilter()
    column = filters.CharFilter()
    since = FromMoment("at")
    until = ToMoment("at")


class Corrections(Long):
    """What was measured and later corrected: old, new, who, when and why."""

    rule = STAFF_ONLY
    queryset = Correction.objects.order_by("-at", "-id")
    serializer_class = CorrectionSerializer
    filterset_class = CorrectionFilter
    orderings = both_ways(at=("at", "id"))


class TrailSerializer(serializers.ModelSerializer[TrailEntry]):
    changes = serializers.SerializerMethodField(help_text="The detail as JSON.")
    detail = serializers.CharField(help_text="The detail as text, exactly as it was hashed.")

    class Meta:
        model = TrailEntry
        fields = (
            "number", "at", "actor", "actor_name", "action", "subject_type", "subject_id", "subject_name", "changes",
            "detail", "reason", "previous_hash", "hash",
        )  # fmt: skip

    @extend_schema_field({"type": "object", "additionalProperties": True, "nullable": True})
    def get_changes(self, entry: TrailEntry) -> Any:
        return json.loads(entry.detail) if entry.detail else None


class TrailFilter(FilterSet):
    action = filters.CharFilter()
    actor = filters.NumberFilter()
    actor_name = filters.CharFilter()
    subject_type = filters.CharFilter()
    subject_id = filters.CharFilter()
    since = FromMoment("at")
    until = ToMoment("at")


class Trail(Long):
    """Every administrative act and key event, each entry sealed with the hash of the one before."""

    rule = STAFF_ONLY
    queryset = TrailEntry.objects.order_by("-number")
    serializer_class = TrailSerializer
    filterset_class = TrailFilter
    orderings = both_ways(number=("number",))


class InstanceSerializer(serializers.ModelSerializer[Instance]):
    class Meta:
        model = Instance
        fields = ("id", "host", "pid", "version", "started_at", "heartbeat_at", "stopped_at")


class InstanceFilter(FilterSet):
    running = YesNo(field_name="stopped_at", method="only_running")
    host = filters.CharFilter()

    def only_running(self, rows: QuerySet[Instance], _name: str, running: bool) -> QuerySet[Instance]:
        return rows.filter(stopped_at__isnull=running)


class Instances(Readable):
    """The processes of the gateway, the living and the stopped."""

    rule = STAFF_ONLY
    queryset = Instance.objects.order_by("-started_at")
    serializer_class = InstanceSerializer
    filterset_class = InstanceFilter
    orderings = both_ways(started_at=("started_at", "id"))
