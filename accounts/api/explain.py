"""What would become of a request: route, model, seat, format and price, what is left, and what would refuse it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from asgiref.sync import async_to_sync
from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.response import Response

from accounts.api.access import EVERYBODY, Rule, own_by
from accounts.api.money import Money
from accounts.api.resource import RuledView
from accounts.directory import Caller, caller_of, load_snapshot
from accounts.dry_run import ASKED, DryRun, try_out
from accounts.explanation import without_key
from accounts.models import ApiKey, Door, Member
from accounts.sentences import sentence

if TYPE_CHECKING:
    from rest_framework.request import Request

    from accounts.allowance import Allowance

_LONGEST_NAME: Final = 200
_KEYS: Final = Rule(own_by("member"))
_MEMBERS: Final = Rule(own_by("pk"))


class CallerSerializer(serializers.Serializer[Caller]):
    member = serializers.CharField(source="member_name")
    team = serializers.CharField(source="team_name", allow_blank=True)
    key = serializers.CharField(source="key_name", allow_blank=True)


class ChosenSerializer(serializers.Serializer[Any]):
    """A choice with its reason."""

    name = serializers.CharField()
    why = serializers.CharField()


class TierSerializer(serializers.Serializer[Any]):
    above_input_tokens = serializers.IntegerField()
    tokens = serializers.IntegerField(source="batch_size", help_text="The amounts are for this many tokens.")
    input = Money(allow_null=True)
    cached_input = Money(allow_null=True)
    cache_write = Money(allow_null=True)
    output = Money(allow_null=True)


class CardSerializer(serializers.Serializer[Any]):
    origin = serializers.CharField()
    valid_from = serializers.DateField(allow_null=True, help_text="null: what GitHub's list says today.")
    tiers = TierSerializer(many=True)


class LimitSerializer(serializers.Serializer[Any]):
    whose = serializers.ChoiceField(choices=["key", "team"])
    doors = serializers.ListField(child=serializers.CharField())
    models = serializers.ListField(child=serializers.CharField())
    addresses = serializers.ListField(child=serializers.CharField())
    requests_per_minute = serializers.IntegerField(allow_null=True)
    tokens_per_minute = serializers.IntegerField(allow_null=True)
    concurrent_requests = serializers.IntegerField(allow_null=True)


class LeftSerializer(serializers.Serializer[Any]):
    whose = serializers.CharField(source="budget.whose")
    span = serializers.CharField(source="budget.span")
    hard = serializers.BooleanField(source="budget.hard")
    limit = Money(source="budget.limit_nano")
    left = Money()
    resets_on = serializers.DateField(source="end")


class RefusalSerializer(serializers.Serializer[Any]):
    status = serializers.IntegerField()
    code = serializers.CharField()
    message = serializers.CharField()


class ExplanationSerializer(serializers.Serializer[Any]):
    requested = serializers.CharField()
    caller = CallerSerializer()
    route = serializers.CharField(allow_null=True, help_text="Why this model: the route, or that none applies.")
    model = serializers.CharField(allow_null=True)
    seat = ChosenSerializer(allow_null=True)
    formats = serializers.ListField(child=serializers.CharField(), help_text="Upstream formats the model takes.")
    upstream = serializers.CharField(allow_blank=True, help_text="The one spoken for the door that was asked about.")
    price = CardSerializer(allow_null=True, help_text="null: not paid in credits, or not known.")
    limits = LimitSerializer(many=True)
    budgets = LeftSerializer(many=True)
    refusals = RefusalSerializer(many=True, help_text="The first is what a request would get now; none: it would pass.")


class Explain(RuledView):
    """Nothing is sent and nothing is spent. Without `key` the limits of keys are left out."""

    rule = EVERYBODY
    parameters = ("model", "key", "member", "door", "address")

    @extend_schema(
        parameters=[
            OpenApiParameter("model", required=True, description="The name as a client would send it."),
            OpenApiParameter("key", int, description="The id of a key; members name their own."),
            OpenApiParameter("member", int, description="In place of a key; default: whoever asks."),
            OpenApiParameter("door", enum=[door.value for door in ASKED]),
            OpenApiParameter("address", description="Check the networks of key and team against this address, too."),
        ],
        responses=ExplanationSerializer,
        examples=[
            OpenApiExample(
                "Routed by name",
                {"requested": "claude-opus-4-5-20251101", "model": "claude-opus-4.5", "refusals": []},
                response_only=True,
            )
        ],
    )
    def get(self, request: Request) -> Response:
        given = request.query_params
        model, door = given.get("model", "").strip(), given.get("door", "")
        if not model or len(model) > _LONGEST_NAME:
            raise ValidationError(
                {"model": _("Name a model, in at most %(most)s characters.") % {"most": _LONGEST_NAME}}
            )
        if door and door not in [known.value for known in ASKED]:
            raise ValidationError({"door": _("Known are: %(known)s.") % {"known": ", ".join(d.value for d in ASKED)}})
        caller = _caller(self.member, given.get("key", ""), given.get("member", ""))
        found = async_to_sync(try_out)(
            load_snapshot(), caller, model, door=Door(door) if door else None, address=given.get("address") or None
        )
        return Response(ExplanationSerializer(_told(found)).data)


def _caller(asker: Member, key: str, member: str) -> Caller:
    if key:
        row = _row(_KEYS.visible(ApiKey.objects.select_related("member__team"), asker), key, "key")
        return caller_of(row)
    if member:
        return without_key(_row(_MEMBERS.visible(Member.objects.select_related("team"), asker), member, "member"))
    return without_key(asker)


def _row(rows: QuerySet[Any], text: str, name: str) -> Any:
    if not text.isascii() or not text.isdigit() or len(text) > 18:
        raise ValidationError({name: _("An id is a number.")})
    return get_object_or_404(rows, pk=int(text))


def _told(found: DryRun) -> dict[str, Any]:
    explanation = found.explanation
    return {
        "requested": found.requested,
        "caller": found.caller,
        "route": explanation.why if explanation else None,
        "model": explanation.model.id if explanation else None,
        "seat": {"name": explanation.seat.name, "why": explanation.why_this_seat} if explanation else None,
        "formats": explanation.formats if explanation else [],
        "upstream": found.upstream,
        "price": explanation.price if explanation else None,
        "limits": [_limit("key", found.caller.own), _limit("team", found.caller.shared)],
        "budgets": found.spendings,
        "refusals": [
            {"status": refusal.status, "code": refusal.code, "message": sentence(refusal)} for refusal in found.refusals
        ],
    }


def _limit(whose: str, allowance: Allowance) -> dict[str, Any]:
    return {
        "whose": whose,
        "doors": sorted(allowance.doors),
        "models": list(allowance.models),
        "addresses": [str(network) for network in allowance.networks],
        "requests_per_minute": allowance.requests_per_minute,
        "tokens_per_minute": allowance.tokens_per_minute,
        "concurrent_requests": allowance.concurrent_requests,
    }
