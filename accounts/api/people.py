"""Members and teams: who uses the gateway and what they share. Passwords go in, never out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django.contrib.auth.password_validation import validate_password
from django.utils.translation import gettext as _
from django_filters import filters
from django_filters.filterset import FilterSet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.exceptions import PermissionDenied
from rest_framework.response import Response

from accounts.admin.member_forms import is_last_owner
from accounts.api.access import Rule, own_by
from accounts.api.faults import Conflict
from accounts.api.listing import YesNo, rising
from accounts.api.resource import Editable, RowSerializer
from accounts.models import Door, Member, Role, Team

if TYPE_CHECKING:
    from rest_framework.request import Request

LIMITS: Final = (
    "doors",
    "models",
    "addresses",
    "requests_per_minute",
    "tokens_per_minute",
    "concurrent_requests",
)
# What a member may say of itself.
_OWN_CHOICES: Final = frozenset({"language", "time_zone"})


class Doors(serializers.ListField):
    """Names of doors; none admits to every door but the management API."""

    child = serializers.ChoiceField(choices=Door.choices)


class Names(serializers.ListField):
    """A list of texts that the model checks."""

    child = serializers.CharField()


class TeamSerializer(RowSerializer[Team]):
    doors = Doors(required=False)
    models = Names(required=False)
    addresses = Names(required=False)

    class Meta:
        model = Team
        fields = ("id", "name", "slug", "active", "note", *LIMITS, "created_at")
        read_only_fields = ("created_at",)


class TeamFilter(FilterSet):
    active = YesNo(field_name="active")


class Teams(Editable):
    """Groups of members who share seats, routes, limits and budgets; members see their own."""

    rule = Rule(own_by("members"))
    queryset = Team.objects.order_by("name")
    serializer_class = TeamSerializer
    filterset_class = TeamFilter
    search_fields = ("name", "slug", "note")
    orderings = rising(name=("name",), created_at=("created_at", "id"))


class MemberSerializer(RowSerializer[Member]):
    password = serializers.CharField(
        write_only=True,
        required=False,
        trim_whitespace=False,
        help_text="Of a new member, for one sign-in: it must be changed then. Without it nobody can sign in to pages.",
    )

    class Meta:
        model = Member
        fields = (
            "id", "username", "first_name", "last_name", "email", "role", "team", "language", "time_zone",
            "is_active", "must_change_password", "last_login", "date_joined", "password",
        )  # fmt: skip
        read_only_fields = ("is_active", "must_change_password", "last_login", "date_joined")

    def validate_password(self, password: str) -> str:
        if self.instance is not None:
            raise serializers.ValidationError(_("Passwords are set on the password page or in the console."))
        validate_password(password)
        return password

    def validate_role(self, role: str) -> str:
        if isinstance(self.instance, Member) and role != Role.OWNER and is_last_owner(self.instance):
            raise Conflict(_("The last active owner stays one; make another member an owner first."))
        return role

    def _made(self, values: dict[str, Any]) -> Member:
        password = values.pop("password", None)
        member = Member(**values, must_change_password=password is not None)
        member.set_password(password)
        return member


class MemberFilter(FilterSet):
    role = filters.ChoiceFilter(choices=Role.choices)
    team = filters.NumberFilter()
    is_active = YesNo(field_name="is_active")


class Members(Editable):
    """The people of the gateway. A member sees itself and may change its language and time zone."""

    rule = Rule(own_by("pk"), frozenset({"partial_update"}))
    queryset = Member.objects.order_by("username")
    serializer_class = MemberSerializer
    filterset_class = MemberFilter
    search_fields = ("username", "first_name", "last_name", "email")
    orderings = rising(username=("username",), date_joined=("date_joined", "id"))

    def perform_update(self, serializer: Any) -> None:
        foreign = set(serializer.validated_data) - _OWN_CHOICES
        if foreign and not self.member.is_owner:
            raise PermissionDenied(_("Only an owner may change: %(names)s.") % {"names": ", ".join(sorted(foreign))})
        serializer.save()

    @extend_schema(request=None, responses=MemberSerializer)
    @action(detail=True, methods=["post"])
    def deactivate(self, request: Request, pk: str) -> Response:
        """End every use of this account at once: its keys, running requests and page sessions."""
        member = self.get_object()
        if is_last_owner(member):
            raise Conflict(_("The last active owner stays one; make another member an owner first."))
        member.deactivate()
        return Response(self.get_serializer(member).data)

    @extend_schema(request=None, responses=MemberSerializer)
    @action(detail=True, methods=["post"])
    def activate(self, request: Request, pk: str) -> Response:
        """Let a deactivated member in again; keys that were not revoked live on."""
        member = self.get_object()
        member.is_active = True
        member.save(update_fields=["is_active"])
        return Response(self.get_serializer(member).data)
