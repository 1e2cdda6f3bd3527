"""Who may ask what: every address × method × kind of caller, read from the URLconf, none listed by hand."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client
from pytest_django.fixtures import Settings

from accounts.api.access import Rule
from accounts.api.resource import RuledView
from accounts.models import Door, Member
from tests.accounts.api.world import Route, World, ask, everything, key_of, make_world, routes, session_of, text_of

pytestmark = pytest.mark.django_db

METHODS = ("get", "post", "patch", "put", "delete")
WRITES = METHODS[1:]
REFUSED = {403, 404, 405}
ROUTES = routes()
BODY = {"name": "x", "reason": "x", "seconds": 5, "note": "x", "label": "x", "percent": 1, "language": "en"}
# These ask GitHub: tried against the simulator in test_seats.
ASK_GITHUB = ("api/seats/<pk>/check/", "api/seats/<pk>/reconcile/")

Caller = Callable[[Member], Client]


def by_session(member: Member) -> Client:
    return session_of(member)


def by_key(member: Member) -> Client:
    return key_of(member, Door.MANAGEMENT)


BOTH_WAYS = pytest.mark.parametrize("enter", [by_session, by_key])


@pytest.fixture
def world(settings: Settings) -> World:
    settings.BRIDGE_GITHUB_URL = settings.BRIDGE_GITHUB_API_URL = settings.BRIDGE_COPILOT_URL = "http://127.0.0.1:9"
    return make_world()


def test_the_urlconf_was_read() -> None:
    patterns = {route.pattern for route in ROUTES}
    assert {"api/", "api/schema/", "api/usage/", "api/usage/<pk>/correct/", "api/keys/<pk>/rotate/"} <= patterns
    assert len(patterns) > 50


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.pattern)
def test_every_view_declares_its_rule(route: Route) -> None:
    assert issubclass(route.view, RuledView)
    assert isinstance(route.view.rule, Rule)


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.pattern)
def test_a_view_is_closed_to_everybody_when_its_rule_is_gone(
    route: Route, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(route.view, "rule", None)
    assert ask(session_of(world.owner), "get", route.address(world.mo)).status_code == 403


def test_an_outsider_learns_nothing(world: World) -> None:
    before = everything()
    stranger, unknown = Client(), Client(headers={"authorization": "Bearer brg_" + "k" * 49})
    faults = []
    for route in ROUTES:
        for method in METHODS:
            for client in (stranger, unknown):
                answer = ask(client, method, route.address(world.xenia), BODY)
                is_page = route.pattern == "api/docs/" and client is stranger and answer.status_code == 302
                if (answer.status_code != 401 and not is_page) or "xenia" in text_of(answer).replace("docs", ""):
                    faults.append((route.pattern, method, answer.status_code, text_of(answer)[:200]))
    assert faults == []
    assert everything() == before


def test_a_key_that_does_not_name_this_api_is_refused_everywhere(world: World) -> None:
    clients = [key_of(world.owner), key_of(world.owner, Door.CHAT, Door.MODELS), key_of(world.mo.member)]
    before = everything()
    faults = []
    for route in ROUTES:
        for method in METHODS:
            for client in clients:
                answer = ask(client, method, route.address(world.xenia), BODY)
                if answer.status_code != 403 or "xenia" in text_of(answer):
                    faults.append((route.pattern, method, answer.status_code, text_of(answer)[:200]))
    assert faults == []
    assert everything() == before


@BOTH_WAYS
def test_an_auditor_reads_everything_and_changes_nothing(world: World, enter: Caller) -> None:
    client = enter(world.auditor)
    before = everything()
    faults = []
    for route in ROUTES:
        readable = not route.actions or "get" in route.actions
        for rows in (world.mo, world.xenia):
            read = ask(client, "get", route.address(rows))
            expected = {200} if readable else REFUSED
            if route.pattern.endswith(("no/such/place/", "explain/")):
                expected = {404, 400}
            if read.status_code not in expected:
                faults.append((route.pattern, "get", read.status_code, text_of(read)[:200]))
            for method in WRITES:
                answer = ask(client, method, route.address(rows), BODY)
                if answer.status_code not in {403, 405}:
                    faults.append((route.pattern, method, answer.status_code, text_of(answer)[:200]))
    assert faults == []
    assert everything() == before


@BOTH_WAYS
def test_an_auditor_sees_the_rows_of_all_members(world: World, enter: Caller) -> None:
    client = enter(world.auditor)
    lists = [route for route in ROUTES if route.actions.get("get") == "list"]
    without = [
        route.pattern
        for route in lists
        if len(
            {
                row["pk"] if "pk" in row else str(row)
                for row in ask(client, "get", route.address(world.mo)).json()["results"]
            }
        )
        < 2
    ]
    assert without == []


@BOTH_WAYS
def test_a_member_reads_own_rows_and_no_others(world: World, enter: Caller) -> None:
    client = enter(world.mo.member)
    before = everything()
    faults = []
    for route in ROUTES:
        own, foreign = (ask(client, "get", route.address(rows)) for rows in (world.mo, world.xenia))
        is_open = route.view.rule.members_see is not None and (not route.actions or "get" in route.actions)
        if not route.pattern.endswith(("no/such/place/", "explain/")) and own.status_code not in (
            {200} if is_open else REFUSED
        ):
            faults.append((route.pattern, "own", own.status_code, text_of(own)[:200]))
        is_shared = route.pattern == "api/prices/<pk>/"
        if route.has_row and not is_shared and foreign.status_code not in ({404} if is_open else REFUSED):
            faults.append((route.pattern, "foreign", foreign.status_code, text_of(foreign)[:200]))
        if any("xenia" in text_of(answer) for answer in (own, foreign)):
            faults.append((route.pattern, "tells", own.status_code, text_of(own)[:300]))
    assert faults == []
    assert everything() == before


@BOTH_WAYS
def test_a_member_changes_no_foreign_row_and_of_its_own_what_the_rule_lists(world: World, enter: Caller) -> None:
    client = enter(world.mo.member)
    before = everything()
    faults = []
    for route in ROUTES:
        for method in WRITES:
            asked = [world.xenia] if route.has_row else []
            if route.action(method) not in route.view.rule.members_do:
                asked.append(world.mo)
            for rows in asked:
                answer = ask(client, method, route.address(rows), BODY)
                if answer.status_code not in REFUSED:
                    faults.append((route.pattern, method, answer.status_code, text_of(answer)[:200]))
    assert faults == []
    assert everything() == before


@BOTH_WAYS
def test_what_the_rule_lists_a_member_may_do(world: World, enter: Caller) -> None:
    client = enter(world.mo.member)
    listed = [
        (route, method) for route in ROUTES for method in WRITES if route.action(method) in route.view.rule.members_do
    ]
    told = {
        (route.pattern, method): ask(
            client, method, route.address(world.mo), {"name": "x"} if "keys" in route.pattern else {}
        )
        for route, method in sorted(listed, key=lambda pair: "revoke" in pair[0].pattern)
    }
    assert {asked: answer.status_code for asked, answer in told.items() if answer.status_code >= 300} == {}
    assert len(told) >= 5


def test_members_see_of_lists_what_is_theirs(world: World) -> None:
    client = session_of(world.mo.member)
    counted = {
        route.resource: len(ask(client, "get", route.address(world.mo)).json()["results"])
        for route in ROUTES
        if route.actions.get("get") == "list" and route.view.rule.members_see is not None
    }
    shared = counted.pop("prices")
    assert shared >= 2
    assert counted == dict.fromkeys(counted, 1)
    assert {"members", "teams", "keys", "seats", "budgets", "usage", "usage-days", "conversations"} <= set(counted)


@BOTH_WAYS
def test_an_owner_is_refused_nothing(world: World, enter: Caller) -> None:
    client = enter(world.owner)
    faults = []
    # What deletes comes last: the rows are needed until then.
    asked = [(route, method) for route in ROUTES for method in route.actions or ("get",) if method != "put"]
    for route, method in sorted(asked, key=lambda pair: pair[1] == "delete"):
        if route.pattern in (*ASK_GITHUB, "api/no/such/place/"):
            continue
        answer = ask(client, method, route.address(world.xenia), BODY)
        if answer.status_code in {401, 403, 404, 405} or answer.status_code >= 500:
            faults.append((route.pattern, method, answer.status_code, text_of(answer)[:200]))
    assert faults == []


def test_no_answer_holds_a_secret(world: World) -> None:
    client = session_of(world.owner)
    key, seat = world.xenia.key(), world.xenia.seat()
    assert seat.copilot_token is not None
    assert seat.github_token is not None
    secrets = [
        key.digest,
        seat.github_token.reveal(),
        seat.github_token.ciphertext,
        seat.copilot_token.reveal(),
        seat.copilot_token.ciphertext,
        world.xenia.member.password,
    ]
    for route in ROUTES:
        answer = text_of(ask(client, "get", route.address(world.xenia)))
        assert [secret for secret in secrets if secret in answer] == [], route.pattern
