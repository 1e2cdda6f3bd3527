"""Model routes in the console: one's own are free, shipped and environment rows are switched and noted only."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import ApiKey, Epoch, ModelRoute, RouteOrigin, Team
from tests.accounts.console import act_on, list_of, owner, page_of, text_of, ticked
from tests.accounts.rows import a_member

__all__ = ["owner"]

pytestmark = pytest.mark.django_db

ADD = "admin:accounts_modelroute_add"
ELSEWHERE = [RouteOrigin.SHIPPED, RouteOrigin.ENVIRONMENT]


def a_form(**changes: Any) -> dict[str, Any]:
    form = {
        "pattern": "gpt-4*", "target": "gpt-5.2", "fallbacks": "", "priority": "0", "scope": "everyone", "active": "on",
        "note": "",
    }  # fmt: skip
    return form | changes


def test_a_route_made_in_the_console_says_so_and_keeps_its_fallbacks_in_order(owner: Client) -> None:
    before = Epoch.current()
    owner.post(reverse(ADD), a_form(fallbacks="gpt-5-mini\r\ngpt-4.1", priority="5", note="for tests"))
    route = ModelRoute.objects.get()
    assert (route.pattern, route.target, route.priority, route.note) == ("gpt-4*", "gpt-5.2", 5, "for tests")
    assert (route.origin, route.fallbacks) == (RouteOrigin.CONSOLE, ["gpt-5-mini", "gpt-4.1"])
    assert Epoch.current() > before


@pytest.mark.parametrize("scope", ["team", "member", "key"])
def test_a_scope_names_its_row(owner: Client, scope: str) -> None:
    member = a_member()
    named = {"team": Team.objects.create(name="P"), "member": member, "key": ApiKey.objects.issue(member)[0]}
    assert "Name exactly what the scope asks for" in text_of(owner.post(reverse(ADD), a_form(scope=scope)))
    owner.post(reverse(ADD), a_form(scope=scope, **{name: row.pk for name, row in named.items()}))
    route = ModelRoute.objects.get()
    assert {name: getattr(route, name) for name in named} == {
        name: row if name == scope else None for name, row in named.items()
    }


def test_a_route_widened_to_everyone_forgets_its_team(owner: Client) -> None:
    team = Team.objects.create(name="Platform")
    route = ModelRoute.objects.create(pattern="a", target="b", scope="team", team=team)
    owner.post(page_of(route), a_form(team=team.pk))
    route.refresh_from_db()
    assert (route.scope, route.team, route.pattern) == ("everyone", None, "gpt-4*")


@pytest.mark.parametrize("origin", ELSEWHERE)
def test_a_route_decided_elsewhere_can_be_switched_off_and_noted_only(owner: Client, origin: RouteOrigin) -> None:
    route = ModelRoute.objects.create(pattern="gpt-4o-mini", target="claude-opus-4.5", origin=origin)
    owner.post(page_of(route), a_form(active="", note="not for us", target="gpt-evil", origin="console", fallbacks="x"))
    route.refresh_from_db()
    assert (route.pattern, route.target, route.fallbacks) == ("gpt-4o-mini", "claude-opus-4.5", [])
    assert (route.origin, route.active, route.note) == (origin, False, "not for us")


@pytest.mark.parametrize("origin", ELSEWHERE)
def test_a_route_decided_elsewhere_is_not_deleted_alone_or_among_others(owner: Client, origin: RouteOrigin) -> None:
    kept = ModelRoute.objects.create(pattern="gpt-4o-mini", target="claude-opus-4.5", origin=origin)
    own = ModelRoute.objects.create(pattern="a", target="b")
    address = reverse("admin:accounts_modelroute_delete", args=[kept.pk])
    assert owner.post(address, {"post": "yes"}).status_code == 403
    owner.post(list_of("modelroute"), ticked("delete_selected", kept, own, post="yes"))
    assert set(ModelRoute.objects.all()) == {kept, own}


def test_ones_own_route_is_deleted_and_the_processes_hear_of_it(owner: Client) -> None:
    own = ModelRoute.objects.create(pattern="a", target="b")
    before = Epoch.current()
    owner.post(reverse("admin:accounts_modelroute_delete", args=[own.pk]), {"post": "yes"})
    assert not ModelRoute.objects.exists()
    assert Epoch.current() > before


def test_routes_of_any_origin_are_switched_off_and_on_by_ticking(owner: Client) -> None:
    shipped = ModelRoute.objects.create(pattern="a", target="b", origin=RouteOrigin.SHIPPED)
    own = ModelRoute.objects.create(pattern="c", target="d", active=False)
    page = owner.post(list_of("modelroute"), ticked("switch_off_many", shipped, own, confirmed="yes"), follow=True)
    assert not ModelRoute.objects.filter(active=True).exists()
    assert "a → b is off." in text_of(page)
    assert "c → d was off before." in text_of(page)
    owner.post(act_on(shipped, "switch_on_one"), {"confirmed": "yes"})
    assert list(ModelRoute.objects.filter(active=True)) == [shipped]


def test_the_list_names_origin_scope_and_fallbacks(owner: Client) -> None:
    team = Team.objects.create(name="Platform")
    ModelRoute.objects.create(pattern="a", target="b", scope="team", team=team, fallbacks=["x", "y"])
    listed = owner.get(list_of("modelroute")).context["cl"]
    (row,), admin = listed.result_list, listed.model_admin
    assert (admin.scope_name(row), admin.fallback_names(row)) == ("team Platform", "x, y")
    assert "console" in admin.origin_badge(row)
