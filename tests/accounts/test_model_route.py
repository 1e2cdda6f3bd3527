"""Model routes: scopes, and where rows come from."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from accounts.models import Epoch, ModelRoute, RouteOrigin, RouteScope, Team
from accounts.shipped import ROUTES
from tests.accounts.rows import a_member

pytestmark = pytest.mark.django_db


def targets(origin: RouteOrigin) -> dict[str, str]:
    return dict(ModelRoute.objects.filter(origin=origin).values_list("pattern", "target"))


def test_without_a_mapping_the_shipped_routes_are_there() -> None:
    assert ModelRoute.objects.sync_origins(None)
    assert targets(RouteOrigin.SHIPPED) == dict(ROUTES)
    assert targets(RouteOrigin.SHIPPED)["gpt-4o-mini"] == "claude-opus-4.5"


def test_a_second_sync_changes_nothing_and_announces_nothing() -> None:
    ModelRoute.objects.sync_origins({"a": "b"})
    before = Epoch.current()
    assert not ModelRoute.objects.sync_origins({"a": "b"})
    assert Epoch.current() == before


@pytest.mark.parametrize("mapping", [{}, {"fast": "gpt-5-mini"}])
def test_a_mapping_even_an_empty_one_takes_the_place_of_the_shipped_routes(mapping: dict[str, str]) -> None:
    ModelRoute.objects.sync_origins(None)
    assert ModelRoute.objects.sync_origins(mapping)
    assert targets(RouteOrigin.SHIPPED) == {}
    assert targets(RouteOrigin.ENVIRONMENT) == mapping


def test_a_changed_mapping_moves_adds_and_removes_its_rows_only() -> None:
    ModelRoute.objects.create(pattern="fast", target="by-hand")
    ModelRoute.objects.sync_origins({"fast": "one", "gone": "two"})
    assert ModelRoute.objects.sync_origins({"fast": "three", "new": "four"})
    assert targets(RouteOrigin.ENVIRONMENT) == {"fast": "three", "new": "four"}
    assert targets(RouteOrigin.CONSOLE) == {"fast": "by-hand"}


def test_taking_the_mapping_away_brings_the_shipped_routes_back() -> None:
    ModelRoute.objects.sync_origins({"fast": "one"})
    ModelRoute.objects.sync_origins(None)
    assert targets(RouteOrigin.SHIPPED) == dict(ROUTES)
    assert targets(RouteOrigin.ENVIRONMENT) == {}


def test_a_shipped_route_that_was_switched_off_stays_off() -> None:
    ModelRoute.objects.sync_origins(None)
    ModelRoute.objects.filter(pattern="gpt-4o-mini").update(active=False, note="not here")
    ModelRoute.objects.sync_origins(None)
    route = ModelRoute.objects.get(pattern="gpt-4o-mini")
    assert (route.active, route.note) == (False, "not here")


@pytest.mark.parametrize("scope", RouteScope)
def test_a_scope_must_name_exactly_its_row(scope: RouteScope) -> None:
    rows: dict[str, Any] = {"team": Team.objects.create(name="Compilers"), "member": a_member()}
    for given in ({}, {"team": rows["team"]}, {"member": rows["member"]}, rows):
        route = ModelRoute(pattern="a", target="b", scope=scope, **given)
        if set(given) == {scope.value} - {"everyone"} and scope != RouteScope.KEY:
            route.full_clean()
            continue
        with pytest.raises(ValidationError, match="Name exactly what the scope asks for"):
            route.full_clean()
        with pytest.raises(IntegrityError), transaction.atomic():
            route.save()


@pytest.mark.parametrize("fallbacks", ["gpt-5", [""], [1], {"a": "b"}])
def test_fallbacks_are_a_list_of_names(fallbacks: Any) -> None:
    with pytest.raises(ValidationError, match="list of model names"):
        ModelRoute(pattern="a", target="b", fallbacks=fallbacks).full_clean()
