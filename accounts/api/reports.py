"""Reports from the roll-ups, and downloads of reports and of the ledger that stream whatever their length."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django.db.models import TextChoices
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.response import Response

from accounts.api.access import EVERYBODY
from accounts.api.listing import DEFAULT_SIZE, LARGEST_SIZE
from accounts.api.money import Money
from accounts.api.resource import RuledView
from accounts.reports import Dimension, Per, ReportRow, Viewer, parse, run, totals
from accounts.reports.downloads import Form
from accounts.reports.export import ledger_download, report_download
from accounts.reports.measures import COLUMNS, Measures

if TYPE_CHECKING:
    from django.http import HttpResponseBase
    from rest_framework.request import Request

_FILTERS: Final = tuple(name.value for name in Dimension if name != Dimension.ALL)
_QUERY: Final = ("by", "per", "since", "until", "order", *_FILTERS)
_FILE: Final = ("format", "bom")


def _names(kind: type[TextChoices]) -> list[str]:
    return [str(value) for value in kind.values]


_QUERY_PARAMETERS: Final = [
    OpenApiParameter("by", enum=_names(Dimension), default=Dimension.MEMBER.value, description="What a line is of."),
    OpenApiParameter("per", enum=_names(Per), default=Per.RANGE.value, description="Weeks begin on Monday."),
    OpenApiParameter("since", OpenApiTypes.DATE, description="The first day; default: the first of this month."),
    OpenApiParameter("until", OpenApiTypes.DATE, description="The last day; default: today."),
    OpenApiParameter(
        "order",
        enum=[way + name for name in COLUMNS for way in ("", "-")],
        description="Default: the latest period and the dearest first.",
    ),
    *(
        OpenApiParameter(name, description=f"Only lines of this {name}: its id or name, or `none`.")
        for name in _FILTERS
    ),
]
_FILE_PARAMETERS: Final = [
    OpenApiParameter("format", enum=[form.value for form in Form], default=Form.CSV.value),
    OpenApiParameter("bom", enum=["1"], description="Begin CSV with a byte order mark, for spreadsheets."),
]


class MeasuresSerializer(serializers.Serializer[Measures]):
    open = serializers.IntegerField(help_text="Requests that have not ended.")
    opened = serializers.IntegerField()
    settled = serializers.IntegerField()
    refused = serializers.IntegerField()
    failed = serializers.IntegerField()
    cancelled = serializers.IntegerField()
    abandoned = serializers.IntegerField()
    input_tokens = serializers.IntegerField(help_text="Without those that were cached or written to a cache.")
    cached_tokens = serializers.IntegerField()
    cache_write_tokens = serializers.IntegerField()
    output_tokens = serializers.IntegerField()
    reasoning_tokens = serializers.IntegerField(help_text="Part of the output.")
    cost = Money(source="nano")
    stand_in = Money(source="nano_stand_in", help_text="The part of the cost that GitHub did not report.")
    premium_thousandths = serializers.IntegerField(help_text="Thousandths of premium requests, on seats with them.")
    miss_share = serializers.DecimalField(
        max_digits=5, decimal_places=4, allow_null=True, help_text="Part of the input that came from no cache."
    )
    average_ms = serializers.IntegerField(allow_null=True)


class LineSerializer(serializers.Serializer[ReportRow]):
    period = serializers.DateField(allow_null=True, help_text="The first day; null for the whole range.")
    subject = serializers.JSONField(allow_null=True, help_text="The id or name; null for requests without one.")
    name = serializers.CharField()
    detail = serializers.CharField()
    measures = MeasuresSerializer()


class ReportSerializer(serializers.Serializer[Any]):
    since = serializers.DateField()
    until = serializers.DateField()
    next_start = serializers.IntegerField(allow_null=True, help_text="`start` of the next page, or null.")
    totals = MeasuresSerializer(help_text="Of all lines, not of this page.")
    results = LineSerializer(many=True)


class Reports(RuledView):
    """Sums by member, team, key, model, seat, program or conversation; members see their own usage."""

    rule = EVERYBODY
    parameters = (*_QUERY, "start", "limit")

    @extend_schema(
        parameters=[
            *_QUERY_PARAMETERS,
            OpenApiParameter("start", int, default=0, description="Lines to leave out."),
            OpenApiParameter("limit", int, default=DEFAULT_SIZE, description=f"At most {LARGEST_SIZE}."),
        ],
        responses=ReportSerializer,
        examples=[OpenApiExample("Nothing yet", {"since": "2026-11-01", "until": "2026-11-23", "results": []})],
    )
    def get(self, request: Request) -> Response:
        query = parse(request.query_params, ignored=("start", "limit"))
        start, limit = _number(request, "start", 0, 10**9), _number(request, "limit", DEFAULT_SIZE, LARGEST_SIZE)
        viewer = Viewer.of(self.member)
        lines = list(run(viewer, query, start=start, limit=limit + 1))
        told = {
            "since": query.since,
            "until": query.until,
            "next_start": start + limit if len(lines) > limit else None,
            "totals": totals(viewer, query),
            "results": lines[:limit],
        }
        return Response(ReportSerializer(told).data)


class ExportedReport(RuledView):
    """The same as a file."""

    rule = EVERYBODY
    parameters = (*_QUERY, *_FILE)

    @extend_schema(parameters=[*_QUERY_PARAMETERS, *_FILE_PARAMETERS], responses={(200, "text/csv"): OpenApiTypes.STR})
    def get(self, request: Request) -> HttpResponseBase:
        query = parse(request.query_params, ignored=_FILE)
        return report_download(Viewer.of(self.member), query, request.query_params)


class ExportedUsage(RuledView):
    """Every request of the range and the filters as a file, the oldest first."""

    rule = EVERYBODY
    parameters = (*_QUERY, *_FILE)

    @extend_schema(parameters=[*_QUERY_PARAMETERS, *_FILE_PARAMETERS], responses={(200, "text/csv"): OpenApiTypes.STR})
    def get(self, request: Request) -> HttpResponseBase:
        query = parse(request.query_params, ignored=_FILE)
        return ledger_download(Viewer.of(self.member), query, request.query_params)


def _number(request: Request, name: str, default: int, most: int) -> int:
    text = request.query_params.get(name)
    if text is None:
        return default
    if not text.isascii() or not text.isdigit() or int(text[:12]) > most or (name == "limit" and int(text) < 1):
        raise ValidationError({name: f"0 – {most}"})
    return int(text)
