"""Everything that is done to a watched row is in the trail, once, with who did it, and never a secret."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth import authenticate
from django.db import transaction
from django.db.models import F, Model
from django.test import Client
from django.utils import timezone

from accounts.actor import acting, current_actor
from accounts.database import in_thread
from accounts.models import (
    ApiKey,
    Budget,
    BudgetScope,
    Kept,
    Member,
    ModelRoute,
    Role,
    Seat,
    Team,
    TrailEntry,
    TrailHead,
    Watched,
)
from accounts.models.sign_in_trail import FAILURES_PER_MINUTE
from accounts.models.witness import Witness
from accounts.trail import append, verify
from tests.accounts.rows import a_member, a_seat

pytestmark = pytest.mark.django_db


def told_by(act: Any, *args: Any, **options: Any) -> list[TrailEntry]:
    """Return the entries that an act appends, in their order."""
    before = TrailHead.objects.first()
    act(*args, **options)
    return list(TrailEntry.objects.filter(number__gt=before.number if before else 0).order_by("number"))


def changes(entry: TrailEntry) -> dict[str, Any]:
    return dict(json.loads(entry.detail))


def test_a_new_row_is_told_with_its_columns_and_without_the_empty_ones() -> None:
    team = Team(name="Compilers", note="new")
    (entry,) = told_by(team.save)
    assert (entry.action, entry.subject_type, entry.subject_id, entry.subject_name) == (
        "team.created", "team", str(team.pk), "Compilers",
    )  # fmt: skip
    told = changes(entry)
    assert told["name"] == {"new": "Compilers"}
    assert told["slug"] == {"new": "compilers"}
    assert "models" not in told
    assert "requests_per_minute" not in told


def test_a_change_is_told_with_old_and_new_and_nothing_that_stayed() -> None:
    team = Team.objects.create(name="Compilers")
    team.note, team.active = "moved", False
    (entry,) = told_by(team.save)
    assert entry.action == "team.changed"
    assert changes(entry) == {"note": {"old": "", "new": "moved"}, "active": {"old": True, "new": False}}


def test_a_save_that_changes_nothing_is_not_told() -> None:
    team = Team.objects.create(name="Compilers")
    assert told_by(team.save) == []


def test_only_the_columns_that_were_written_are_told() -> None:
    team = Team.objects.create(name="Compilers")
    team.note, team.name = "moved", "Linkers"
    (entry,) = told_by(team.save, update_fields=["note"])
    assert changes(entry) == {"note": {"old": "", "new": "moved"}}
    assert entry.subject_name == "Compilers"


def test_the_old_value_is_the_stored_one_and_not_what_the_instance_held() -> None:
    team = Team.objects.create(name="Compilers", note="first")
    stale = Team.objects.get(pk=team.pk)
    Team.objects.filter(pk=team.pk).update(note="second")
    stale.note = "third"
    (entry,) = told_by(stale.save, update_fields=["note"])
    assert changes(entry) == {"note": {"old": "second", "new": "third"}}


def test_an_expression_is_told_as_the_value_it_became() -> None:
    route = ModelRoute.objects.create(pattern="a", target="b", priority=4)
    route.priority = F("priority") + 1
    (saved,) = told_by(route.save, update_fields=["priority"])
    (updated,) = told_by(ModelRoute.objects.filter(pk=route.pk).update, priority=F("priority") * 2)
    assert changes(saved) == {"priority": {"old": 4, "new": 5}}
    assert changes(updated) == {"priority": {"old": 5, "new": 10}}


def test_an_update_is_told_row_by_row_and_only_for_the_rows_it_changed() -> None:
    Team.objects.bulk_create([Team(name=name, slug=name, note="x" if name == "b" else "") for name in "abc"])
    entries = told_by(Team.objects.order_by("name").update, note="x")
    assert [entry.subject_name for entry in entries] == ["a", "c"]
    assert {json.dumps(changes(entry)) for entry in entries} == {'{"note": {"new": "x", "old": ""}}'}


def test_a_row_that_no_longer_matches_after_its_update_is_told() -> None:
    Team.objects.create(name="Compilers")
    (entry,) = told_by(Team.objects.filter(active=True).update, active=False)
    assert changes(entry) == {"active": {"old": True, "new": False}}


def test_bulk_writes_of_every_kind_are_told() -> None:
    made = told_by(ModelRoute.objects.bulk_create, [ModelRoute(pattern=name, target="t") for name in "ab"])
    assert [(entry.action, entry.subject_name) for entry in made] == [
        ("route.created", "a → t"), ("route.created", "b → t"),
    ]  # fmt: skip
    rows = list(ModelRoute.objects.order_by("pattern"))
    for row in rows:
        row.note = row.pattern.upper()
    changed = told_by(ModelRoute.objects.bulk_update, rows, ["note"])
    assert [changes(entry)["note"]["new"] for entry in changed] == ["A", "B"]
    gone = told_by(ModelRoute.objects.all().delete)
    assert sorted((entry.action, entry.subject_name) for entry in gone) == [
        ("route.deleted", "a → t"), ("route.deleted", "b → t"),
    ]  # fmt: skip
    assert changes(gone[0])["target"] == {"old": "t"}


def test_a_bulk_write_over_rows_that_may_exist_is_told_by_names() -> None:
    route = ModelRoute(pattern="a", target="t")
    (entry,) = told_by(ModelRoute.objects.bulk_create, [route], ignore_conflicts=True)
    assert (entry.action, entry.subject_id, changes(entry)) == ("route.written", "", {"rows": ["a → t"]})


def test_get_or_create_and_update_or_create_are_told_once() -> None:
    (made,) = told_by(Team.objects.get_or_create, name="Compilers", defaults={"note": "n"})
    (changed,) = told_by(Team.objects.update_or_create, name="Compilers", defaults={"note": "m"})
    assert (made.action, changed.action) == ("team.created", "team.changed")
    assert told_by(Team.objects.get_or_create, name="Compilers") == []


def test_a_delete_is_told_with_what_was_lost() -> None:
    route = ModelRoute.objects.create(pattern="a", target="b", note="why")
    number = route.pk
    (entry,) = told_by(route.delete)
    assert (entry.action, entry.subject_id) == ("route.deleted", str(number))
    assert changes(entry)["note"] == {"old": "why"}


def test_quiet_writes_are_not_told() -> None:
    seat = a_seat()
    seat.copilot_token = "tid=quiet"
    assert told_by(seat.save, update_fields=["copilot_token"]) == []
    assert told_by(Seat.objects.filter(pk=seat.pk).quiet_update, label="hushed") == []


def test_what_is_rolled_back_was_never_told() -> None:
    team = Team.objects.create(name="Compilers")
    with transaction.atomic():
        team.deactivate()
        transaction.set_rollback(True)
    assert TrailEntry.objects.get().action == "team.created"
    assert verify().is_intact


def test_related_rows_are_told_with_id_and_name() -> None:
    one, other = Team.objects.create(name="One"), Team.objects.create(name="Other")
    member = a_member("mo", team=one)
    member.team = other
    (entry,) = told_by(member.save)
    assert entry.action == "member.team_changed"
    assert changes(entry) == {"team": {"old": {"id": one.pk, "name": "One"}, "new": {"id": other.pk, "name": "Other"}}}


def test_lists_are_told_as_values_and_long_texts_are_cut() -> None:
    team = Team.objects.create(name="Compilers")
    team.models, team.note = ["gpt-5*"], "n" * 9000
    (entry,) = told_by(team.save)
    told = changes(entry)
    assert told["models"] == {"old": [], "new": ["gpt-5*"]}
    assert len(told["note"]["new"]) == 2000
    assert told["note"]["new"].endswith("…")


def test_the_verbs_of_a_key_have_names_of_their_own() -> None:
    member = a_member()
    (issued,) = told_by(ApiKey.objects.issue, member, "laptop", secret="brg_" + "k" * 49)
    key = ApiKey.objects.get()
    issued_as, rotated, shortened = issued, *told_by(key.rotate, timedelta(hours=1))
    key.requests_per_minute = 5
    (limited,) = told_by(key.save, update_fields=["requests_per_minute"])
    (revoked,) = told_by(key.revoke)
    assert [entry.action for entry in (issued_as, rotated, shortened, limited, revoked)] == [
        "key.issued", "key.rotated", "key.end_moved", "key.limits_changed", "key.revoked",
    ]  # fmt: skip
    assert changes(rotated)["replaces"]["new"]["id"] == key.pk
    assert told_by(key.revoke) == []


def test_the_verbs_of_a_member_have_names_of_their_own() -> None:
    member = a_member("mo")
    member.role = Role.AUDITOR
    (promoted,) = told_by(member.save, update_fields=["role"])
    assert promoted.action == "member.role_changed"
    assert changes(promoted)["role"] == {"old": "member", "new": "auditor"}
    assert changes(promoted)["is_staff"] == {"old": False, "new": True}
    (ended,) = told_by(member.deactivate)
    assert (ended.action, changes(ended)) == ("member.access_changed", {"is_active": {"old": True, "new": False}})


def test_a_new_password_is_told_without_a_value_and_a_new_hash_of_the_same_is_not() -> None:
    member = a_member("mo", password="first-password-of-mo")
    member.set_password("second-password-of-mo")
    (entry,) = told_by(member.save)
    assert (entry.action, entry.subject_name, entry.detail) == ("member.password_set", "mo", "{}")
    member.password = member.password.replace("md5$", "md5$", 1)
    assert told_by(member.save, update_fields=["password"]) == []


def test_states_of_a_seat_are_told_as_acts_of_the_gateway() -> None:
    seat = a_seat()
    until = timezone.now() + timedelta(minutes=5)
    (cooled,) = told_by(seat.cool, until, "slow down")
    assert (cooled.action, cooled.actor_name, cooled.actor_id) == ("seat.state_changed", "gateway", None)
    assert changes(cooled)["state"] == {"old": "active", "new": "cooling"}
    assert changes(cooled)["state_reason"] == {"old": "", "new": "slow down"}
    assert told_by(seat.cool, until, "slow down") == []


def test_teams_that_a_seat_serves_are_told_from_both_sides() -> None:
    seat, team = a_seat(login="octo"), Team.objects.create(name="Compilers")
    (added,) = told_by(seat.teams.add, team)
    assert (added.action, added.subject_name) == ("seat.service_changed", "octo")
    assert changes(added) == {"teams": {"added": ["Compilers"]}}
    assert told_by(seat.teams.add, team) == []
    (removed,) = told_by(team.seats.remove, seat)
    assert (removed.subject_type, removed.subject_id) == ("seat", str(seat.pk))
    assert changes(removed) == {"teams": {"removed": ["Compilers"]}}
    seat.teams.add(team)
    (cleared,) = told_by(seat.teams.clear)
    assert changes(cleared) == {"teams": {"removed": ["Compilers"]}}
    seat.teams.add(team)
    (from_there,) = told_by(team.seats.clear)
    assert (from_there.subject_name, changes(from_there)) == ("octo", {"teams": {"removed": ["Compilers"]}})


def test_no_secret_gets_into_the_trail() -> None:
    secret = "brg_" + "s" * 49
    member = a_member("mo", password="a-password-of-mo")
    key, _text = ApiKey.objects.issue(member, secret=secret)
    seat = a_seat(member, github_token="ghu_only_the_vault_knows", copilot_token="tid=vault")
    seat.github_token = "ghu_another"
    (entry,) = told_by(seat.save)
    assert changes(entry) == {"github_token": {"changed": True}}
    member.refresh_from_db()
    stored = Seat.objects.values_list("github_token", flat=True).get()
    assert stored is not None
    whole = json.dumps(list(TrailEntry.objects.values_list("detail", "subject_name", "reason")))
    for hidden in (secret, key.digest, "ghu_", "tid=", member.password, stored.ciphertext, "a-password-of-mo"):
        assert hidden not in whole


@pytest.mark.parametrize("model", [model for model in apps.get_models() if issubclass(model, Watched)])
def test_every_column_that_looks_like_a_secret_is_told_without_its_value(model: type[Model]) -> None:
    secrets = [f for f in model._meta.concrete_fields if f.name in {"password", "digest"} or "token" in f.name]
    texts = [f for f in secrets if f.get_internal_type() in {"CharField", "TextField"}]
    row = model(**{f.attname: "not-for-the-trail" for f in texts})
    witness = Witness(model, texts)
    seen = witness._changes(None, _seen(row, texts))
    assert seen == {f.name: {"changed": True} for f in texts}


def _seen(row: Model, fields: list[Any]) -> Any:
    return type("Seen", (), {"name": "", "values": {f.attname: getattr(row, f.attname) for f in fields}})()


def test_the_actor_is_the_gateway_unless_somebody_acts() -> None:
    member = a_member("alice")
    (plain,) = told_by(Team.objects.create, name="A")
    with acting(member):
        (hers,) = told_by(Team.objects.create, name="B")
        with acting(None, "command tidy"):
            (commands,) = told_by(Team.objects.create, name="C")
        (hers_again,) = told_by(Team.objects.create, name="D")
    assert [(e.actor_id, e.actor_name) for e in (plain, hers, commands, hers_again)] == [
        (None, "gateway"), (member.pk, "alice"), (None, "command tidy"), (member.pk, "alice"),
    ]  # fmt: skip
    assert current_actor().name == "gateway"


async def test_the_actor_goes_along_into_threads_and_tasks_and_stays_apart_between_them() -> None:
    async def one(name: str) -> str:
        with acting(None, name):
            await asyncio.sleep(0)
            return (await in_thread(current_actor)()).name

    assert [*await asyncio.gather(one("a"), one("b"), one("c"))] == ["a", "b", "c"]
    assert current_actor().name == "gateway"


def test_the_trail_is_only_ever_added_to() -> None:
    entry = append("test.act")
    rows = TrailEntry.objects.all()
    for attempt in (
        entry.save, entry.delete, rows.delete, lambda: rows.update(reason="x"),
        lambda: rows.bulk_update([entry], ["reason"]), lambda: rows.bulk_create([TrailEntry(number=9)]),
        lambda: TrailEntry.objects.create(number=9), lambda: rows._raw_delete("default"),
        lambda: TrailEntry._base_manager.all().delete(),
    ):  # fmt: skip
        with pytest.raises(TypeError, match="only ever added"):
            attempt()
    assert TrailEntry.objects.count() == 1


def test_names_and_reasons_from_outside_are_stored_as_they_are_hashed() -> None:
    odd = "nul\x00 lone\ud800 " + "x" * 5000
    team = Team(pk=1, name=odd)
    entry = append("test.act" * 20, team, {"x": odd[4:6]}, odd)
    stored = TrailEntry.objects.get(pk=entry.pk)
    assert len(stored.action) == 60
    assert len(stored.subject_name) == 300
    assert stored.reason.startswith("nul lone? ")
    assert verify().is_intact


def test_sign_ins_and_sign_outs_are_told(client: Client) -> None:
    member = a_member("mo", password="a-password-of-mo")

    def come_and_go() -> None:
        client.force_login(member)
        client.logout()

    signed_in, signed_out = told_by(come_and_go)
    assert [(e.action, e.actor_name, e.subject_name) for e in (signed_in, signed_out)] == [
        ("member.signed_in", "mo", "mo"), ("member.signed_out", "mo", "mo"),
    ]  # fmt: skip


def test_a_failed_sign_in_is_told_with_the_name_of_a_member_and_with_nothing_else_that_was_typed() -> None:
    a_member("mo", password="a-password-of-mo")
    (known,) = told_by(authenticate, username="mo", password="a-wrong-one")
    (unknown,) = told_by(authenticate, username="a-password-typed-as-name", password="x")
    assert (known.action, known.actor_name, known.subject_name) == ("member.sign_in_failed", "visitor", "mo")
    assert (unknown.action, unknown.subject_name, unknown.detail) == ("member.sign_in_failed", "", "{}")


def test_a_flood_of_failed_sign_ins_does_not_fill_the_trail(caplog: pytest.LogCaptureFixture) -> None:
    for _number in range(FAILURES_PER_MINUTE + 3):
        authenticate(username="nobody", password="x")
    assert TrailEntry.objects.filter(action="member.sign_in_failed").count() == FAILURES_PER_MINUTE
    assert caplog.text.count("not in the trail") == 3


def test_a_budget_is_told_like_every_watched_row() -> None:
    (entry,) = told_by(Budget.objects.create, scope=BudgetScope.INSTALLATION, limit_nano=5)
    assert entry.action == "budget.created"
    assert changes(entry)["limit_nano"] == {"new": 5}


def test_no_model_forgets_the_trail() -> None:
    """Whoever overrides save or delete of a watched row calls the one that tells."""
    team = Team.objects.create(name="Compilers")
    member = a_member(team=team)
    key, _text = ApiKey.objects.issue(member)
    rows: list[Model] = [team, member, key, a_seat(member)]
    rows += [ModelRoute.objects.create(pattern="a", target="b"), Budget.objects.create(limit_nano=1)]
    watched = {model for model in apps.get_models() if issubclass(model, Watched)}
    assert {type(row) for row in rows} >= {model for model in watched if issubclass(model, Kept)}
    told = set(TrailEntry.objects.values_list("subject_type", "subject_id"))
    assert {(str(row._meta.model_name), str(row.pk)) for row in rows} <= told


def test_a_member_is_the_same_row_in_the_trail_after_a_change_of_name() -> None:
    member = a_member("mo")
    with acting(member):
        append("test.act")
    Member.objects.filter(pk=member.pk).update(username="moritz")
    entry = TrailEntry.objects.filter(action="test.act").get()
    assert (entry.actor_name, entry.actor_id) == ("mo", member.pk)
    assert verify().is_intact
