"""What is decided before a request goes upstream."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from typing import Any

import httpx
import pytest

from accounts.directory import Caller, RouteEntry, SeatEntry
from accounts.quotas.levels import UNKNOWN, Levels
from bridge.copilot.catalogue import CatalogueKeeper, Endpoint
from bridge.copilot.identity import Profile
from bridge.copilot.initiator import Initiator
from bridge.copilot.keeper import TokenKeeper
from bridge.copilot.quota import Quota
from bridge.copilot.stores import CredentialKind, StoredCatalogue
from bridge.crossing import FORMATS
from bridge.dialect import Dialect
from bridge.errors import BadRequest, Forbidden, SeatRequired, UnknownModel, Unreachable
from proxy.plan import Plan, make_plan
from proxy.runtime import Runtime
from tests.accounts.snapshots import CALLER, a_caller, a_route, a_snapshot, an_entry
from tests.bridge.copilot.memory import Clock, MemoryCatalogues, MemoryStore, Server, instantly, origins

OWN = an_entry(1, owner=20)
MODELS = [
    {"id": "gpt-4.1"},
    {"id": "claude-sonnet-4.5", "supported_endpoints": ["/v1/messages", "/chat/completions"]},
    {"id": "gpt-5.6-terra", "supported_endpoints": ["/responses"]},
    {"id": "text-embedding-3-small", "capabilities": {"type": "embeddings"}},
    {"id": "gpt-41-copilot", "capabilities": {"type": "completion"}},
]


@pytest.fixture
def runtime() -> Runtime:
    """Not started: its directory knows what a test puts there, its model lists are stored copies."""
    clock, store = Clock(), MemoryStore(Clock())
    store.connect(3, CredentialKind.DIRECT)
    http = Server(httpx.ConnectError("no network here")).http
    tokens = TokenKeeper(store, http, Profile(), origins, owner="o", now=clock, sleep=instantly)
    copies = MemoryCatalogues()
    copies.copies[1] = StoredCatalogue(json.dumps({"data": MODELS}).encode(), time.time())
    copies.copies[2] = StoredCatalogue(json.dumps({"data": MODELS[:1]}).encode(), time.time())
    runtime = Runtime()
    runtime.catalogues = CatalogueKeeper(copies, tokens, http, Profile())
    return runtime


async def planned(
    runtime: Runtime,
    model: str = "gpt-4.1",
    *entries: SeatEntry | RouteEntry,
    caller: Caller = CALLER,
    messages: list[dict[str, Any]] | None = None,
    conversation: str = "",
) -> Plan:
    runtime.directory.snapshot = a_snapshot(*(entries or (OWN,)))
    body = {"model": model, "messages": messages or [{"role": "user", "content": "Hello"}]}
    return await make_plan(runtime, caller, FORMATS[Dialect.CHAT].open_request(json.dumps(body).encode()), conversation)


async def planned_at(runtime: Runtime, door: Dialect, **body: Any) -> Plan:
    runtime.directory.snapshot = a_snapshot(OWN)
    return await make_plan(runtime, CALLER, FORMATS[door].open_request(json.dumps(body).encode()), "")


async def test_seat_model_and_the_reason_are_named(runtime: Runtime) -> None:
    plan = await planned(runtime, "claude-sonnet-4-5-20250929")
    assert (plan.seat, plan.model.id, plan.endpoint) == (OWN, "claude-sonnet-4.5", Endpoint.CHAT)
    assert plan.choice.why == "'claude-sonnet-4-5-20250929' read as 'claude-sonnet-4.5'"


async def test_a_route_decides_what_serves(runtime: Runtime) -> None:
    plan = await planned(runtime, "fast", OWN, a_route("fast", "gpt-4.1"))
    assert (plan.model.id, plan.choice.model) == ("gpt-4.1", "gpt-4.1")


async def test_the_list_of_the_very_seat_that_pays_decides_what_is_live(runtime: Runtime) -> None:
    with pytest.raises(UnknownModel):
        await planned(runtime, "claude-sonnet-4.5", an_entry(2))


async def test_without_a_seat_there_is_no_plan(runtime: Runtime) -> None:
    with pytest.raises(SeatRequired) as caught:
        await planned(runtime, "gpt-4.1", an_entry(9, owner=99))
    assert "/auth/device" in str(caught.value)


@pytest.mark.parametrize(("limits", "admitted"), [(("gpt-4.1",), True), (("fast",), True), (("gpt-5*",), False)])
async def test_a_keys_models_hold_for_the_name_asked_for_and_the_one_that_serves(
    runtime: Runtime, limits: tuple[str, ...], admitted: bool
) -> None:
    entries = (OWN, a_route("fast", "gpt-4.1"))
    if admitted:
        assert (await planned(runtime, "fast", *entries, caller=a_caller(models=limits))).model.id == "gpt-4.1"
        return
    with pytest.raises(Forbidden):
        await planned(runtime, "fast", *entries, caller=a_caller(models=limits))


@pytest.mark.parametrize(
    ("door", "model", "endpoint"),
    [
        (Dialect.CHAT, "claude-sonnet-4.5", Endpoint.CHAT),
        (Dialect.MESSAGES, "claude-sonnet-4.5", Endpoint.MESSAGES),
        (Dialect.RESPONSES, "claude-sonnet-4.5", Endpoint.MESSAGES),
        (Dialect.CHAT, "gpt-5.6-terra", Endpoint.RESPONSES),
        (Dialect.MESSAGES, "gpt-5.6-terra", Endpoint.RESPONSES),
        (Dialect.RESPONSES, "gpt-4.1", Endpoint.CHAT),
    ],
)
async def test_the_callers_own_format_comes_first_then_the_one_that_loses_least(
    runtime: Runtime, door: Dialect, model: str, endpoint: Endpoint
) -> None:
    said = {"input": "Hello"} if door is Dialect.RESPONSES else {"messages": [{"role": "user", "content": "Hello"}]}
    plan = await planned_at(runtime, door, model=model, max_tokens=100, **said)
    assert plan.endpoint is endpoint
    elsewhere = plan.elsewhere(door, {endpoint})
    assert (elsewhere is None) == (model != "claude-sonnet-4.5")


async def test_a_file_goes_where_files_can_go(runtime: Runtime) -> None:
    file = {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,AAAA"}}
    plan = await planned(runtime, "claude-sonnet-4.5", messages=[{"role": "user", "content": [file]}])
    assert plan.endpoint is Endpoint.MESSAGES


async def test_a_model_that_answers_no_request_for_text_is_told_so(runtime: Runtime) -> None:
    with pytest.raises(UnknownModel, match="no interface"):
        await planned(runtime, "gpt-41-copilot")


async def test_an_embedding_model_cannot_chat(runtime: Runtime) -> None:
    with pytest.raises(BadRequest) as caught:
        await planned(runtime, "text-embedding-3-small")
    assert "makes embeddings" in str(caught.value)
    assert caught.value.param == "model"


async def test_the_fault_that_keeps_the_model_list_away_is_told(runtime: Runtime) -> None:
    with pytest.raises(Unreachable):
        await planned(runtime, "gpt-4.1", an_entry(3, owner=20))


@pytest.mark.parametrize(
    ("roles", "initiator"),
    [
        (["user"], Initiator.USER),
        (["user", "assistant", "user"], Initiator.USER),
        (["user", "assistant", "tool"], Initiator.AGENT),
        (["user", "assistant"], Initiator.AGENT),
        (["user", "assistant", "tool", "system"], Initiator.AGENT),
    ],
)
async def test_the_last_message_tells_who_asks(runtime: Runtime, roles: list[str], initiator: Initiator) -> None:
    messages = [{"role": role, "content": "x"} for role in roles]
    assert (await planned(runtime, messages=messages)).initiator is initiator


async def test_images_are_seen_and_the_word_is_not_taken_for_one(runtime: Runtime) -> None:
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA"}}
    told = [{"role": "user", "content": [{"type": "text", "text": "look"}, image]}]
    assert (await planned(runtime, messages=told)).vision
    assert not (await planned(runtime, messages=[{"role": "user", "content": "an image_url of an image"}])).vision


async def test_every_turn_of_a_chat_is_one_conversation_and_no_other(runtime: Runtime) -> None:
    system, first = {"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hello"}
    rest = [{"role": "assistant", "content": "Hi."}, {"role": "user", "content": "More."}]
    session = (await planned(runtime, messages=[system, first])).session
    assert len(session) == 32
    assert (await planned(runtime, messages=[system, first, *rest])).session == session
    others = [
        await planned(runtime, messages=[first, *rest]),
        await planned(runtime, messages=[system, {"role": "user", "content": "Goodbye"}]),
        await planned(runtime, messages=[system, first], caller=a_caller(key=31)),
    ]
    assert len({session, *(plan.session for plan in others)}) == 4


async def test_a_clients_own_name_for_the_conversation_counts(runtime: Runtime) -> None:
    assert (await planned(runtime, conversation="thread-7")).session == "thread-7"


async def test_claude_codes_session_and_codexs_cache_key_are_names_too(runtime: Runtime) -> None:
    user = json.dumps({"device_id": "d", "account_uuid": "", "session_id": "5f3a-77"})
    hello = [{"role": "user", "content": "Hello"}]
    plan = await planned_at(
        runtime, Dialect.MESSAGES, model="gpt-4.1", max_tokens=9, messages=hello, metadata={"user_id": user}
    )
    assert plan.session == "5f3a-77"
    plan = await planned_at(runtime, Dialect.RESPONSES, model="gpt-4.1", input="Hello", prompt_cache_key="thread-8")
    assert plan.session == "thread-8"


# --- which seat -------------------------------------------------------------------------------------------

SHARED = [an_entry(1), an_entry(2)]


def left_of(percent: float) -> Levels:
    return UNKNOWN.with_quotas([Quota("premium_interactions", percent_remaining=percent)], time.time())


@pytest.mark.parametrize("seat", [1, 2])
async def test_a_conversation_stays_on_the_seat_that_answered_it_last(runtime: Runtime, seat: int) -> None:
    runtime.affinity.note("talk", CALLER.key, seat)
    plan = await planned(runtime, "gpt-4.1", *SHARED, conversation="talk")
    assert (plan.seat.id, plan.moved, plan.session) == (seat, False, "talk")


@pytest.mark.parametrize("seat", [1, 2])
async def test_a_conversation_whose_seat_is_empty_moves_and_the_plan_says_so(runtime: Runtime, seat: int) -> None:
    runtime.affinity.note("talk", CALLER.key, seat)
    snapshot = a_snapshot(*(replace(each, levels=left_of(0.0 if each.id == seat else 50.0)) for each in SHARED))
    runtime.levels.hear(snapshot)
    plan = await planned(runtime, "gpt-4.1", *SHARED, conversation="talk")
    assert (plan.seat.id, plan.moved) == (3 - seat, True)


async def test_a_conversation_comes_back_to_the_own_seat_and_the_plan_says_so(runtime: Runtime) -> None:
    runtime.affinity.note("talk", CALLER.key, 2)
    plan = await planned(runtime, "gpt-4.1", OWN, an_entry(2), conversation="talk")
    assert (plan.seat, plan.moved) == (OWN, True)


async def test_a_conversation_without_a_name_of_its_own_stays_as_well(runtime: Runtime) -> None:
    first = await planned(runtime, "gpt-4.1", OWN)
    for seat in (1, 2):
        runtime.affinity.note(first.session, CALLER.key, seat)
        plan = await planned(runtime, "gpt-4.1", *SHARED)
        assert (plan.seat.id, plan.session) == (seat, first.session)


async def test_a_new_conversation_of_one_permitted_seat_asks_no_ledger_and_has_not_moved(runtime: Runtime) -> None:
    plan = await planned(runtime, "gpt-4.1", OWN, an_entry(2), conversation="new")
    assert (plan.seat, plan.moved) == (OWN, False)
