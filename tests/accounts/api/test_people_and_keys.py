"""Members, teams and keys by the API: what owners make, what members may do with what is theirs."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import ApiKey, Door, Member, Role, Team, TrailEntry
from accounts.secrets import checksum_holds
from tests.accounts.api.world import ask, key_of, session_of
from tests.accounts.rows import a_member, a_record

pytestmark = pytest.mark.django_db


@pytest.fixture
def olga() -> Member:
    return a_member("olga", role=Role.OWNER)


@pytest.fixture
def mo() -> Member:
    return a_member("mo", team=Team.objects.create(name="Compilers", models=["claude-*"], doors=["chat", "messages"]))


@pytest.fixture
def owner(olga: Member) -> Client:
    return session_of(olga)


@pytest.fixture
def member(mo: Member) -> Client:
    return session_of(mo)


def fault(answer: Any) -> tuple[int, str, str | None]:
    told = answer.json()["error"]
    assert set(told) == {"code", "message", "param"}
    assert told["message"]
    return answer.status_code, told["code"], told["param"]


def test_a_key_is_shown_once_and_works(member: Client, mo: Member) -> None:
    body = {"name": "laptop", "doors": ["chat"], "models": ["claude-opus-*"], "requests_per_minute": 5}
    answer = ask(member, "post", "/api/keys/", body)
    told = answer.json()
    assert answer.status_code == 201
    assert "no-store" in answer["Cache-Control"]
    assert checksum_holds(told["secret"])
    key = ApiKey.objects.get(pk=told["id"])
    assert (key.member, key.doors, key.models, key.requests_per_minute) == (mo, ["chat"], ["claude-opus-*"], 5)
    assert ApiKey.objects.for_secret(told["secret"]) == key
    again = ask(member, "get", f"/api/keys/{key.pk}/")
    assert "secret" not in again.json()
    assert told["secret"] not in again.content.decode()


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"doors": ["responses"]}, "doors"),
        ({"models": ["gpt-5"]}, "models"),
        ({"addresses": ["somewhere"]}, "addresses"),
        ({"doors": ["cellar"]}, "doors"),
        ({"requests_per_minute": 0}, "requests_per_minute"),
        ({"name": "x" * 121}, "name"),
        ({"member": 99_999}, "member"),
    ],
)
def test_a_key_that_cannot_be_issued_is_refused_by_field(member: Client, body: dict[str, Any], param: str) -> None:
    status, code, named = fault(ask(member, "post", "/api/keys/", body))
    assert (status, code) == (400, "invalid")
    assert named is not None
    assert named.split(".")[0] == param
    assert not ApiKey.objects.exists()


def test_a_member_issues_neither_for_others_nor_for_this_api(member: Client, olga: Member) -> None:
    assert fault(ask(member, "post", "/api/keys/", {"member": olga.pk}))[:2] == (403, "permission_denied")
    assert fault(ask(member, "post", "/api/keys/", {"doors": [Door.MANAGEMENT]}))[:2] == (403, "permission_denied")
    assert not ApiKey.objects.exists()


def test_an_owner_issues_for_others_and_for_this_api(owner: Client, mo: Member) -> None:
    mo.team = None
    mo.save(update_fields=["team"])
    answer = ask(owner, "post", "/api/keys/", {"member": mo.pk, "doors": [Door.MANAGEMENT]})
    assert answer.status_code == 201
    client = Client(headers={"x-api-key": answer.json()["secret"]})
    assert [row["username"] for row in ask(client, "get", "/api/members/").json()["results"]] == ["mo"]


def test_a_member_renames_a_key_but_does_not_widen_it(member: Client, mo: Member) -> None:
    key, _secret = ApiKey.objects.issue(mo, "old", requests_per_minute=5)
    assert ask(member, "patch", f"/api/keys/{key.pk}/", {"name": "new"}).json()["name"] == "new"
    assert fault(ask(member, "patch", f"/api/keys/{key.pk}/", {"requests_per_minute": None}))[0] == 403
    key.refresh_from_db()
    assert (key.name, key.requests_per_minute) == ("new", 5)


def test_rotation_overlaps_and_revocation_ends_at_once(member: Client, mo: Member) -> None:
    key, _secret = ApiKey.objects.issue(mo, "laptop", doors=["chat"])
    answer = ask(member, "post", f"/api/keys/{key.pk}/rotate/", {"overlap_seconds": 3600})
    successor = ApiKey.objects.get(pk=answer.json()["id"])
    key.refresh_from_db()
    assert answer.status_code == 201
    assert (successor.replaces, successor.doors) == (key, ["chat"])
    assert key.expires_at is not None
    assert timedelta(minutes=59) < key.expires_at - timezone.now() <= timedelta(hours=1)
    assert ask(member, "post", f"/api/keys/{successor.pk}/revoke/").json()["is_live"] is False
    assert fault(ask(member, "post", f"/api/keys/{successor.pk}/rotate/"))[:2] == (400, "invalid")


@pytest.mark.parametrize("change", ["revoked", "expired", "inactive", "elsewhere", "unscoped"])
def test_a_key_that_ends_is_refused_with_the_next_request(olga: Member, change: str) -> None:
    key, secret = ApiKey.objects.issue(olga, doors=[Door.MANAGEMENT])
    client = Client(headers={"authorization": f"Bearer {secret}"})
    assert ask(client, "get", "/api/keys/").status_code == 200
    match change:
        case "revoked":
            key.revoke()
        case "expired":
            ApiKey.objects.filter(pk=key.pk).update(expires_at=timezone.now())
        case "inactive":
            Member.objects.filter(pk=olga.pk).update(is_active=False)
        case "elsewhere":
            ApiKey.objects.filter(pk=key.pk).update(addresses=["10.0.0.0/8"])
        case _:
            ApiKey.objects.filter(pk=key.pk).update(doors=["chat"])
    refused = fault(ask(client, "get", "/api/keys/"))[:2]
    assert refused == ((403, "permission_denied") if change in ("elsewhere", "unscoped") else (401, "invalid_api_key"))


@pytest.mark.parametrize("way", ["api_key={}", "access_token={}", "search={}", "key={}"])
def test_a_key_in_an_address_is_refused_whoever_asks(owner: Client, olga: Member, way: str) -> None:
    _key, secret = ApiKey.objects.issue(olga, doors=[Door.MANAGEMENT])
    address = f"/api/members/?{way.format(secret)}"
    for client in (Client(), owner, Client(headers={"x-api-key": secret})):
        assert fault(ask(client, "get", address))[:2] == (401, "invalid_api_key")


def test_a_session_needs_the_pages_token_to_change_something(olga: Member) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(olga)
    assert fault(ask(client, "post", "/api/teams/", {"name": "Tools"}))[:2] == (403, "permission_denied")
    client.get("/me/keys")
    token = client.cookies["csrftoken"].value
    assert ask(client, "post", "/api/teams/", {"name": "Tools"}, **{"X-CSRFToken": token}).status_code == 201


def test_last_use_of_a_key_is_noted_without_a_step_of_the_epoch(olga: Member) -> None:
    client = key_of(olga, Door.MANAGEMENT)
    entries = TrailEntry.objects.count()
    ask(client, "get", "/api/teams/")
    assert ApiKey.objects.get().last_used_at is not None
    assert TrailEntry.objects.count() == entries


def test_the_trail_names_who_acts_through_which_key(olga: Member) -> None:
    client = key_of(olga, Door.MANAGEMENT)
    ask(client, "post", "/api/teams/", {"name": "Tools"})
    entry = TrailEntry.objects.order_by("-number")[0]
    assert (entry.subject_name, entry.actor) == ("Tools", olga)
    assert entry.actor_name == f"olga via {ApiKey.objects.get().hint}"


def test_errors_are_told_in_the_members_language(olga: Member) -> None:
    olga.language = "zh-hans"
    olga.save(update_fields=["language"])
    answer = ask(key_of(olga, Door.MANAGEMENT), "put", "/api/teams/")
    assert fault(answer)[:2] == (405, "method_not_allowed")
    assert not answer.json()["error"]["message"].isascii()


def test_what_the_ledger_names_is_not_deleted(owner: Client, mo: Member) -> None:
    key, _secret = ApiKey.objects.issue(mo)
    a_record(1, member=mo, key=key)
    for address in (f"/api/members/{mo.pk}/", f"/api/keys/{key.pk}/", f"/api/teams/{mo.team_id}/"):
        assert fault(ask(owner, "delete", address))[:2] == (409, "in_use")
    assert ApiKey.objects.exists()


def test_a_new_members_password_goes_in_and_never_comes_out(owner: Client) -> None:
    body = {"username": "nina", "password": "a long enough passphrase"}
    told = ask(owner, "post", "/api/members/", body).json()
    nina = Member.objects.get(username="nina")
    assert "password" not in told
    assert nina.check_password("a long enough passphrase")
    assert nina.must_change_password
    assert fault(ask(owner, "post", "/api/members/", {"username": "nora", "password": "short"}))[2] == "password"
    assert fault(ask(owner, "patch", f"/api/members/{nina.pk}/", {"password": "another long one"}))[2] == "password"
    silent = ask(owner, "post", "/api/members/", {"username": "otto"}).json()
    assert not Member.objects.get(pk=silent["id"]).has_usable_password()


def test_roles_are_the_owners_affair_and_one_owner_stays(
    owner: Client, olga: Member, member: Client, mo: Member
) -> None:
    assert fault(ask(member, "patch", f"/api/members/{mo.pk}/", {"role": "owner"}))[0] == 403
    assert ask(member, "patch", f"/api/members/{mo.pk}/", {"time_zone": "Asia/Shanghai"}).status_code == 200
    assert ask(owner, "patch", f"/api/members/{mo.pk}/", {"role": "auditor"}).json()["role"] == "auditor"
    assert fault(ask(owner, "patch", f"/api/members/{olga.pk}/", {"role": "member"}))[:2] == (409, "conflict")
    assert fault(ask(owner, "post", f"/api/members/{olga.pk}/deactivate/"))[:2] == (409, "conflict")
    assert Member.objects.get(pk=olga.pk).is_active


def test_a_deactivated_member_is_out_at_once(owner: Client, member: Client, mo: Member) -> None:
    assert ask(member, "get", "/api/keys/").status_code == 200
    assert ask(owner, "post", f"/api/members/{mo.pk}/deactivate/").json()["is_active"] is False
    assert fault(ask(member, "get", "/api/keys/"))[0] == 401
    assert ask(owner, "post", f"/api/members/{mo.pk}/activate/").json()["is_active"] is True


def test_an_address_without_its_slash_leads_on_or_says_so(owner: Client) -> None:
    assert owner.get("/api/members?limit=2")["location"] == "/api/members/?limit=2"
    assert fault(ask(owner, "post", "/api/members", {}))[:2] == (404, "not_found")
    assert fault(ask(owner, "get", "/api/nowhere/"))[:2] == (404, "not_found")


@pytest.mark.parametrize(("body", "kind", "status"), [("{", "application/json", 400), ("a=b", "text/plain", 415)])
def test_bodies_that_are_no_json_are_told_in_the_one_shape(owner: Client, body: str, kind: str, status: int) -> None:
    answer = owner.post("/api/teams/", body, content_type=kind)
    assert fault(answer)[0] == status
