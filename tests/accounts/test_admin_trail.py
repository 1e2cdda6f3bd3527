"""The trail and the act of correction in the console: who may look, who may correct, what each page shows."""

from __future__ import annotations

from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.test import AsyncClient, Client
from django.urls import reverse

from accounts.models import ApiKey, Correction, Member, Role, Team, TrailEntry, UsageDay, UsageRecord
from accounts.trail import append
from tests.accounts.console import act_on, auditor, list_of, outsider, owner, page_of, text_of
from tests.accounts.rows import a_member, a_record
from tests.accounts.test_corrections import a_booked

__all__ = ["auditor", "outsider", "owner"]

pytestmark = pytest.mark.django_db


def shown(visitor: Client, **query: str) -> list[str]:
    """Return the acts in the trail's list, in its order."""
    page = visitor.get(list_of("trailentry"), query)
    assert page.status_code == 200
    return [entry.action for entry in page.context["cl"].result_list]


def form_of(record: UsageRecord, visitor: Client, **changes: str) -> dict[str, Any]:
    """Return what the form of a correction would post, as it stands and with changes."""
    form = visitor.get(act_on(record, "correct_one")).context["form"]
    held = {name: form[name].value() for name in form.fields}
    return {name: "" if value is None else value for name, value in held.items()} | changes


def test_the_latest_act_comes_first_with_who_what_and_why(owner: Client) -> None:
    team = Team.objects.create(name="Compilers")
    append("test.act", team, {"note": {"old": "a", "new": "b"}}, "as agreed")
    assert shown(owner)[:2] == ["test.act", "team.created"]
    page = text_of(owner.get(list_of("trailentry")))
    assert "as agreed" in page
    assert f'<a href="{page_of(team)}">team Compilers</a>' in page
    assert "gateway" in page


def test_the_trail_is_found_by_name_act_reason_and_hash_and_filtered_by_act_and_person(owner: Client) -> None:
    entry = append("test.act", Team.objects.create(name="Compilers"), reason="as agreed")
    olga = Member.objects.get(username="olga")
    for word in ("as agreed", "test.act", entry.hash):
        assert shown(owner, q=word) == ["test.act"]
    assert shown(owner, q="Compilers") == ["test.act", "team.created"]
    assert shown(owner, act="test.act") == ["test.act"]
    assert shown(owner, actor__id__exact=str(olga.pk)) == ["member.signed_in"]
    assert shown(owner, at__year="1999") == []


def test_an_entry_shows_old_and_new_by_column_and_its_seal(owner: Client) -> None:
    one, other = Team.objects.create(name="Compilers"), Team.objects.create(name="Linkers")
    member = a_member("rosa", team=one)
    member.team = other
    member.role = Role.AUDITOR
    member.save()
    entry = TrailEntry.objects.latest("number")
    page = text_of(owner.get(page_of(entry)))
    for told in (f"Compilers (#{one.pk})", f"Linkers (#{other.pk})", ">auditor<", ">member<", entry.hash, "rosa"):
        assert told in page
    assert entry.previous_hash in page


def test_a_secret_is_shown_as_changed(owner: Client) -> None:
    ApiKey.objects.issue(a_member(), "laptop", secret="brg_" + "k" * 49)
    entry = TrailEntry.objects.filter(action="key.issued").get()
    page = text_of(owner.get(page_of(entry)))
    assert "changed; the value is secret" in page
    assert ApiKey.objects.get().digest not in page


def test_counts_lists_and_markup_are_shown_as_text(owner: Client) -> None:
    entry = append("test.act", changes={"requests": 7, "rows": ["a", "<b>"], "teams": {"removed": ["<i>x</i>"]}})
    page = text_of(owner.get(page_of(entry)))
    assert ">7<" in page
    assert "a, &lt;b&gt;" in page
    assert "&lt;i&gt;x&lt;/i&gt;" in page


def test_an_auditor_reads_the_trail_and_a_member_does_not(auditor: Client, outsider: Client) -> None:
    entry = append("test.act")
    assert "test.act" in shown(auditor)
    assert auditor.get(page_of(entry)).status_code == 200
    assert outsider.get(list_of("trailentry")).status_code == 302
    assert outsider.get(page_of(entry)).status_code == 302


@pytest.mark.parametrize("act", ["change", "delete", "add"])
def test_nobody_changes_the_trail_through_the_console(owner: Client, auditor: Client, act: str) -> None:
    entry = append("test.act", reason="why")
    address = reverse(f"admin:accounts_trailentry_{act}", args=[] if act == "add" else [entry.pk])
    for visitor in (owner, auditor):
        assert visitor.post(address, {"reason": "forged", "post": "yes"}).status_code == 403
    assert TrailEntry.objects.get(pk=entry.pk).reason == "why"


def test_what_somebody_does_in_the_console_is_told_in_their_name(owner: Client) -> None:
    team = Team.objects.create(name="Compilers")
    owner.post(act_on(team, "deactivate_one"), {"confirmed": "yes"})
    entry = TrailEntry.objects.latest("number")
    assert (entry.action, entry.actor_name, entry.subject_name) == ("team.changed", "olga", "Compilers")
    assert entry.actor is not None
    assert entry.actor.username == "olga"


def test_what_somebody_does_through_the_asynchronous_handler_is_told_in_their_name() -> None:
    member, team = a_member("mo", role=Role.OWNER), Team.objects.create(name="Compilers")

    async def deactivate() -> int:
        client = AsyncClient()
        await client.aforce_login(member)
        answer = await client.post(act_on(team, "deactivate_one"), {"confirmed": "yes"})
        return answer.status_code

    # The database work of the loop runs in this thread, on the connection of this test.
    assert async_to_sync(deactivate)() == 302
    entry = TrailEntry.objects.latest("number")
    assert (entry.action, entry.actor_name, entry.actor_id) == ("team.changed", "mo", member.pk)


def test_a_visitor_who_is_nobody_acts_as_a_visitor(client: Client) -> None:
    a_member("mo", password="a-password-of-mo")
    client.post(reverse("signin"), {"username": "mo", "password": "a-wrong-one"})
    failed = TrailEntry.objects.latest("number")
    assert (failed.action, failed.actor_name) == ("member.sign_in_failed", "visitor")


def test_a_correction_is_asked_shown_confirmed_and_done(owner: Client) -> None:
    record = a_booked(1, output_tokens=10, nano_reported=5, cost_source="reported")
    address = act_on(record, "correct_one")
    assert address in text_of(owner.get(page_of(record)))
    filled = form_of(record, owner, output_tokens="12", reason="counted twice")
    asked = owner.post(address, filled)
    assert [(old, new) for _title, old, new in asked.context["lines"]] == [("10", "12")]
    assert "counted twice" in text_of(asked)
    assert UsageRecord.objects.get().output_tokens == 10
    done = owner.post(address, filled | {"confirmed": "yes"}, follow=True)
    assert UsageRecord.objects.get().output_tokens == 12
    page = text_of(done)
    assert "1 column is corrected." in page
    assert "olga" in page
    assert "10 → 12 · counted twice" in page
    kept = Correction.objects.get()
    assert (kept.by_name, kept.old, kept.new, kept.reason) == ("olga", "10", "12", "counted twice")
    told = TrailEntry.objects.latest("number")
    assert (told.action, told.actor_name, told.reason) == ("usage.corrected", "olga", "counted twice")
    assert UsageDay.objects.get().output_tokens == 12
    assert "counted twice" in text_of(owner.get(list_of("correction")))


def test_one_may_go_back_from_the_page_that_asks(owner: Client) -> None:
    record = a_booked(1, output_tokens=10)
    filled = form_of(record, owner, output_tokens="12", reason="counted twice")
    back = owner.post(act_on(record, "correct_one"), filled | {"confirmed": "yes", "back": "yes"})
    assert 'value="12"' in text_of(back)
    assert UsageRecord.objects.get().output_tokens == 10


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"reason": "because"}, "Nothing would change."),
        ({"output_tokens": "12"}, "This field is required."),
        ({"output_tokens": "-1", "reason": "because"}, "A number from 0 to"),
        ({"output_tokens": "many", "reason": "because"}, "Enter a whole number."),
        ({"nano_reported": "", "reason": "because"}, "exactly when there is a reported figure"),
    ],
)
def test_what_cannot_be_is_said_on_the_form_and_nothing_changes(
    owner: Client, changes: dict[str, str], told: str
) -> None:
    record = a_booked(1, output_tokens=10, nano_reported=5, cost_source="reported")
    answer = owner.post(act_on(record, "correct_one"), form_of(record, owner, **changes) | {"confirmed": "yes"})
    assert told in text_of(answer)
    assert not Correction.objects.exists()


def test_a_row_that_changed_since_the_form_was_shown_is_not_overwritten(owner: Client) -> None:
    record = a_booked(1, output_tokens=10)
    filled = form_of(record, owner, output_tokens="12", reason="because")
    UsageRecord.objects.as_ledger().update(output_tokens=11)
    answer = owner.post(act_on(record, "correct_one"), filled | {"confirmed": "yes"})
    assert "changed since the page was read" in text_of(answer)
    assert UsageRecord.objects.get().output_tokens == 11


def test_an_open_request_cannot_be_corrected_yet(owner: Client) -> None:
    record = a_record(1, status="open")
    answer = owner.get(act_on(record, "correct_one"), follow=True)
    assert "still open" in text_of(answer)


def test_neither_an_auditor_nor_a_member_reaches_the_act_of_correction(
    owner: Client, auditor: Client, outsider: Client
) -> None:
    record = a_booked(1, output_tokens=10)
    address = act_on(record, "correct_one")
    filled = form_of(record, owner, output_tokens="12", reason="because") | {"confirmed": "yes"}
    assert address not in text_of(auditor.get(page_of(record)))
    for visitor, status in ((auditor, 403), (outsider, 302)):
        assert visitor.get(address).status_code == status
        assert visitor.post(address, filled).status_code == status
    assert UsageRecord.objects.get().output_tokens == 10
    assert not Correction.objects.exists()


def test_an_auditor_reads_corrections_and_changes_none(owner: Client, auditor: Client, outsider: Client) -> None:
    record = a_booked(1, output_tokens=10)
    filled = form_of(record, owner, output_tokens="12", reason="because") | {"confirmed": "yes"}
    owner.post(act_on(record, "correct_one"), filled)
    kept = Correction.objects.get()
    assert "because" in text_of(auditor.get(list_of("correction")))
    assert "because" in text_of(auditor.get(page_of(kept)))
    assert auditor.post(page_of(kept), {"reason": "forged"}).status_code == 403
    assert owner.post(page_of(kept), {"reason": "forged"}).status_code == 403
    assert outsider.get(list_of("correction")).status_code == 302
    assert Correction.objects.get().reason == "because"
