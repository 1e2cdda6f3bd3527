"""Lists: their order, their filters and their pages.

Large tables are read in keyset pages: the cursor holds the place of the last row, so that page 10 000 costs what the
first one does and no row is counted. Small ones have page numbers. Orders are those that a view names. A parameter
that is not known, is empty or is said twice is refused: a misspelt filter that is passed over gives wrong sums.
"""

from __future__ import annotations

import base64
import binascii
import json
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any, Final

from django.core.exceptions import ValidationError as Malformed
from django.db.models import Model, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django_filters import filters
from django_filters.rest_framework.backends import DjangoFilterBackend
from rest_framework.exceptions import ValidationError
from rest_framework.filters import BaseFilterBackend, SearchFilter
from rest_framework.pagination import BasePagination, PageNumberPagination
from rest_framework.response import Response
from rest_framework.utils.urls import replace_query_param

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from django.http import QueryDict
    from rest_framework.request import Request
    from rest_framework.views import APIView

DEFAULT_SIZE: Final = 50
LARGEST_SIZE: Final = 500


class SmallPages(PageNumberPagination):
    """For tables of which there are hundreds of rows."""

    page_size = DEFAULT_SIZE
    page_size_query_param = "limit"
    max_page_size = LARGEST_SIZE
    parameters: Final = ("page", "limit")


class KeysetPages(BasePagination):
    """For tables of which there are millions; all columns of the order go the same way and none is null."""

    parameters: Final = ("cursor", "limit")

    def paginate_queryset(
        self, queryset: QuerySet[Any, Any] | Sequence[Any], request: Request, view: APIView | None = None
    ) -> list[Any] | None:
        if not isinstance(queryset, QuerySet):
            raise TypeError("Keyset pages are cut from a queryset.")
        self._order = tuple(str(name) for name in queryset.query.order_by)
        size = _size(request.query_params.get("limit"))
        cursor = request.query_params.get("cursor")
        if cursor is not None:
            queryset = queryset.filter(_beyond(queryset.model, self._order, cursor))
        rows = list(queryset[: size + 1])
        last = rows[size - 1] if len(rows) > size else None
        self._next = None if last is None else _next_address(request, self._order, last)
        return rows[:size]

    def get_paginated_response(self, data: Any) -> Response:
        return Response({"next": self._next, "results": data})

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        return {
            "type": "object",
            "required": ["next", "results"],
            "properties": {
                "next": {"type": "string", "format": "uri", "nullable": True, "description": "null on the last page"},
                "results": schema,
            },
        }

    def get_schema_operation_parameters(self, view: APIView) -> list[dict[str, Any]]:
        return [
            _parameter("cursor", "Where the page begins; part of the address in `next`.", {"type": "string"}),
            _parameter("limit", "Rows on a page.", {"type": "integer", "minimum": 1, "maximum": LARGEST_SIZE}),
        ]


class Order(BaseFilterBackend):
    """`ordering` takes one of the view's `orderings`, with `-` for the other way; the first one is the default."""

    def filter_queryset(self, request: Request, queryset: QuerySet[Any], view: APIView) -> QuerySet[Any]:
        names: dict[str, tuple[str, ...]] = getattr(view, "orderings", {})
        if not names:
            return queryset
        asked = request.query_params.get("ordering", next(iter(names)))
        if asked not in names:
            raise ValidationError({"ordering": _("Known are: %(known)s.") % {"known": ", ".join(names)}})
        return queryset.order_by(*names[asked])

    def get_schema_operation_parameters(self, view: APIView) -> list[dict[str, Any]]:
        names = list(getattr(view, "orderings", {}))
        return [_parameter("ordering", f"Default: {names[0]}.", {"type": "string", "enum": names})] if names else []


class Filters(DjangoFilterBackend):
    """The view's `filterset_class`."""


class Words(SearchFilter):
    """`search` looks in the view's `search_fields`."""


class YesNo(filters.TypedChoiceFilter):
    """`true` or `false`; anything else is refused, not passed over."""

    def __init__(self, *args: Any, **options: Any) -> None:
        choices = (("true", "true"), ("false", "false"))
        super().__init__(*args, choices=choices, coerce=lambda text: text == "true", empty_value=None, **options)


class FromDay(filters.DateFilter):
    """The first day that counts, in the installation's time zone."""

    def __init__(self, field_name: str, **options: Any) -> None:
        super().__init__(field_name=field_name, lookup_expr="gte", label=gettext_lazy("first day"), **options)


class ToDay(filters.DateFilter):
    """The last day that counts."""

    def __init__(self, field_name: str, **options: Any) -> None:
        super().__init__(field_name=field_name, lookup_expr="lte", label=gettext_lazy("last day"), **options)


class FromMoment(filters.DateFilter):
    """The first day that counts, for a column of moments; days are those of the installation's time zone."""

    def filter(self, qs: QuerySet[Any], value: date | None) -> QuerySet[Any]:
        return qs if value is None else qs.filter(**{f"{self.field_name}__gte": _midnight(value)})


class ToMoment(filters.DateFilter):
    """The last day that counts, likewise."""

    def filter(self, qs: QuerySet[Any], value: date | None) -> QuerySet[Any]:
        return qs if value is None else qs.filter(**{f"{self.field_name}__lt": _midnight(value + timedelta(days=1))})


def both_ways(**columns: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    """Return orderings by name, each falling first (`-name`) and rising (`name`)."""
    named: dict[str, tuple[str, ...]] = {}
    for name, fields in columns.items():
        named |= {f"-{name}": tuple(f"-{field}" for field in fields), name: fields}
    return named


def rising(**columns: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    """Return orderings by name, each rising first."""
    named: dict[str, tuple[str, ...]] = {}
    for name, fields in columns.items():
        named |= {name: fields, f"-{name}": tuple(f"-{field}" for field in fields)}
    return named


def refuse_unknown(given: QueryDict, known: Iterable[str]) -> None:
    """Raises ValidationError for a parameter that is not known, is empty or is said twice."""
    names = sorted(set(known))
    for name, values in given.lists():
        if name not in names:
            told = {"name": name[:60], "known": ", ".join(names) or _("none")}
            raise ValidationError({name[:60]: _("There is no parameter %(name)s here; known are: %(known)s.") % told})
        if len(values) > 1:
            raise ValidationError({name: _("This parameter is given more than once.")})
        if not values[0].strip():
            raise ValidationError({name: _("This parameter is empty; leave it out instead.")})


def _midnight(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min), timezone.get_default_timezone())


def _size(text: str | None) -> int:
    if text is None:
        return DEFAULT_SIZE
    if not text.isascii() or not text.isdigit() or not 1 <= int(text[:9]) <= LARGEST_SIZE:
        raise ValidationError({"limit": _("A page has 1 to %(most)s rows.") % {"most": LARGEST_SIZE}})
    return int(text)


def _next_address(request: Request, order: tuple[str, ...], row: Any) -> str:
    place = json.dumps([_column(type(row), name).value_to_string(row) for name in order])
    cursor = base64.urlsafe_b64encode(place.encode()).decode().rstrip("=")
    return replace_query_param(request.build_absolute_uri(), "cursor", cursor)


def _beyond(model: type[Model], order: tuple[str, ...], cursor: str) -> Q:
    """The rows after the place in `cursor`: `a < x or (a = x and b < y)`, led by `a <= x` for the index."""
    place = _read(model, order, cursor)
    way = "lt" if order[0].startswith("-") else "gt"
    first = order[0].lstrip("-")
    beyond, equal = Q(), Q()
    for name, value in zip((name.lstrip("-") for name in order), place, strict=True):
        beyond |= equal & Q(**{f"{name}__{way}": value})
        equal &= Q(**{name: value})
    return Q(**{f"{first}__{way}e": place[0]}) & beyond


def _read(model: type[Model], order: tuple[str, ...], cursor: str) -> list[Any]:
    refusal = ValidationError({"cursor": _("This is no place in this list; begin without it.")})
    try:
        place = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        if not isinstance(place, list) or len(place) != len(order):
            raise refusal
        read = [_column(model, name).to_python(text) for name, text in zip(order, place, strict=True)]
    except (binascii.Error, ValueError, TypeError, Malformed) as fault:
        raise refusal from fault
    if any(value is None for value in read):
        raise refusal
    return read


def _column(model: type[Model], name: str) -> Any:
    return model._meta.get_field(name.lstrip("-"))


def _parameter(name: str, text: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "required": False, "in": "query", "description": text, "schema": schema}
