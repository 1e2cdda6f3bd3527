"""The dry run by the API and on the two pages: decisions with reasons, what is left, what would refuse."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from pytest_django.fixtures import Settings

from accounts.models import ApiKey, Budget, BudgetScope, Door, Member, ModelRoute, Role, Team
from tests.accounts.api.world import ask, session_of
from tests.accounts.rows import a_member, a_seat
from tests.accounts.upstream import sim, simulator
from tests.simulator.server import SimulatorServer

__all__ = ["sim", "simulator"]

pytestmark = pytest.mark.django_db(transaction=True)

MODEL = "claude-sonnet-5.5"


@pytest.fixture
def mo(sim: SimulatorServer) -> Member:
    member = a_member("mo", team=Team.objects.create(name="Compilers", requests_per_minute=100))
    a_seat(member, login="credits", github_id=1001, github_token=sim.world.accounts["credits"].github_token)
    return member


@pytest.fixture
def unreachable(settings: Settings) -> None:
    settings.BRIDGE_GITHUB_URL = settings.BRIDGE_GITHUB_API_URL = settings.BRIDGE_COPILOT_URL = "http://127.0.0.1:9"


def told(client: Client, **asked: Any) -> dict[str, Any]:
    answer = client.get("/api/explain/", asked)
    assert answer.status_code == 200, answer.content
    found: dict[str, Any] = answer.json()
    return found


def test_a_member_learns_route_model_seat_format_price_and_what_is_left(mo: Member) -> None:
    ModelRoute.objects.create(pattern="fast", target=MODEL)
    Budget.objects.create(scope=BudgetScope.MEMBER, member=mo, limit_nano=2 * 10**9, hard=True)
    key, _secret = ApiKey.objects.issue(mo, "laptop", models=["fast"])
    found = told(session_of(mo), model="fast", key=key.pk, door="messages")
    assert (found["model"], found["seat"]["name"]) == (MODEL, "credits")
    assert (found["seat"]["why"], found["upstream"]) == ("the member's own", "messages")
    assert found["route"] == f"route 'fast' -> '{MODEL}' (console)"
    assert found["caller"] == {"member": "mo", "team": "Compilers", "key": "laptop"}
    assert found["price"]["tiers"][0]["input"]["nano"] > 0
    assert found["price"]["origin"] in {"live", "shipped"}
    assert [limit["requests_per_minute"] for limit in found["limits"]] == [None, 100]
    assert found["budgets"][0]["left"]["credits"] == "2"
    assert found["refusals"] == []


def test_a_refusal_is_told_beside_the_decision_it_refuses(mo: Member) -> None:
    Budget.objects.create(scope=BudgetScope.MEMBER, member=mo, limit_nano=0, hard=True)
    key, _secret = ApiKey.objects.issue(mo, "laptop", models=["gpt-*"], doors=["chat"])
    found = told(session_of(mo), model=MODEL, key=key.pk, door="messages")
    assert found["model"] == MODEL
    assert [refusal["code"] for refusal in found["refusals"]] == [
        "permission_denied", "permission_denied", "insufficient_quota",
    ]  # fmt: skip
    assert "messages" in found["refusals"][0]["message"]
    assert MODEL in found["refusals"][1]["message"]


def test_networks_are_asked_about_only_with_an_address(mo: Member) -> None:
    key, _secret = ApiKey.objects.issue(mo, addresses=["10.0.0.0/8"])
    client = session_of(mo)
    assert told(client, model=MODEL, key=key.pk, door="chat")["refusals"] == []
    assert told(client, model=MODEL, key=key.pk, door="chat", address="10.1.2.3")["refusals"] == []
    assert len(told(client, model=MODEL, key=key.pk, door="chat", address="192.0.2.1")["refusals"]) == 1


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"model": "claude-sonnet-5.6"}, "model_not_found"),
        ({"model": MODEL, "door": "embeddings"}, "invalid_request_error"),
    ],
)
def test_what_cannot_be_served_is_a_refusal(mo: Member, asked: dict[str, str], code: str) -> None:
    assert [refusal["code"] for refusal in told(session_of(mo), **asked)["refusals"]] == [code]


def test_without_a_seat_the_page_to_open_is_named() -> None:
    found = told(session_of(a_member("nora")), model=MODEL)
    assert (found["model"], found["seat"], found["price"]) == (None, None, None)
    assert found["refusals"][0]["code"] == "seat_required"
    assert "/auth/device" in found["refusals"][0]["message"]


def test_github_out_of_reach_is_a_refusal_until_there_is_a_kept_list(mo: Member, settings: Settings) -> None:
    there = settings.BRIDGE_COPILOT_URL, settings.BRIDGE_GITHUB_API_URL
    settings.BRIDGE_COPILOT_URL = settings.BRIDGE_GITHUB_API_URL = "http://127.0.0.1:9"
    client = session_of(mo)
    assert told(client, model=MODEL)["refusals"][0]["status"] >= 502
    settings.BRIDGE_COPILOT_URL, settings.BRIDGE_GITHUB_API_URL = there
    assert told(client, model=MODEL)["refusals"] == []
    settings.BRIDGE_COPILOT_URL = settings.BRIDGE_GITHUB_API_URL = "http://127.0.0.1:9"
    assert told(client, model=MODEL)["model"] == MODEL


def test_keys_and_members_that_are_not_ones_own_do_not_exist(mo: Member) -> None:
    nora, olga = a_member("nora"), a_member("olga", role=Role.OWNER)
    key, _secret = ApiKey.objects.issue(mo, "laptop")
    for asked in ({"key": str(key.pk)}, {"member": mo.pk}):
        assert (
            ask(
                session_of(nora), "get", f"/api/explain/?model=x&{'&'.join(f'{k}={v}' for k, v in asked.items())}"
            ).status_code
            == 404
        )
        assert told(session_of(olga), model=MODEL, **asked)["caller"]["member"] == "mo"


@pytest.mark.parametrize("query", ["", "model=", f"model={'x' * 201}", "model=x&door=cellar", "model=x&key=abc"])
def test_a_question_that_means_nothing_is_refused(mo: Member, query: str) -> None:
    assert ask(session_of(mo), "get", f"/api/explain/?{query}").status_code == 400


def test_the_portals_page_answers_for_own_keys_only(mo: Member) -> None:
    own, _secret = ApiKey.objects.issue(mo, "laptop")
    foreign, _other = ApiKey.objects.issue(a_member("nora"), "noras-key")
    browser = session_of(mo)
    asked = browser.get("/me/explain").content.decode()
    assert "laptop" in asked
    assert "noras-key" not in asked
    page = browser.get(
        "/me/explain", data={"model": MODEL, "key": str(own.pk), "door": Door.CHAT.value}
    ).content.decode()
    assert all(text in page for text in (MODEL, "credits", "It would pass", "100"))
    assert "noras-key" not in browser.get("/me/explain", data={"model": MODEL, "key": str(foreign.pk)}).content.decode()


def test_the_portals_page_works_without_github(mo: Member, unreachable: None) -> None:
    answer = session_of(mo).get("/me/explain", data={"model": MODEL})
    page = answer.content.decode()
    assert answer.status_code == 200
    assert "It would be refused" in page


def test_the_consoles_page_answers_for_everybody(mo: Member) -> None:
    key, _secret = ApiKey.objects.issue(mo, "laptop", models=["gpt-*"])
    for role in (Role.OWNER, Role.AUDITOR):
        browser = session_of(a_member(role=role))
        page = browser.get("/admin/explain/", data={"model": MODEL, "key": str(key.pk)}).content.decode()
        assert "mo · laptop" in page
        assert "may not use the model" in page
        assert "mo: laptop" in browser.get("/admin/explain/").content.decode()
        both = browser.get(
            "/admin/explain/", data={"model": MODEL, "key": str(key.pk), "member": str(mo.pk)}
        ).content.decode()
        assert "not both" in both
