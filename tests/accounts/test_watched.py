"""Every change that running processes must hear of steps the epoch, in the same transaction."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.apps import apps
from django.db import IntegrityError, transaction
from django.db.models import ProtectedError

from accounts.models import Epoch, Kept, KeptQuerySet, ModelRoute, Seat, Team, Watched, WatchedQuerySet
from tests.accounts.rows import a_member, a_seat

pytestmark = pytest.mark.django_db


def steps_of(act: Callable[[], object]) -> int:
    before = Epoch.current()
    act()
    return Epoch.current() - before


def test_the_epoch_begins_at_zero_and_grows_by_one() -> None:
    Epoch.objects.all().delete()
    assert Epoch.current() == 0
    Epoch.bump()
    Epoch.bump()
    assert Epoch.current() == 2
    assert Epoch.objects.count() == 1


def test_there_can_be_only_one_epoch_row() -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Epoch.objects.create(pk=2)


def test_save_steps_the_epoch() -> None:
    team = Team(name="Compilers")
    assert steps_of(team.save) == 1


def test_update_through_a_query_steps_the_epoch_once_for_many_rows() -> None:
    Team.objects.bulk_create([Team(name="A", slug="a"), Team(name="B", slug="b")])
    assert steps_of(lambda: Team.objects.all().update(note="moved")) == 1


def test_an_update_that_finds_no_row_is_not_announced() -> None:
    assert steps_of(lambda: Team.objects.filter(name="nobody").update(note="x")) == 0


def test_update_through_a_related_manager_steps_the_epoch() -> None:
    member = a_member(team=Team.objects.create(name="Compilers"))
    assert member.team is not None
    members = member.team.members
    assert steps_of(lambda: members.update(is_active=False)) == 1


def test_bulk_create_steps_the_epoch() -> None:
    assert steps_of(lambda: Team.objects.bulk_create([Team(name="A", slug="a")])) == 1


def test_delete_of_a_row_and_of_a_query_step_the_epoch() -> None:
    one = ModelRoute.objects.create(pattern="a", target="b")
    ModelRoute.objects.create(pattern="c", target="d")
    assert steps_of(one.delete) == 1
    assert steps_of(ModelRoute.objects.all().delete) == 1


def test_quiet_update_is_unheard() -> None:
    team = Team.objects.create(name="Compilers")
    assert steps_of(lambda: Team.objects.filter(pk=team.pk).quiet_update(note="hushed")) == 0
    team.refresh_from_db()
    assert team.note == "hushed"


def test_saving_only_quiet_fields_is_unheard_and_one_loud_field_is_enough_to_be_heard() -> None:
    seat = a_seat()
    assert steps_of(lambda: seat.save(update_fields=["copilot_token", "quota"])) == 0
    assert steps_of(lambda: seat.save(update_fields=["quota", "label"])) == 1


def test_teams_of_a_seat_step_the_epoch_though_they_are_rows_of_their_own() -> None:
    seat, team = a_seat(), Team.objects.create(name="Compilers")
    assert steps_of(lambda: seat.teams.add(team)) == 1
    assert steps_of(lambda: seat.teams.remove(team)) == 1


def test_a_rolled_back_change_leaves_no_step_behind() -> None:
    team = Team.objects.create(name="Compilers")
    before = Epoch.current()
    with transaction.atomic():
        team.deactivate()
        transaction.set_rollback(True)
    assert Epoch.current() == before


def test_kept_rows_are_refused_deletion_with_a_sentence() -> None:
    seat = a_seat(label="Big seat")
    with pytest.raises(ProtectedError, match="Big seat cannot be deleted"):
        seat.delete()
    with pytest.raises(ProtectedError, match="deactivate"):
        Seat.objects.all().delete()
    assert Seat.objects.filter(pk=seat.pk).exists()


@pytest.mark.parametrize("model", [model for model in apps.get_models() if issubclass(model, Watched)])
def test_every_watched_model_has_the_manager_that_announces(model: type[Watched]) -> None:
    expected = KeptQuerySet if issubclass(model, Kept) else WatchedQuerySet
    assert isinstance(model._default_manager.all(), expected)
