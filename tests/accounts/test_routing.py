"""Which model serves a name, and which seat pays."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest

from accounts.directory import RouteEntry, SeatEntry, Snapshot
from accounts.quotas.levels import FRESH_SECONDS, UNKNOWN, Levels
from accounts.routing import choose_among, choose_model, choose_seat, find_route, permitted_seats, seats_of
from bridge.copilot.quota import Quota
from bridge.errors import BridgeError, Exhausted, RateLimited, SeatRequired, UnknownModel
from tests.accounts.snapshots import CALLER, NOW, a_caller, a_route, a_snapshot, an_entry

LIVE: dict[str, object] = dict.fromkeys(["gpt-4.1", "gpt-5.2", "claude-sonnet-4.5", "claude-opus-5", "gemini-3-pro"])


def winner(name: str, *routes: RouteEntry) -> str | None:
    """The target of the route that decides, whatever the order the routes are held in."""
    targets = set()
    for order in permutations(routes):
        route = find_route(a_snapshot(*order), CALLER, name)
        targets.add(route.target if route else None)
    (target,) = targets
    return target


# --- routes -----------------------------------------------------------------------------------------------


def test_the_closest_scope_wins_over_everything_else() -> None:
    everyone = a_route("gpt-x", "everyone", 1, priority=100)
    team = a_route("gpt-x", "team", 2, scope="team", team=10, priority=50)
    member = a_route("gpt-*", "member", 3, scope="member", member=20)
    key = a_route("*", "key", 4, scope="key", key=30, priority=-5, origin="shipped")
    assert winner("gpt-x", everyone, team) == "team"
    assert winner("gpt-x", everyone, team, member) == "member"
    assert winner("gpt-x", everyone, team, member, key) == "key"


def test_within_a_scope_the_higher_priority_wins_over_origin_and_pattern() -> None:
    assert winner("gpt-x", a_route("gpt-x", "low", 1), a_route("*", "high", 2, priority=1, origin="shipped")) == "high"


@pytest.mark.parametrize("origin", ["shipped", "environment"])
def test_rows_of_the_console_win_over_those_that_come_along(origin: str) -> None:
    assert winner("gpt-x", a_route("gpt-x", "comes along", 1, origin=origin), a_route("*", "console", 2)) == "console"


def test_exact_names_win_over_wildcards_and_longer_patterns_over_shorter() -> None:
    exact, long, short = a_route("gpt-x", "exact", 1), a_route("gpt-4.1*", "long", 2), a_route("gpt*", "short", 3)
    assert winner("gpt-x", exact, long, short) == "exact"
    assert winner("gpt-4.1-mini", exact, long, short) == "long"
    assert winner("gpt-4", exact, long, short) == "short"


def test_between_equals_the_older_row_wins() -> None:
    assert winner("gpt-x", a_route("gpt-x", "newer", 2), a_route("gpt-x", "older", 1)) == "older"


@pytest.mark.parametrize(
    "foreign",
    [
        {"scope": "team", "team": 11},
        {"scope": "member", "member": 21},
        {"scope": "key", "key": 31},
    ],
)
def test_what_concerns_others_decides_nothing(foreign: dict[str, Any]) -> None:
    assert winner("gpt-x", a_route("gpt-x", "foreign", **foreign)) is None


def test_a_member_without_a_team_has_no_team_routes() -> None:
    route = a_route("*", "team", scope="team", team=None)
    assert find_route(a_snapshot(route), a_caller(team=None), "gpt-x") is None


def test_the_asterisk_alone_is_a_wildcard() -> None:
    assert winner("opus[1m]", a_route("opus[1m]", "long")) == "long"
    assert winner("opus-4-6[1m]", a_route("opus-*[1m]", "long")) == "long"
    assert winner("opus-4-61", a_route("opus-*[1m]", "long")) is None
    assert winner("gpt-x", a_route("gpt-?*", "x")) is None
    assert winner("GPT-X", a_route("gpt-x", "lower")) is None


def test_an_unrouted_name_is_taken_as_requested_or_as_it_is_read() -> None:
    assert choose_model(None, "gpt-4.1", LIVE).model == "gpt-4.1"
    assert choose_model(None, "gpt-4.1", LIVE).why == "as requested"
    dated = choose_model(None, "claude-sonnet-4-5-20250929", LIVE)
    assert dated.model == "claude-sonnet-4.5"
    assert dated.why == "'claude-sonnet-4-5-20250929' read as 'claude-sonnet-4.5'"


def test_a_route_wins_over_the_name_itself() -> None:
    choice = choose_model(a_route("gpt-4.1", "gpt-5.2"), "gpt-4.1", LIVE)
    assert choice.model == "gpt-5.2"
    assert choice.why == "route 'gpt-4.1' -> 'gpt-5.2' (console)"


def test_targets_are_read_like_names() -> None:
    assert choose_model(a_route("x", "claude-opus-5-latest"), "x", LIVE).model == "claude-opus-5"


def test_a_target_that_is_not_live_gives_way_to_the_fallbacks_in_order() -> None:
    route = a_route("fast", "gone-1", fallbacks=("gone-2", "gemini-3-pro", "gpt-4.1"))
    choice = choose_model(route, "fast", LIVE)
    assert choice.model == "gemini-3-pro"
    assert "fallback of route 'fast'" in choice.why


def test_then_to_the_requested_name_if_that_is_live() -> None:
    choice = choose_model(a_route("gpt-*", "gone"), "gpt-4.1", LIVE)
    assert choice.model == "gpt-4.1"
    assert "no live target" in choice.why


def test_a_route_that_leads_nowhere_is_named() -> None:
    with pytest.raises(UnknownModel) as caught:
        choose_model(a_route("fast", "gone"), "fast", LIVE)
    assert "'fast' leads to 'gone'" in str(caught.value)
    assert caught.value.param == "model"


def test_an_unknown_name_is_answered_with_the_nearest() -> None:
    with pytest.raises(UnknownModel) as caught:
        choose_model(None, "gpt-5.3", LIVE)
    assert "Did you mean gpt-5.2, gpt-4.1" in str(caught.value)
    assert caught.value.param == "model"


def test_a_name_like_no_other_is_answered_with_where_the_names_are() -> None:
    with pytest.raises(UnknownModel) as caught:
        choose_model(None, "q" * 5000, LIVE)
    assert "GET /v1/models lists" in str(caught.value)
    assert len(str(caught.value)) < 300


# --- seats ------------------------------------------------------------------------------------------------


def seat_for(*seats: SeatEntry, overflow: bool = False, now: float = NOW, **caller: Any) -> str:
    return choose_seat(a_snapshot(*seats), a_caller(**caller), now, page="/auth/device", overflow=overflow).name


def refusal_of(*seats: SeatEntry, overflow: bool = False) -> BridgeError:
    with pytest.raises(BridgeError) as caught:
        seat_for(*seats, overflow=overflow)
    return caught.value


OWN = an_entry(1, owner=20, name="own")
SHARED = an_entry(2, name="shared")
FOREIGN = an_entry(3, owner=21, name="foreign")


def test_the_own_seat_comes_first() -> None:
    assert seat_for(SHARED, OWN, FOREIGN) == "own"


def test_a_team_seat_stands_in_for_a_member_without_one() -> None:
    assert seat_for(FOREIGN, SHARED) == "shared"


def test_a_seat_of_somebody_else_serves_the_team_only_when_it_says_so() -> None:
    assert refusal_of(FOREIGN).code == "seat_required"
    assert seat_for(an_entry(3, owner=21, serves="team", name="lent")) == "lent"


def test_a_seat_serves_the_teams_it_names() -> None:
    assert seat_for(an_entry(2, teams=frozenset({10, 11}))) == "seat2"
    assert refusal_of(an_entry(2, teams=frozenset({11}))).code == "seat_required"
    with pytest.raises(SeatRequired):
        seat_for(an_entry(2, teams=frozenset({10})), team=None)


@pytest.mark.parametrize("state", ["needs_login", "suspended", "disabled"])
def test_a_team_seat_stands_in_for_an_own_one_that_cannot_be_used_at_all(state: str) -> None:
    assert seat_for(an_entry(1, owner=20, state=state), SHARED) == "shared"


@pytest.mark.parametrize("state", ["cooling", "exhausted"])
def test_from_a_resting_own_seat_requests_move_only_by_overflow(state: str) -> None:
    resting = an_entry(1, owner=20, state=state, until=NOW + 30)
    assert refusal_of(resting, SHARED).status == 429
    assert seat_for(resting, SHARED, overflow=True) == "shared"


@pytest.mark.parametrize("state", ["cooling", "exhausted"])
def test_a_seat_whose_rest_is_over_is_used_again(state: str) -> None:
    assert seat_for(an_entry(1, owner=20, state=state, until=NOW), SHARED) == "seat1"


def test_a_second_own_seat_is_taken_before_a_team_seat() -> None:
    assert seat_for(an_entry(1, owner=20, state="exhausted"), an_entry(4, owner=20, name="other"), SHARED) == "other"


def test_a_member_stays_on_one_of_several_team_seats_whatever_others_come_and_go() -> None:
    seats = [an_entry(number) for number in range(1, 6)]
    chosen = {member: seat_for(*seats, member=member) for member in range(100, 160)}
    assert len(set(chosen.values())) == 5
    for gone in seats:
        left = [seat for seat in seats if seat is not gone]
        for member, name in chosen.items():
            if name != gone.name:
                assert seat_for(*left, member=member) == name
    assert {member: seat_for(*reversed(seats), member=member) for member in chosen} == chosen


def test_a_tired_team_seat_is_passed_over() -> None:
    assert seat_for(an_entry(2, state="cooling", until=NOW + 5), an_entry(3), an_entry(4, state="suspended")) == "seat3"


def test_a_cooling_seat_says_when_it_is_back() -> None:
    error = refusal_of(an_entry(1, owner=20, name="mine", state="cooling", until=NOW + 30, reason="Rate limited."))
    assert isinstance(error, RateLimited)
    assert (error.retry_after, error.final) == (30.0, False)
    assert str(error) == ("GitHub told the seat mine to slow down; it is back at 2027-01-15 08:00 UTC. Rate limited.")


def test_a_long_rest_is_told_in_words_and_not_to_be_waited_for() -> None:
    error = refusal_of(an_entry(1, owner=20, state="cooling", until=NOW + 3600))
    assert (error.retry_after, error.final) == (3600.0, True)


def test_the_seat_that_is_back_first_decides() -> None:
    seats = [
        an_entry(1, state="exhausted", until=NOW + 5),
        an_entry(2, state="cooling", until=NOW + 50),
        an_entry(3, state="cooling", until=NOW + 20),
    ]
    error = refusal_of(*seats)
    assert isinstance(error, RateLimited)
    assert error.retry_after == 20.0


def test_an_exhausted_seat_says_until_when_if_that_is_known() -> None:
    known = refusal_of(an_entry(1, owner=20, name="mine", state="exhausted", until=NOW + 86_400))
    assert isinstance(known, Exhausted)
    assert str(known) == "The seat mine has no credits left until 2027-01-16 08:00 UTC."
    unknown = refusal_of(an_entry(1, owner=20, name="mine", state="exhausted"))
    assert isinstance(unknown, Exhausted)
    assert "It works again when GitHub resets them" in str(unknown)
    assert known.final
    assert unknown.final


@pytest.mark.parametrize(
    ("seats", "sentence"),
    [
        ([], "You have no GitHub Copilot seat here yet. Open /auth/device and connect your GitHub account."),
        ([an_entry(1, owner=20, state="needs_login")], "no longer accepts the login of the seat seat1"),
        ([an_entry(1, owner=20, state="suspended", reason="Spammy.")], "GitHub suspended the seat seat1: Spammy. Open"),
        ([an_entry(1, owner=20, state="disabled")], "The seat seat1 is switched off."),
        ([an_entry(2, state="needs_login", name="shared")], "login of the seat shared"),
    ],
)
def test_without_a_usable_seat_the_caller_hears_what_to_do(seats: list[SeatEntry], sentence: str) -> None:
    error = refusal_of(*seats)
    assert isinstance(error, SeatRequired)
    assert sentence in str(error)


# --- what is known to be left ------------------------------------------------------------------------------


def left_of(percent: float, *, at: float = NOW) -> Levels:
    quota = Quota("premium_interactions", entitlement=100.0, remaining=percent, percent_remaining=percent)
    return UNKNOWN.with_quotas([quota], at)


EMPTY, LOW, WELL = left_of(0.0), left_of(1.0), left_of(50.0)
TEAM = [an_entry(number) for number in range(1, 6)]


def chosen(levels: dict[int, Levels], *, last: int | None = None, member: int = 20) -> int:
    return choose_among(TEAM, a_caller(member=member), NOW, last=last, levels=levels).id


@pytest.mark.parametrize("spent", [EMPTY, LOW], ids=["empty", "nearly empty"])
def test_a_new_conversation_passes_over_seats_with_nothing_or_little_left(spent: Levels) -> None:
    for usable in range(1, 6):
        levels = {number: spent for number in range(1, 6) if number != usable}
        assert {chosen(levels, member=member) for member in range(50)} == {usable}


def test_seats_are_taken_in_the_order_well_low_empty() -> None:
    assert chosen({1: EMPTY, 2: EMPTY, 3: LOW, 4: EMPTY, 5: EMPTY}) == 3
    everyone = dict.fromkeys(range(1, 6), EMPTY)
    assert chosen(everyone) == chosen({}), "when all are empty, GitHub decides"


def test_a_conversation_stays_on_its_seat_until_that_is_empty() -> None:
    for last in range(1, 6):
        assert chosen({}, last=last) == last
        assert chosen({last: LOW}, last=last) == last
        assert chosen({last: EMPTY}, last=last) != last
    assert chosen(dict.fromkeys(range(1, 6), EMPTY), last=4) == 4
    assert chosen({}, last=99) == chosen({})


def test_what_a_snapshot_knows_counts_unless_something_newer_is_known() -> None:
    known = [an_entry(1, levels=EMPTY), an_entry(2, levels=WELL)]
    snapshot = a_snapshot(*known)
    assert choose_seat(snapshot, CALLER, NOW, page="", overflow=False).id == 2
    newer = {1: WELL, 2: EMPTY}
    assert choose_seat(snapshot, CALLER, NOW, page="", overflow=False, levels=newer).id == 1


def test_what_was_known_half_an_hour_ago_passes_nothing_over() -> None:
    stale = {number: left_of(0.0, at=NOW - FRESH_SECONDS) for number in range(1, 6)}
    for member in range(20):
        assert chosen(stale, member=member) == chosen({}, member=member)


def permitted(*seats: SeatEntry, overflow: bool = False, **levels: Levels) -> list[str]:
    known = {int(name.removeprefix("seat")): found for name, found in levels.items()}
    found = permitted_seats(a_snapshot(*seats), CALLER, NOW, page="", overflow=overflow, levels=known)
    return [seat.name for seat in found]


def test_an_own_seat_that_is_known_to_be_empty_stays_first_without_overflow() -> None:
    assert permitted(OWN, SHARED, seat1=EMPTY, seat2=WELL) == ["own"]


def test_with_overflow_an_own_seat_known_to_be_empty_gives_way_to_a_team_seat_that_is_not() -> None:
    assert permitted(OWN, SHARED, overflow=True, seat1=EMPTY, seat2=WELL) == ["shared"]
    assert permitted(OWN, SHARED, overflow=True, seat1=EMPTY) == ["shared"]
    assert permitted(OWN, SHARED, overflow=True, seat1=EMPTY, seat2=EMPTY) == ["own"]
    assert permitted(OWN, overflow=True, seat1=EMPTY) == ["own"]
    assert permitted(OWN, SHARED, overflow=True, seat1=LOW, seat2=WELL) == ["own"]
    assert permitted(OWN, FOREIGN, overflow=True, seat1=EMPTY) == ["own"]


def test_of_two_own_seats_the_one_that_is_not_empty_serves() -> None:
    other = an_entry(4, owner=20, name="other")
    levels = {1: EMPTY}
    assert choose_seat(a_snapshot(OWN, other, SHARED), CALLER, NOW, page="", overflow=False, levels=levels) is other


# ----------------------------------------------------------------------------------------------------------


def names(snapshot: Snapshot) -> list[str]:
    return [seat.name for seat in seats_of(snapshot, CALLER, NOW)]


def test_the_models_shown_are_those_of_the_own_seats_else_of_the_teams() -> None:
    assert names(a_snapshot(OWN, SHARED, FOREIGN)) == ["own"]
    assert names(a_snapshot(an_entry(1, owner=20, state="suspended"), SHARED, FOREIGN)) == ["shared"]
    assert names(a_snapshot(FOREIGN)) == []
