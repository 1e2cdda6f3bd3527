"""Budgets: what may be spent, what the running period has taken of it, and the warnings that were given."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db.models import Q, QuerySet
from django_filters import filters
from django_filters.filterset import FilterSet
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounts.api.access import Rule
from accounts.api.listing import FromDay, ToDay, YesNo, both_ways
from accounts.api.money import Money, amount
from accounts.api.resource import Editable, Readable, RowSerializer
from accounts.models import Budget, BudgetPeriod, BudgetScope, BudgetSpan, BudgetWarning, Member
from accounts.spending import Spending, spendings_of

if TYPE_CHECKING:
    from rest_framework.request import Request
    from rest_framework.response import Response


def _own(path: str) -> Any:
    """Budgets of the member and of the member's keys."""
    return lambda member: _of_member(path, member)


def _of_member(path: str, member: Member) -> Q:
    return Q(**{f"{path}member": member.pk}) | Q(**{f"{path}key__member": member.pk})


class PeriodSerializer(serializers.ModelSerializer[BudgetPeriod]):
    settled = Money(source="settled_nano", help_text="What ended requests cost.")
    reserved = Money(source="reserved_nano", help_text="What requests under way hold back.")
    limit = Money(source="budget.limit_nano")
    left = serializers.SerializerMethodField(help_text="Of the limit; nothing when it is overspent.")

    class Meta:
        model = BudgetPeriod
        fields = ("id", "budget", "start", "end", "settled", "reserved", "limit", "left")

    @extend_schema_field(Money)
    def get_left(self, period: BudgetPeriod) -> Any:
        return amount(max(0, period.budget.limit_nano - period.spent_nano))


class SpendingSerializer(serializers.Serializer[Spending]):
    start = serializers.DateField()
    end = serializers.DateField(help_text="The first day after it; the budget begins anew then.")
    settled = Money(help_text="What ended requests cost.")
    reserved = Money(help_text="What requests under way hold back.")
    left = Money(help_text="Of the limit; nothing when it is overspent.")


class BudgetSerializer(RowSerializer[Budget]):
    limit = Money(source="limit_nano")
    whose = serializers.CharField(read_only=True, help_text="Whom it limits, in words.")
    current = serializers.SerializerMethodField(help_text="The period that today lies in.")

    class Meta:
        model = Budget
        fields = (
            "id", "whose", "scope", "team", "member", "key", "span", "limit", "hard", "active", "note", "created_at",
            "current",
        )  # fmt: skip
        read_only_fields = ("created_at",)

    @extend_schema_field(SpendingSerializer)
    def get_current(self, budget: Budget) -> Any:
        """Of a list, all are looked up at once."""
        known: dict[int, Spending] | None = self.context.get("spendings")
        spending = known[budget.pk] if known and budget.pk in known else spendings_of([budget])[0]
        return SpendingSerializer(spending).data


class BudgetFilter(FilterSet):
    scope = filters.ChoiceFilter(choices=BudgetScope.choices)
    span = filters.ChoiceFilter(choices=BudgetSpan.choices)
    hard = YesNo(field_name="hard")
    active = YesNo(field_name="active")
    team = filters.NumberFilter()
    member = filters.NumberFilter()
    key = filters.NumberFilter()


class Budgets(Editable):
    """Credits per day, week or month; a hard budget refuses, a soft one warns. Members read their own."""

    rule = Rule(_own(""))
    queryset = Budget.objects.select_related("team", "member", "key").order_by("scope", "id")
    serializer_class = BudgetSerializer
    filterset_class = BudgetFilter
    search_fields = ("note", "team__name", "member__username", "key__name", "key__hint")
    orderings = both_ways(created_at=("created_at", "id"), limit=("limit_nano", "id"))

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        rows = self.filter_queryset(self.get_queryset())
        page = self.paginate_queryset(rows) or []
        spendings = {spending.budget.pk: spending for spending in spendings_of(page)}
        context = {**self.get_serializer_context(), "spendings": spendings}
        return self.get_paginated_response(BudgetSerializer(page, many=True, context=context).data)


class PeriodFilter(FilterSet):
    budget = filters.NumberFilter()
    since = FromDay("start")
    until = ToDay("start")


class Periods(Readable):
    """Every period of every budget: settled, reserved and left."""

    rule = Rule(_own("budget__"))
    queryset = BudgetPeriod.objects.select_related("budget").order_by("-start", "-id")
    serializer_class = PeriodSerializer
    filterset_class = PeriodFilter
    orderings = both_ways(start=("start", "id"))


class WarningSerializer(serializers.ModelSerializer[BudgetWarning]):
    budget = serializers.IntegerField(source="period.budget_id", read_only=True)
    whose = serializers.CharField(source="period.budget.whose", read_only=True)
    spent = Money(source="spent_nano")
    limit = Money(source="limit_nano")

    class Meta:
        model = BudgetWarning
        fields = ("id", "budget", "whose", "period", "percent", "spent", "limit", "at", "told_at", "tries", "fault")


class WarningFilter(FilterSet):
    budget = filters.NumberFilter(field_name="period__budget")
    percent = filters.NumberFilter()
    told = YesNo(field_name="told_at", method="only_told")

    def only_told(self, rows: QuerySet[BudgetWarning], _name: str, told: bool) -> QuerySet[BudgetWarning]:
        return rows.filter(told_at__isnull=not told)


class Warnings(Readable):
    """That a budget's period passed 80 % or 100 %, and whether anybody could be told."""

    rule = Rule(_own("period__budget__"))
    queryset = BudgetWarning.objects.select_related(
        "period__budget__team", "period__budget__member", "period__budget__key"
    ).order_by("-at", "-id")
    serializer_class = WarningSerializer
    filterset_class = WarningFilter
    orderings = both_ways(at=("at", "id"))
