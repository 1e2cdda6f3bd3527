"""The live model list: served at once, renewed aside, corrected by refusals."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from itertools import count

import httpx
import pytest

from bridge.copilot.catalogue import CatalogueKeeper, read_catalogue
from bridge.copilot.endpoints import Endpoint
from bridge.copilot.identity import Profile
from bridge.copilot.keeper import TokenKeeper
from bridge.copilot.stores import CredentialKind, StoredCatalogue
from bridge.errors import RateLimited, Shedding, Unavailable
from tests.bridge.copilot.memory import (
    Clock,
    MemoryCatalogues,
    MemoryStore,
    Server,
    instantly,
    json_answer,
    origins,
    settle,
)

SONNET = {"id": "claude-sonnet-5", "supported_endpoints": ["/v1/messages", "/chat/completions"]}


def listing(*ids: str) -> dict[str, object]:
    return {"object": "list", "data": [{"id": each} for each in ids] + [SONNET]}


@dataclass
class Scene:
    clock: Clock
    copies: MemoryCatalogues
    server: Server
    catalogues: CatalogueKeeper
    heard: list[tuple[int, list[str]]]

    def answer(self, *answers: httpx.Response) -> None:
        self.server.answers = [*answers]
        self.server.requests.clear()


@pytest.fixture
def scene() -> Scene:
    clock, numbers = Clock(), count(1)
    heard: list[tuple[int, list[str]]] = []
    tokens = MemoryStore(clock)
    tokens.connect(kind=CredentialKind.DIRECT, token="gho_1")
    copies, server = MemoryCatalogues(), Server(json_answer(200, listing("gpt-a")))
    keeper = TokenKeeper(tokens, server.http, Profile(), origins, owner="o", now=clock, sleep=instantly)
    return Scene(
        clock,
        copies,
        server,
        CatalogueKeeper(
            copies,
            keeper,
            server.http,
            Profile(),
            now=clock,
            new_id=lambda: f"r{next(numbers)}",
            on_news=lambda seat, catalogue: heard.append((seat, sorted(catalogue.models))),
        ),
        heard,
    )


async def test_a_list_never_loaded_is_fetched_once_and_stored(scene: Scene) -> None:
    lists = await asyncio.gather(*(scene.catalogues.get(1) for _ in range(50)))
    assert set(lists[0].models) == {"gpt-a", "claude-sonnet-5"}
    (request,) = scene.server.requests
    assert str(request.url) == "https://api.githubcopilot.com/models"
    assert request.headers["authorization"] == "Bearer gho_1"
    assert request.headers["openai-intent"] == "model-access"
    assert request.headers["x-request-id"] == "r1"
    assert scene.copies.copies[1].at == scene.clock()


async def test_a_stored_copy_spares_the_wait(scene: Scene) -> None:
    body = json.dumps(listing("kept")).encode()
    scene.copies.copies[1] = StoredCatalogue(body, scene.clock() - 60)
    assert "kept" in (await scene.catalogues.get(1)).models
    assert scene.server.requests == []


async def test_only_lists_read_from_the_upstream_are_news(scene: Scene) -> None:
    scene.copies.copies[1] = StoredCatalogue(json.dumps(listing("kept")).encode(), scene.clock())
    await scene.catalogues.get(1)
    assert scene.heard == []
    await scene.catalogues.refresh(1)
    assert scene.heard == [(1, ["claude-sonnet-5", "gpt-a"])]


async def test_a_stored_copy_that_cannot_be_read_is_fetched_anew(scene: Scene) -> None:
    scene.copies.copies[1] = StoredCatalogue(b"{broken", scene.clock())
    assert "gpt-a" in (await scene.catalogues.get(1)).models


async def test_a_stale_list_is_served_while_one_flight_renews_it(scene: Scene) -> None:
    old = await scene.catalogues.get(1)
    scene.clock.at += 600
    scene.answer(json_answer(200, listing("gpt-b")))
    scene.server.gate.clear()
    assert [await scene.catalogues.get(1) for _ in range(10)] == [old] * 10
    await settle()
    assert len(scene.server.requests) == 1
    scene.server.gate.set()
    await settle()
    assert "gpt-b" in (await scene.catalogues.get(1)).models


@pytest.mark.parametrize("status", [429, 500])
async def test_a_failed_renewal_keeps_the_list_and_waits(scene: Scene, status: int) -> None:
    old = await scene.catalogues.get(1)
    scene.clock.at += 601
    scene.answer(httpx.Response(status))
    for _ in range(5):
        assert await scene.catalogues.get(1) is old
        await settle()
    assert len(scene.server.requests) == 1


async def test_with_nothing_at_all_the_fault_is_told(scene: Scene) -> None:
    scene.answer(httpx.Response(503))
    faults = await asyncio.gather(*(scene.catalogues.get(1) for _ in range(5)), return_exceptions=True)
    assert {type(fault) for fault in faults} == {Unavailable}
    with pytest.raises(Unavailable):
        await scene.catalogues.get(1)
    assert len(scene.server.requests) == 1
    scene.clock.at += 2.1
    scene.answer(json_answer(200, listing()))
    assert (await scene.catalogues.get(1)).models


async def test_a_refused_bearer_is_rejected_and_the_list_asked_for_once_more(scene: Scene) -> None:
    scene.answer(httpx.Response(401), json_answer(200, listing()))
    assert (await scene.catalogues.get(1)).models
    assert [request.headers["x-request-id"] for request in scene.server.requests] == ["r1", "r2"]


async def test_a_refresh_asks_now_and_tells_its_fault(scene: Scene) -> None:
    await scene.catalogues.get(1)
    scene.answer(json_answer(200, listing("gpt-new")))
    assert "gpt-new" in (await scene.catalogues.refresh(1)).models
    scene.answer(httpx.Response(429, headers={"retry-after": "9"}))
    with pytest.raises(RateLimited):
        await scene.catalogues.refresh(1)
    assert "gpt-new" in (await scene.catalogues.get(1)).models


async def test_a_refresh_during_the_first_look_is_not_content_with_the_stored_copy(scene: Scene) -> None:
    scene.copies.copies[1] = StoredCatalogue(json.dumps(listing("kept")).encode(), scene.clock() - 60)
    first, refreshed = await asyncio.gather(scene.catalogues.get(1), scene.catalogues.refresh(1))
    assert "kept" in first.models
    assert "gpt-a" in refreshed.models


async def test_a_lesson_hides_an_endpoint_for_ten_minutes(scene: Scene) -> None:
    await scene.catalogues.get(1)
    scene.catalogues.learn(1, "claude-sonnet-5", Endpoint.CHAT)
    assert (await scene.catalogues.get(1)).models["claude-sonnet-5"].endpoints == {Endpoint.MESSAGES}
    scene.answer(json_answer(200, listing()))
    await scene.catalogues.refresh(1)
    assert (await scene.catalogues.get(1)).models["claude-sonnet-5"].endpoints == {Endpoint.MESSAGES}
    scene.clock.at += 599
    assert Endpoint.CHAT not in (await scene.catalogues.get(1)).models["claude-sonnet-5"].endpoints
    scene.clock.at += 1
    assert Endpoint.CHAT in (await scene.catalogues.get(1)).models["claude-sonnet-5"].endpoints


async def test_when_every_listed_endpoint_refuses_the_other_one_is_tried(scene: Scene) -> None:
    await scene.catalogues.get(1)
    scene.catalogues.learn(1, "gpt-a", Endpoint.CHAT)
    assert (await scene.catalogues.get(1)).models["gpt-a"].endpoints == {Endpoint.RESPONSES}
    scene.catalogues.learn(1, "gpt-a", Endpoint.RESPONSES)
    assert (await scene.catalogues.get(1)).models["gpt-a"].endpoints == frozenset()


async def test_lessons_about_what_is_not_listed_are_ignored(scene: Scene) -> None:
    scene.catalogues.learn(1, "gpt-a", Endpoint.CHAT)
    before = await scene.catalogues.get(1)
    scene.catalogues.learn(1, "unheard-of", Endpoint.CHAT)
    assert await scene.catalogues.get(1) is before


async def test_a_cancelled_waiter_leaves_the_flight_running(scene: Scene) -> None:
    scene.server.gate.clear()
    first, second = (asyncio.create_task(scene.catalogues.get(1)) for _ in range(2))
    await settle()
    first.cancel()
    await settle()
    scene.server.gate.set()
    assert (await second).models
    assert first.cancelled()


async def test_a_forgotten_seat_is_looked_up_anew(scene: Scene) -> None:
    await scene.catalogues.get(1)
    scene.copies.copies[1] = StoredCatalogue(json.dumps(listing("other-plan")).encode(), scene.clock())
    scene.catalogues.forget(1)
    assert "other-plan" in (await scene.catalogues.get(1)).models


async def test_closing_ends_what_is_under_way(scene: Scene) -> None:
    scene.server.gate.clear()
    waiter = asyncio.create_task(scene.catalogues.get(1))
    await settle()
    await scene.catalogues.aclose()
    with pytest.raises(Shedding):
        await waiter
    with pytest.raises(Shedding):
        await scene.catalogues.get(1)


def test_entries_without_an_id_are_counted_and_doubles_dropped() -> None:
    body = {"data": [{"id": "a", "name": "first"}, {"id": "a", "name": "second"}, {"name": "nameless"}, 7]}
    catalogue = read_catalogue(json.dumps(body).encode(), 5.0)
    assert [model.name for model in catalogue.models.values()] == ["first"]
    assert (catalogue.skipped, catalogue.fetched_at) == (2, 5.0)


@pytest.mark.parametrize("body", [b"", b"<html>", b"{}", b'{"data": []}', b'{"data": {"id": "a"}}', b"[{}]", b"null"])
def test_a_list_without_a_model_is_a_fault(body: bytes) -> None:
    with pytest.raises(Unavailable):
        read_catalogue(body, 0.0)
