"""Stored responses: kept on request, continued by a later request, read, listed and deleted by their key alone."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import AsyncIterator
from typing import Any

import httpx
import httpx2
import openai
import pytest
from django.urls import path
from msgspec import Raw
from openai.types.responses import ResponseInputMessageItem
from pytest_django.fixtures import Settings

from accounts.directory import Caller, Snapshot
from accounts.models import ApiKey
from accounts.replies import Replies
from accounts.secrets import digest
from bridge.asked import Asked, read_fields
from bridge.dialect import Dialect
from bridge.errors import BadRequest
from proxy import stored
from proxy.lean import LeanHandler
from proxy.runtime import Runtime
from proxy.stored import UnknownPrevious, expand, keep, wants_storing
from tests.accounts.rows import a_member
from tests.accounts.snapshots import a_caller
from tests.proxy.asking import error_of

pytestmark = pytest.mark.django_db(transaction=True)

urlpatterns = [
    path("v1/responses/<str:response_id>", stored.response),
    path("v1/responses/<str:response_id>/input_items", stored.input_items),
    path("v1/responses/<str:response_id>/cancel", stored.cancel),
]

MINE, OTHERS, NO_DOOR = "my-key", "another-key", "a-key-without-this-door"
ITEMS: list[dict[str, Any]] = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": [{"type": "input_text", "text": "What is 6 x 7?"}]},
    {"type": "function_call", "call_id": "call_1", "name": "multiply", "arguments": "{}", "id": "fc_own"},
    {"type": "function_call_output", "call_id": "call_1", "output": "42"},
]
ANSWER = {
    "id": "msg_out",
    "type": "message",
    "role": "assistant",
    "status": "completed",
    "content": [{"type": "output_text", "text": "42.", "annotations": []}],
}
RESPONSE = json.dumps(
    {"id": "resp_1", "object": "response", "status": "completed", "store": True, "output": [ANSWER]}
).encode()


class StartedRuntime(Runtime):
    """Counts as started: these doors need the stored replies and the callers alone."""

    @property
    def started(self) -> bool:
        return True


def new_caller(**fields: Any) -> Caller:
    key, _text = ApiKey.objects.issue(a_member())
    return a_caller(key=key.pk, **fields)


@pytest.fixture
def caller() -> Caller:
    return new_caller()


@pytest.fixture
def runtime(caller: Caller) -> Runtime:
    made = StartedRuntime()
    callers = {MINE: caller, OTHERS: new_caller(), NO_DOOR: new_caller(doors=frozenset({"chat"}))}
    keyed = {digest(secret): one for secret, one in callers.items()}
    made.directory.snapshot = Snapshot(1, keyed, frozenset(one.key for one in callers.values()), (), ())
    return made


@pytest.fixture
async def http(runtime: Runtime) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app=LeanHandler(runtime, __name__))  # type: ignore[arg-type]  # ASGI, typed closer
    async with httpx.AsyncClient(
        transport=transport, base_url="http://gateway", headers={"authorization": f"Bearer {MINE}"}
    ) as client:
        yield client


@pytest.fixture
async def sdk(runtime: Runtime) -> AsyncIterator[openai.AsyncOpenAI]:
    transport = httpx2.ASGITransport(app=LeanHandler(runtime, __name__))  # type: ignore[arg-type]  # ASGI, typed closer
    async with (
        httpx2.AsyncClient(transport=transport) as client,
        openai.AsyncOpenAI(base_url="http://gateway/v1", api_key=MINE, http_client=client, max_retries=0) as made,
    ):
        yield made


def asked_for(**fields: Any) -> Asked:
    """A request as the Responses room opens it."""
    body = {"model": "gpt-5.2", "input": ITEMS, **fields}
    raw = read_fields(json.dumps(body).encode())
    entries = [Raw(json.dumps(item).encode()) for item in body["input"]]
    return Asked(Dialect.RESPONSES, raw, "gpt-5.2", entries, stream=False)


def read(raws: list[Raw]) -> list[Any]:
    return [json.loads(bytes(raw)) for raw in raws]


async def stored_response(runtime: Runtime, caller: Caller) -> None:
    assert await keep(runtime, caller, asked_for(store=True), RESPONSE)


# --- What is stored ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fields", [{}, {"store": None}, {"store": False}])
async def test_nothing_is_stored_unless_the_caller_says_so(
    runtime: Runtime, caller: Caller, fields: dict[str, Any]
) -> None:
    asked = asked_for(**fields)
    assert not wants_storing(asked)
    assert not await keep(runtime, caller, asked, RESPONSE)
    assert await runtime.replies.find(caller.key, "resp_1") is None
    told = await expand(runtime, caller, asked)
    assert bytes(told.fields["store"]) == b"false"


async def test_a_response_is_stored_when_asked_for(runtime: Runtime, caller: Caller) -> None:
    asked = asked_for(store=True)
    assert wants_storing(asked)
    assert await expand(runtime, caller, asked) is asked
    assert await keep(runtime, caller, asked, RESPONSE)
    content = await runtime.replies.find(caller.key, "resp_1")
    assert content is not None
    assert content.response == RESPONSE
    assert [json.loads(item) for item in content.items] == ITEMS


async def test_where_storing_is_off_a_wish_to_store_is_no_error_and_the_reply_will_say_so(
    runtime: Runtime, caller: Caller, settings: Settings
) -> None:
    settings.BRIDGE_STORE_REPLIES = False
    asked = asked_for(store=True)
    assert not wants_storing(asked)
    assert bytes((await expand(runtime, caller, asked)).fields["store"]) == b"false"
    assert bytes(asked.fields["store"]) == b"true"
    assert not await keep(runtime, caller, asked, RESPONSE)


def test_chat_clients_that_send_store_get_nothing_stored() -> None:
    asked = asked_for(store=True)
    assert not wants_storing(Asked(Dialect.CHAT, asked.fields, asked.model, asked.entries, stream=False))


def test_a_wish_that_is_neither_yes_nor_no_is_refused() -> None:
    with pytest.raises(BadRequest, match="'store' must be true or false"):
        wants_storing(asked_for(store="yes"))


async def test_a_response_over_the_limit_is_not_stored(runtime: Runtime, caller: Caller, settings: Settings) -> None:
    settings.BRIDGE_STORED_REPLY_LIMIT = 100
    assert not await keep(runtime, caller, asked_for(store=True), RESPONSE)


async def test_a_fault_of_the_database_costs_the_storing_and_not_the_answer(
    runtime: Runtime, caller: Caller, caplog: pytest.LogCaptureFixture
) -> None:
    await stored_response(runtime, caller)
    with caplog.at_level(logging.ERROR):
        assert not await keep(runtime, caller, asked_for(store=True), RESPONSE)  # the id is taken
    assert "resp_1" in caplog.text
    assert "42" not in caplog.text


# --- What is continued ---------------------------------------------------------------------------------------


async def test_a_previous_response_brings_its_conversation_before_the_new_input(
    runtime: Runtime, caller: Caller
) -> None:
    await stored_response(runtime, caller)
    news = {"role": "user", "content": "Sure?"}
    asked = asked_for(input=[news], previous_response_id="resp_1", instructions="Be kind.")
    whole = await expand(runtime, caller, asked)
    assert read(whole.entries) == [*ITEMS, ANSWER, news]
    assert json.loads(bytes(whole.fields["input"])) == [*ITEMS, ANSWER, news]
    assert json.loads(bytes(whole.fields["previous_response_id"])) == "resp_1"
    assert json.loads(bytes(whole.fields["instructions"])) == "Be kind."
    assert whole.model == "gpt-5.2"
    assert read(asked.entries) == [news]


async def test_a_chain_of_responses_grows_and_survives_the_end_of_its_beginning(
    runtime: Runtime, caller: Caller
) -> None:
    await stored_response(runtime, caller)
    second = {"role": "user", "content": "And 6 x 8?"}
    asked = await expand(runtime, caller, asked_for(input=[second], previous_response_id="resp_1", store=True))
    other_answer = {**ANSWER, "id": "msg_out_2"}
    assert await keep(runtime, caller, asked, json.dumps({"id": "resp_2", "output": [other_answer]}).encode())
    await runtime.replies.delete(caller.key, "resp_1")
    third = {"role": "user", "content": "Thanks."}
    whole = await expand(runtime, caller, asked_for(input=[third], previous_response_id="resp_2"))
    assert read(whole.entries) == [*ITEMS, ANSWER, second, other_answer, third]


async def test_no_previous_response_is_nothing(runtime: Runtime, caller: Caller) -> None:
    asked = asked_for(previous_response_id=None, store=False)
    assert await expand(runtime, caller, asked) is asked


@pytest.mark.parametrize("previous", ["resp_0", "", "resp_\0", "resp_1" * 100])
async def test_an_unknown_previous_response_is_refused_in_openais_words_and_says_what_to_do(
    runtime: Runtime, caller: Caller, previous: str
) -> None:
    with pytest.raises(UnknownPrevious) as refused:
        await expand(runtime, caller, asked_for(previous_response_id=previous))
    error = refused.value
    assert (error.status, error.code, error.param) == (400, "previous_response_not_found", "previous_response_id")
    assert str(error).startswith(f"Previous response with id '{previous[:100]}' not found. ")
    assert "'store': true" in str(error)
    assert "whole conversation" in str(error)


async def test_another_keys_response_is_unknown(runtime: Runtime, caller: Caller) -> None:
    await stored_response(runtime, caller)
    stranger = runtime.directory.snapshot.caller(OTHERS, time.time())
    with pytest.raises(UnknownPrevious):
        await expand(runtime, stranger, asked_for(previous_response_id="resp_1"))


async def test_an_expired_response_is_unknown(runtime: Runtime, caller: Caller, settings: Settings) -> None:
    runtime.replies = Replies(lambda: time.time() - 3600 * settings.BRIDGE_STORED_REPLY_HOURS)
    await stored_response(runtime, caller)
    runtime.replies = Replies()
    with pytest.raises(UnknownPrevious):
        await expand(runtime, caller, asked_for(previous_response_id="resp_1"))


async def test_where_storing_is_off_no_response_is_known_and_nobody_is_told_to_store(
    runtime: Runtime, caller: Caller, settings: Settings
) -> None:
    await stored_response(runtime, caller)
    settings.BRIDGE_STORE_REPLIES = False
    with pytest.raises(UnknownPrevious, match="keeps no responses") as refused:
        await expand(runtime, caller, asked_for(previous_response_id="resp_1"))
    assert "'store': true" not in str(refused.value)


async def test_a_previous_response_that_is_no_text_is_refused(runtime: Runtime, caller: Caller) -> None:
    with pytest.raises(BadRequest, match="'previous_response_id' must be a string"):
        await expand(runtime, caller, asked_for(previous_response_id=7))


# --- The doors -----------------------------------------------------------------------------------------------


async def test_the_openai_sdk_reads_lists_and_deletes(
    runtime: Runtime, caller: Caller, sdk: openai.AsyncOpenAI
) -> None:
    await stored_response(runtime, caller)
    response = await sdk.responses.retrieve("resp_1")
    assert (response.id, response.output_text, response.status) == ("resp_1", "42.", "completed")
    listed = [item async for item in sdk.responses.input_items.list("resp_1", order="asc", limit=3)]
    assert [item.type for item in listed] == ["message", "message", "function_call", "function_call_output"]
    assert isinstance(listed[0], ResponseInputMessageItem)
    assert [part.model_dump() for part in listed[0].content] == [
        {"type": "input_text", "text": "Be brief.", "prompt_cache_breakpoint": None}
    ]
    await sdk.responses.delete("resp_1")
    with pytest.raises(openai.NotFoundError, match="Response with id 'resp_1' not found"):
        await sdk.responses.retrieve("resp_1")


async def test_a_stored_response_is_returned_as_it_was_sent(
    runtime: Runtime, caller: Caller, http: httpx.AsyncClient
) -> None:
    await stored_response(runtime, caller)
    answer = await http.get("/v1/responses/resp_1")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    assert answer.content == RESPONSE
    head = await http.head("/v1/responses/resp_1")
    assert (head.status_code, head.content) == (200, b"")


async def test_deleting_says_so_once(runtime: Runtime, caller: Caller, http: httpx.AsyncClient) -> None:
    await stored_response(runtime, caller)
    answer = await http.delete("/v1/responses/resp_1")
    assert answer.json() == {"id": "resp_1", "object": "response", "deleted": True}
    assert await runtime.replies.find(caller.key, "resp_1") is None
    assert error_of(await http.delete("/v1/responses/resp_1"), 404, "not_found")


@pytest.mark.parametrize(("method", "end"), [("GET", ""), ("DELETE", ""), ("GET", "/input_items"), ("POST", "/cancel")])
async def test_an_unknown_response_and_another_keys_are_answered_alike(
    runtime: Runtime, caller: Caller, http: httpx.AsyncClient, method: str, end: str
) -> None:
    await stored_response(runtime, caller)
    unknown = await http.request(method, f"/v1/responses/resp_0{end}")
    assert error_of(unknown, 404, "not_found") == "Response with id 'resp_0' not found."
    stranger = {"authorization": f"Bearer {OTHERS}"}
    foreign = await http.request(method, f"/v1/responses/resp_1{end}", headers=stranger)
    assert error_of(foreign, 404, "not_found") == "Response with id 'resp_1' not found."
    assert await runtime.replies.find(caller.key, "resp_1") is not None


@pytest.mark.parametrize(("method", "end"), [("GET", ""), ("DELETE", ""), ("GET", "/input_items"), ("POST", "/cancel")])
async def test_each_door_asks_for_a_key_that_may_enter(http: httpx.AsyncClient, method: str, end: str) -> None:
    nobody = await http.request(method, f"/v1/responses/resp_1{end}", headers={"authorization": "Bearer x"})
    assert error_of(nobody, 401, "invalid_api_key")
    shut_out = await http.request(method, f"/v1/responses/resp_1{end}", headers={"authorization": f"Bearer {NO_DOOR}"})
    assert error_of(shut_out, 403, "permission_denied")


@pytest.mark.parametrize(
    ("method", "end"), [("POST", ""), ("DELETE", "/input_items"), ("GET", "/cancel"), ("PUT", "/cancel")]
)
async def test_other_methods_are_refused(http: httpx.AsyncClient, method: str, end: str) -> None:
    assert error_of(await http.request(method, f"/v1/responses/resp_1{end}"), 405, "method_not_allowed")


async def test_a_stored_response_is_not_streamed(runtime: Runtime, caller: Caller, http: httpx.AsyncClient) -> None:
    await stored_response(runtime, caller)
    assert "not streamed" in error_of(await http.get("/v1/responses/resp_1?stream=true"), 400, "invalid_request_error")
    assert (await http.get("/v1/responses/resp_1?stream=false")).status_code == 200


async def test_a_finished_response_cannot_be_cancelled(
    runtime: Runtime, caller: Caller, http: httpx.AsyncClient
) -> None:
    await stored_response(runtime, caller)
    sentence = error_of(await http.post("/v1/responses/resp_1/cancel"), 400, "invalid_request_error")
    assert "background" in sentence


async def test_items_are_listed_in_full_the_newest_first(
    runtime: Runtime, caller: Caller, http: httpx.AsyncClient
) -> None:
    await stored_response(runtime, caller)
    listed = (await http.get("/v1/responses/resp_1/input_items")).json()
    assert listed["data"] == [
        {**ITEMS[3], "id": "fco_1_in3", "status": "completed"},
        {**ITEMS[2], "id": "fc_own", "status": "completed"},
        {**ITEMS[1], "type": "message", "id": "msg_1_in1", "status": "completed"},
        {
            "role": "system",
            "content": [{"type": "input_text", "text": "Be brief."}],
            "type": "message",
            "id": "msg_1_in0",
            "status": "completed",
        },
    ]
    ends = {name: value for name, value in listed.items() if name != "data"}
    assert ends == {"object": "list", "first_id": "fco_1_in3", "last_id": "msg_1_in0", "has_more": False}


async def test_what_the_assistant_said_is_listed_as_output(
    runtime: Runtime, caller: Caller, http: httpx.AsyncClient
) -> None:
    said = {"role": "assistant", "content": "42."}
    await keep(runtime, caller, asked_for(input=[said], store=True), RESPONSE)
    [item] = (await http.get("/v1/responses/resp_1/input_items")).json()["data"]
    assert item["content"] == [{"type": "output_text", "text": "42.", "annotations": []}]


async def test_pages_follow_each_other_without_a_gap(runtime: Runtime, caller: Caller, http: httpx.AsyncClient) -> None:
    await stored_response(runtime, caller)
    seen: list[str] = []
    query: dict[str, Any] = {"limit": 1, "order": "asc"}
    for _ in ITEMS:
        page = (await http.get("/v1/responses/resp_1/input_items", params=query)).json()
        assert page["first_id"] == page["last_id"] == page["data"][0]["id"]
        assert page["has_more"] is (len(seen) + 1 < len(ITEMS))
        seen.append(page["last_id"])
        query["after"] = page["last_id"]
    assert seen == ["msg_1_in0", "msg_1_in1", "fc_own", "fco_1_in3"]
    end = (await http.get("/v1/responses/resp_1/input_items", params=query)).json()
    assert end == {"object": "list", "data": [], "first_id": None, "last_id": None, "has_more": False}


@pytest.mark.parametrize(
    ("query", "param"),
    [
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("limit=-1", "limit"),
        ("limit=x", "limit"),
        ("limit=", "limit"),
        ("limit=%C2%B2", "limit"),
        ("limit=99999999999999999999", "limit"),
        ("order=up", "order"),
        ("after=msg_0", "after"),
    ],
)
async def test_a_wrong_query_is_refused_by_name(
    runtime: Runtime, caller: Caller, http: httpx.AsyncClient, query: str, param: str
) -> None:
    await stored_response(runtime, caller)
    answer = await http.get(f"/v1/responses/resp_1/input_items?{query}")
    assert error_of(answer, 400, "invalid_request_error")
    assert answer.json()["error"]["param"] == param


async def test_odd_items_of_a_client_are_no_fault_of_the_list(
    runtime: Runtime, caller: Caller, http: httpx.AsyncClient
) -> None:
    odd = [{"type": 5, "id": 7}, {"type": "message", "content": None}, {"content": "x", "id": ""}, "no object"]
    await keep(runtime, caller, asked_for(input=odd, store=True), RESPONSE)
    listed = (await http.get("/v1/responses/resp_1/input_items?order=asc")).json()["data"]
    assert [item["id"] for item in listed] == ["item_1_in0", "msg_1_in1", "msg_1_in2"]
