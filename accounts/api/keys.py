"""API keys: issue, limit, rotate, revoke. A key's text is in the answer to issuing and rotating, and nowhere else.

Members issue, rotate and revoke their own keys; what limits a key can do is set by owners, and so is access to this
API: a member's key never names the management API unless an owner says so.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from django_filters import filters
from django_filters.filterset import FilterSet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.exceptions import PermissionDenied
from rest_framework.response import Response

from accounts.api.access import Rule, own_by
from accounts.api.listing import YesNo, both_ways
from accounts.api.people import LIMITS, Doors, Names
from accounts.api.resource import Editable, RowSerializer
from accounts.models import ApiKey, Door, Member

if TYPE_CHECKING:
    from rest_framework.request import Request

_DAY: Final = 24 * 3600
_OWN_CHOICES: Final = frozenset({"name"})


class KeySerializer(RowSerializer[ApiKey]):
    doors = Doors(required=False)
    models = Names(required=False)
    addresses = Names(required=False)
    is_live = serializers.BooleanField(read_only=True, help_text="Neither revoked nor expired.")
    member_name = serializers.CharField(source="member.username", read_only=True)

    class Meta:
        model = ApiKey
        fields: tuple[str, ...] = (
            "id", "hint", "name", "member", "member_name", "is_live", *LIMITS, "created_at", "expires_at",
            "revoked_at", "last_used_at", "replaces",
        )  # fmt: skip
        read_only_fields = ("hint", "created_at", "revoked_at", "last_used_at", "replaces")
        extra_kwargs = {"member": {"required": False, "help_text": "Without it: whoever asks."}}

    def validate_member(self, member: Member) -> Member:
        if self.instance is not None and member != self.instance.member:
            raise serializers.ValidationError(_("A key stays with its member; issue another one."))
        return member


class IssuedKeySerializer(KeySerializer):
    secret = serializers.CharField(read_only=True, help_text="The key itself, shown this once.")

    class Meta(KeySerializer.Meta):
        fields = (*KeySerializer.Meta.fields, "secret")


class RotationSerializer(serializers.Serializer[Any]):
    overlap_seconds = serializers.IntegerField(
        min_value=0, max_value=30 * _DAY, default=_DAY, help_text="How long the old key goes on; 0 ends it now."
    )


class KeyFilter(FilterSet):
    member = filters.NumberFilter()
    team = filters.NumberFilter(field_name="member__team")
    live = YesNo(field_name="revoked_at", method="only_live")

    def only_live(self, rows: QuerySet[ApiKey], _name: str, live: bool) -> QuerySet[ApiKey]:
        opens = Q(revoked_at=None) & (Q(expires_at=None) | Q(expires_at__gt=timezone.now()))
        return rows.filter(opens if live else ~opens)


class Keys(Editable):
    """The keys by which programs call the gateway; revoked ones stay listed, because the ledger names them."""

    rule = Rule(own_by("member"), frozenset({"create", "partial_update", "revoke", "rotate"}))
    queryset = ApiKey.objects.select_related("member__team").order_by("-created_at", "-id")
    serializer_class = KeySerializer
    filterset_class = KeyFilter
    search_fields = ("name", "hint", "member__username")
    orderings = both_ways(created_at=("created_at", "id"), name=("name", "id"))

    @extend_schema(request=KeySerializer, responses={201: IssuedKeySerializer})
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Issue a key. Its text is in this answer and cannot be shown again."""
        serializer = self.get_serializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        asked = dict(serializer.validated_data)
        member = asked.pop("member", self.member)
        self._check_issue(member, asked.get("doors", []))
        key, secret = ApiKey.objects.issue(member, asked.pop("name", ""), **asked)
        return self._shown_once(key, secret)

    def perform_update(self, serializer: Any) -> None:
        foreign = set(serializer.validated_data) - _OWN_CHOICES
        if foreign and not self.member.is_owner:
            raise PermissionDenied(_("Only an owner may change: %(names)s.") % {"names": ", ".join(sorted(foreign))})
        serializer.save()

    @extend_schema(request=None, responses=KeySerializer)
    @action(detail=True, methods=["post"])
    def revoke(self, request: Request, pk: str) -> Response:
        """End the key at once, and what it is running; for good."""
        key = self.get_object()
        key.revoke()
        return Response(self.get_serializer(key).data)

    @extend_schema(request=RotationSerializer, responses={201: IssuedKeySerializer})
    @action(detail=True, methods=["post"])
    def rotate(self, request: Request, pk: str) -> Response:
        """Issue a successor with the same limits; the old key ends after the overlap."""
        asked = RotationSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        successor, secret = self.get_object().rotate(timedelta(seconds=asked.validated_data["overlap_seconds"]))
        return self._shown_once(successor, secret)

    def _check_issue(self, member: Member, doors: list[str]) -> None:
        if self.member.is_owner:
            return
        if member != self.member:
            raise PermissionDenied(_("Only an owner issues keys to somebody else."))
        if Door.MANAGEMENT in doors:
            raise PermissionDenied(_("Only an owner issues keys for the management API."))

    def _shown_once(self, key: ApiKey, secret: str) -> Response:
        told = KeySerializer(key, context=self.get_serializer_context()).data | {"secret": secret}
        return Response(told, status=status.HTTP_201_CREATED)
