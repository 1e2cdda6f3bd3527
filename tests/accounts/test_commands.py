"""The commands as an operator runs them: what they print, what they change, how they fail."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings as project
from django.core.management import call_command
from django.core.management.base import CommandError
from django.utils import timezone
from pytest_django.fixtures import Settings

from accounts.models import ApiKey, DeviceLogin, LoginState, Member, ModelRoute, Seat, SeatState, UsageRecord
from accounts.secrets import checksum_holds
from accounts.vault import Sealed
from tests.accounts.rows import a_member, a_record, a_seat
from tests.accounts.upstream import sim, simulator
from tests.simulator.server import SimulatorServer

__all__ = ["sim", "simulator"]

pytestmark = pytest.mark.django_db(transaction=True)


def ran(*words: str, **options: Any) -> str:
    """Run a command and return what it printed on standard output."""
    out = io.StringIO()
    call_command(*words, stdout=out, stderr=options.pop("stderr", io.StringIO()), **options)
    return out.getvalue()


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Put a text on standard input."""
    return lambda text: monkeypatch.setattr(sys, "stdin", io.StringIO(text))


def test_setup_prints_the_secrets_once_and_the_address_ever_after() -> None:
    first = ran("setup")
    assert "one-time" not in first
    assert "password" in first
    assert Member.objects.get().username == "owner"
    second = ran("setup")
    assert second.splitlines() == [
        f"The gateway is at {project.PUBLIC_URL}. Your API keys are listed at {project.PUBLIC_URL}/me/keys"
    ]


def test_setup_says_when_there_can_be_no_owner() -> None:
    a_member("owner")
    with pytest.raises(CommandError, match="without the role"):
        ran("setup")


def test_issuekey_prints_the_key_alone() -> None:
    member = a_member("alice")
    printed = ran("issuekey", "alice", "--name", "laptop", "--expires", "30")
    assert printed.count("\n") == 1
    assert checksum_holds(printed.strip())
    key = ApiKey.objects.for_secret(printed.strip())
    assert key is not None
    assert (key.member, key.name) == (member, "laptop")
    assert key.expires_at is not None
    assert abs(key.expires_at - timezone.now() - timedelta(days=30)) < timedelta(minutes=1)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["bob"], "no active member 'bob'"),
        (["alice", "--expires", "0"], "1 or more"),
        (["alice", "--name", "x" * 121], "at most 120"),
    ],
)
def test_issuekey_fails_in_one_sentence_and_issues_nothing(words: list[str], sentence: str) -> None:
    a_member("alice")
    with pytest.raises(CommandError, match=sentence):
        ran("issuekey", *words)
    assert not ApiKey.objects.exists()


def test_issuekey_gives_no_key_to_a_member_who_was_deactivated() -> None:
    a_member("alice").deactivate()
    with pytest.raises(CommandError, match="no active member"):
        ran("issuekey", "alice")


def test_addseat_reads_the_token_from_standard_input(sim: SimulatorServer, typed: Callable[[str], None]) -> None:
    a_member("alice")
    typed(sim.world.accounts["credits"].github_token + "\n")
    printed = ran("addseat", "--owner", "alice", "--serves", "team", "--label", "Main")
    assert printed == "The GitHub account credits is connected and serves the team.\n"
    seat = Seat.objects.get()
    assert (seat.label, seat.serves, seat.usable) == ("Main", "team", True)


def test_addseat_keeps_a_second_seat_only_with_accept_risk_and_warns(
    sim: SimulatorServer, typed: Callable[[str], None]
) -> None:
    a_member("alice")
    typed(sim.world.accounts["credits"].github_token)
    ran("addseat", "--owner", "alice")
    typed(sim.world.accounts["pro"].github_token)
    with pytest.raises(CommandError, match=r"credits already serves the same people.*With --accept-risk it is"):
        ran("addseat", "--owner", "alice")
    assert Seat.objects.count() == 1
    warnings = io.StringIO()
    typed(sim.world.accounts["pro"].github_token)
    ran("addseat", "--owner", "alice", "--accept-risk", stderr=warnings)
    assert warnings.getvalue().startswith("Warning: credits already serves the same people.")
    assert Seat.objects.count() == 2


def test_addseat_by_a_code_keeps_a_second_seat_only_with_accept_risk(sim: SimulatorServer) -> None:
    member = a_member("alice")
    a_seat(member, login="first")
    sim.control("POST", "settings", {"device_interval": 1, "auto_approve_after": 1})
    with pytest.raises(CommandError, match=r"first already serves.*With --accept-risk"):
        ran("addseat", "--owner", "alice", "--login")
    assert (Seat.objects.count(), DeviceLogin.objects.get().state) == (1, LoginState.REPLACED)
    ran("addseat", "--owner", "alice", "--login", "--accept-risk")
    assert Seat.objects.count() == 2


@pytest.mark.parametrize(
    ("token", "words", "sentence"),
    [
        ("", ["--owner", "alice"], "holds no GitHub token"),
        ("ghu_unknown", ["--owner", "alice"], "no longer accepts"),
        ("ghu_x", ["--owner", "bob"], "no active member 'bob'"),
        ("ghu_x", ["--owner", "alice", "--host", "example.com"], "github.com or TENANT.ghe.com"),
    ],
)
def test_addseat_fails_in_one_sentence(
    sim: SimulatorServer, typed: Callable[[str], None], token: str, words: list[str], sentence: str
) -> None:
    a_member("alice")
    typed(token)
    with pytest.raises(CommandError, match=sentence):
        ran("addseat", *words)
    assert not Seat.objects.exists()


def test_addseat_signs_in_by_a_code(sim: SimulatorServer) -> None:
    a_member("alice")
    sim.control("POST", "settings", {"device_interval": 1, "auto_approve_after": 1})
    printed = ran("addseat", "--owner", "alice", "--login").splitlines()
    login = DeviceLogin.objects.get()
    assert login.state == LoginState.CONNECTED
    assert printed[0] == f"Open {login.verification_uri} and enter the code {login.user_code}"
    assert printed[1].endswith("is connected and serves its owner.")


def test_addseat_says_why_a_sign_in_failed(sim: SimulatorServer) -> None:
    a_member("alice")
    sim.control("POST", "settings", {"device_interval": 1, "auto_approve_after": 1, "auto_approve_account": "noseat"})
    with pytest.raises(CommandError, match="has no access to Copilot"):
        ran("addseat", "--owner", "alice", "--login")


def test_checkseats_prints_a_line_per_seat_and_fails_when_one_cannot_be_used(sim: SimulatorServer) -> None:
    a_seat(login="credits", github_id=1001, github_token=sim.world.accounts["credits"].github_token)
    assert ran("checkseats") == "credits: active (individual_pro)\n"
    Seat.objects.update(state=SeatState.EXHAUSTED, state_reason="was so")
    a_seat(login="gone", github_token="ghu_unknown")
    out = io.StringIO()
    with pytest.raises(CommandError, match="1 of 2 seats cannot be used"):
        call_command("checkseats", stdout=out)
    lines = out.getvalue().splitlines()
    assert lines[0] == "credits: active (individual_pro)"
    assert lines[1].startswith("gone: needs login")
    assert Seat.objects.get(login="credits").usable


def test_checkseats_without_seats_is_well() -> None:
    assert ran("checkseats") == ""


def test_pruneusage_says_how_many_requests_went(settings: Settings) -> None:
    settings.BRIDGE_RETENTION_DAYS = 1
    a_record(1)
    assert ran("pruneusage") == "Requests deleted from the usage ledger: 1\n"
    assert not UsageRecord.objects.exists()


def test_reencrypt_moves_every_secret_to_the_first_key(settings: Settings) -> None:
    settings.BRIDGE_ENCRYPTION_KEYS = ["o" * 32]
    a_seat(github_token="ghu_secret")
    settings.BRIDGE_ENCRYPTION_KEYS = ["n" * 32, "o" * 32]
    assert ran("reencrypt") == "Secrets written anew: 1\n"
    settings.BRIDGE_ENCRYPTION_KEYS = ["n" * 32]
    token = Seat.objects.get().github_token
    assert isinstance(token, Sealed)
    assert token.reveal() == "ghu_secret"


def test_reencrypt_fails_when_a_secret_cannot_be_read(settings: Settings) -> None:
    settings.BRIDGE_ENCRYPTION_KEYS = ["o" * 32]
    a_seat()
    settings.BRIDGE_ENCRYPTION_KEYS = ["n" * 32]
    with pytest.raises(CommandError, match="1 stored secrets cannot be decrypted"):
        ran("reencrypt")


def explained(*words: str) -> dict[str, str]:
    lines = ran("explain", *words).splitlines()
    return {line.split(maxsplit=1)[0]: line.split(maxsplit=1)[1] for line in lines}


def test_explain_names_route_model_seat_format_and_price(sim: SimulatorServer) -> None:
    ran("setup")
    owner = Member.objects.get()
    ModelRoute.objects.create(pattern="fast", target="claude-sonnet-5.5")
    token = sim.world.accounts["credits"].github_token
    a_seat(owner, login="credits", github_id=1001, github_token=token)
    said = explained("fast")
    assert said["requested"] == "fast"
    assert said["route"] == "route 'fast' -> 'claude-sonnet-5.5' (console)"
    assert said["model"] == "claude-sonnet-5.5"
    assert said["seat"] == "credits (the member's own)"
    assert "messages" in said["upstream"]
    assert "credits per 1,000,000 tokens" in said["price"]
    assert not any(record.request.path.endswith("completions") for record in sim.world.log)


def test_explain_speaks_for_the_key_that_is_named(sim: SimulatorServer) -> None:
    member = a_member("alice")
    key, _ = ApiKey.objects.issue(member, "laptop", models=["gpt-*"])
    a_seat(member, github_token=sim.world.accounts["credits"].github_token)
    prefix = key.hint.partition("…")[0]
    assert explained("gpt-5-mini", "--key", prefix)["caller"] == "alice, key laptop"
    with pytest.raises(CommandError, match="may not use the model"):
        ran("explain", "claude-sonnet-5.5", "--key", prefix)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["gpt-5", "--key", "brg_nobody"], "0 active keys begin with"),
        (["gpt-5"], "no GitHub Copilot seat"),
    ],
)
def test_explain_fails_with_what_a_request_would_be_told(words: list[str], sentence: str) -> None:
    ran("setup")
    with pytest.raises(CommandError, match=sentence):
        ran("explain", *words)


def test_explain_before_setup_says_what_to_do() -> None:
    with pytest.raises(CommandError, match="run setup first"):
        ran("explain", "gpt-5")


def test_explain_suggests_the_nearest_names(sim: SimulatorServer) -> None:
    ran("setup")
    a_seat(Member.objects.get(), github_token=sim.world.accounts["credits"].github_token)
    with pytest.raises(CommandError, match="Did you mean"):
        ran("explain", "gpt-5-mimi")
