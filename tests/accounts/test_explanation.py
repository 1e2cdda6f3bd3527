"""What an explanation says of prices and formats, as lines a person reads."""

from __future__ import annotations

from datetime import date

import pytest

from accounts.allowance import EVERYTHING
from accounts.directory import Caller, SeatEntry
from accounts.explanation import Explanation, without_key
from accounts.models import PriceOrigin, Team
from accounts.prices.card import CardEntry
from bridge.copilot.endpoints import Endpoint
from bridge.copilot.model import Model, TokenPrice
from tests.accounts.rows import a_member

pytestmark = pytest.mark.django_db


@pytest.fixture
def caller() -> Caller:
    return without_key(a_member("alice", team=Team.objects.create(name="Compilers")))


def lines_of(caller: Caller, seat: SeatEntry, model: Model) -> list[str]:
    entry = CardEntry(model.id, PriceOrigin.IMPORT, date(2026, 7, 1), model.prices) if model.prices else None
    return list(Explanation("fast", caller, seat, model, "as requested", entry).lines())


def a_seat_entry(caller: Caller, owner: int | None) -> SeatEntry:
    return SeatEntry(
        id=1,
        name="Main",
        owner=owner,
        host="github.com",
        kind="exchanged",
        serves="team",
        teams=frozenset(),
        state="active",
        until=None,
        reason="",
        credential="",
    )


def test_a_caller_without_a_key_has_the_members_team_and_no_limits(caller: Caller) -> None:
    assert (caller.member_name, caller.team_name, caller.own) == ("alice", "Compilers", EVERYTHING)


def test_prices_are_exact_and_tiers_are_told_apart(caller: Caller) -> None:
    prices = (
        TokenPrice("default", 0, 1_000_000, 500_000_000_000, 50_000_000_000, None, 2_500_500_000_000),
        TokenPrice("long_context", 200_000, 1_000_000, 1_000_000_000_000, None, None, 3_750_000_000_000),
    )
    model = Model("claude-x", "X", endpoints=frozenset({Endpoint.MESSAGES, Endpoint.CHAT}), prices=prices)
    said = lines_of(caller, a_seat_entry(caller, caller.member), model)
    assert said[4] == "seat        Main (the member's own)"
    assert said[5].startswith("upstream    chat, messages (")
    assert said[6:] == [
        "price       input 500, cached 50, output 2500.5 credits per 1,000,000 tokens",
        "price       input 1000, output 3750 credits per 1,000,000 tokens above 200,000 input tokens",
        "card        imported, claude-x from 2026-07-01",
    ]


def test_a_price_that_only_the_seats_own_list_states_has_no_date(caller: Caller) -> None:
    price = TokenPrice("default", 0, 1_000_000, 10**9, None, None, 10**9)
    entry = CardEntry("claude-x", PriceOrigin.LIVE, None, (price,))
    model = Model("claude-x", "X", prices=(price,))
    said = list(Explanation("fast", caller, a_seat_entry(caller, None), model, "", entry).lines())
    assert said[-1] == "card        GitHub's model list, as it is now"


@pytest.mark.parametrize(
    ("thousandths", "price"), [(330, "0.33 premium requests"), (10_000, "10 premium requests"), (None, "not stated")]
)
def test_legacy_plans_show_premium_requests(caller: Caller, thousandths: int | None, price: str) -> None:
    model = Model("gpt-x", "X", multiplier_thousandths=thousandths)
    said = lines_of(caller, a_seat_entry(caller, None), model)
    assert said[-1].startswith(f"price       {price}")
    assert said[4] == "seat        Main (serves the team)"


def test_both_kinds_of_responses_endpoints_are_one_format(caller: Caller) -> None:
    model = Model("gpt-x", "X", endpoints=frozenset({Endpoint.RESPONSES, Endpoint.RESPONSES_WS}))
    assert Explanation("fast", caller, a_seat_entry(caller, None), model, "").formats == ("responses",)
