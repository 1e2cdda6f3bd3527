"""What every view of the management API has in common.

Each has a rule (`access`), takes only the parameters it knows (`listing`), acts in the name of whoever asks, so that
the trail says so, and is never cached. Rows are validated as the console validates them, by the model itself.
"""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from django.db import transaction
from django.db.models import Model
from django.utils.cache import add_never_cache_headers
from rest_framework import mixins, serializers
from rest_framework.exceptions import NotAcceptable, NotAuthenticated
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.views import APIView
from rest_framework.viewsets import GenericViewSet

from accounts.actor import acting
from accounts.api.access import Rule
from accounts.api.authentication import actor_name
from accounts.api.listing import Filters, KeysetPages, Order, SmallPages, Words, refuse_unknown
from accounts.models import Member

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http.response import HttpResponseBase
    from rest_framework.request import Request

Row = TypeVar("Row", bound=Model)
# What the members of a team may send at once; the list of a batch is not part of this API.
READ_AND_WRITE = ("get", "head", "post", "patch", "delete")


class JsonUnlessAsked(DefaultContentNegotiation):
    """JSON for whatever a client says it accepts: an error in a form that is not asked for beats none."""

    def select_renderer(self, request: Any, renderers: Any, format_suffix: str | None = None) -> Any:
        try:
            return super().select_renderer(request, renderers, format_suffix)
        except NotAcceptable:
            return renderers[0], renderers[0].media_type


class RuledView(APIView):
    """`parameters` are the names that the view reads from the address."""

    rule: ClassVar[Rule]
    parameters: ClassVar[tuple[str, ...]] = ()
    http_method_names = list(READ_AND_WRITE)
    content_negotiation_class = JsonUnlessAsked

    @property
    def member(self) -> Member:
        """Whoever asks."""
        if not isinstance(self.request.user, Member):
            raise NotAuthenticated
        return self.request.user

    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> HttpResponseBase:
        with ExitStack() as self._held:
            response = super().dispatch(request, *args, **kwargs)
        add_never_cache_headers(response)
        return response

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        refuse_unknown(request.query_params, self.known_parameters())
        self._held.enter_context(acting(self.member, actor_name(self.member, request.auth)))

    def known_parameters(self) -> set[str]:
        return set(self.parameters)


class Resource(RuledView, GenericViewSet[Any]):
    """Rows of one table. `orderings` name the ways a list may be sorted; `parameters` belong to lists."""

    queryset: Any = None
    filterset_class: ClassVar[Any] = None
    orderings: ClassVar[dict[str, tuple[str, ...]]]
    search_fields: ClassVar[tuple[str, ...]] = ()
    filter_backends = [Filters, Words, Order]
    pagination_class: Any = SmallPages
    # Acts on the whole list, beside `list`, that are filtered as it is.
    listing_actions: ClassVar[frozenset[str]] = frozenset()

    def get_queryset(self) -> QuerySet[Any]:
        rows: QuerySet[Any] = super().get_queryset()
        if getattr(self, "swagger_fake_view", False):
            return rows.none()
        return self.rule.visible(rows, self.member)

    def filter_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return super().filter_queryset(queryset) if self._lists else queryset

    def known_parameters(self) -> set[str]:
        if not self._lists:
            return set()
        filters = getattr(self.filterset_class, "base_filters", {})
        paging = self.pagination_class.parameters if self.action == "list" else ()
        return {*filters, *paging, *self.parameters, "ordering", *(("search",) if self.search_fields else ())}

    @property
    def _lists(self) -> bool:
        return self.action == "list" or self.action in self.listing_actions


class Readable(mixins.ListModelMixin, mixins.RetrieveModelMixin, Resource):
    """Rows that nobody changes here."""


class Long(Readable):
    """The same for a table of millions."""

    pagination_class = KeysetPages


class Editable(
    mixins.CreateModelMixin,
    mixins.ListModelMixin,
    mixins.RetrieveModelMixin,
    mixins.UpdateModelMixin,
    mixins.DestroyModelMixin,
    Resource,
):
    """Rows that owners make and change; one that the ledger names answers a deletion with 409."""

    def perform_destroy(self, instance: Model) -> None:
        with transaction.atomic():
            super().perform_destroy(instance)


class RowSerializer(serializers.ModelSerializer[Row]):
    """Checks a row by the model's own validation, columns and constraints together, before it is written.

    A change writes the columns that were sent, and no others: a process may have changed them since the row was read.
    """

    def create(self, validated_data: dict[str, Any]) -> Row:
        row = self._made(validated_data)
        row.full_clean()
        row.save()
        return row

    def update(self, instance: Row, validated_data: dict[str, Any]) -> Row:
        for name, value in validated_data.items():
            setattr(instance, name, value)
        instance.full_clean()
        instance.save(update_fields=list(validated_data))
        return instance

    def _made(self, values: dict[str, Any]) -> Row:
        model: type[Row] = self.Meta.model
        return model(**values)
