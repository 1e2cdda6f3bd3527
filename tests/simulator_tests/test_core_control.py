"""The control API: the log, scenarios, accounts, settings, reset."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from typing import Any

import httpx
import pytest

from tests.simulator.server import SimulatorServer
from tests.simulator.wire import Received, Request
from tests.simulator.world import Settings, World


def whoami(sim: SimulatorServer, client: httpx.Client, login: str = "credits") -> httpx.Response:
    token = sim.world.accounts[login].github_token
    return client.get(f"{sim.api_url}/user?a=1", headers={"authorization": f"token {token}"})


def test_the_log_tells_what_was_received_and_what_was_answered(sim: SimulatorServer, client: httpx.Client) -> None:
    whoami(sim, client)
    client.post(f"{sim.api_url}/user", content=b"\xff\xfe")
    first, second = sim.control("GET", "requests")
    assert (first["method"], first["path"], first["query"]) == ("GET", "/user", {"a": "1"})
    assert (first["origin"], first["account"], first["number"]) == ("api", "credits", 1)
    assert (first["status"], first["outcome"]) == (200, "completed")
    assert first["headers"]["authorization"].startswith("token ghu_")
    assert first["ended_at"] >= first["at"]
    assert second["status"] == 401
    assert second["body_base64"] == "//4="


def test_the_log_can_be_read_from_a_number_and_cleared(sim: SimulatorServer, client: httpx.Client) -> None:
    for _ in range(3):
        whoami(sim, client)
    assert [entry["number"] for entry in sim.control("GET", "requests?since=1")] == [2, 3]
    sim.control("DELETE", "requests")
    assert sim.control("GET", "requests") == []


def test_calls_of_the_control_api_are_not_in_the_log(sim: SimulatorServer) -> None:
    assert sim.control("GET", "health")["ok"] is True
    assert sim.world.log == []


def received(number: int, body: bytes = b"") -> Received:
    return Received(Request("GET", "/", {}, {}, body, "api", "", number), 0.0)


def test_the_log_is_bounded_in_entries_and_in_bytes() -> None:
    world = World(settings=Settings(log_limit=10, log_bytes=1000))
    for number in range(55):
        world.remember(received(number))
    assert 5 <= len(world.log) <= 10
    assert world.log[-1].request.number == 54
    for number in range(9):
        world.remember(received(number, b"x" * 300))
    assert sum(len(record.request.body) for record in world.log) <= 1000


def test_a_server_stops_at_once_with_an_answer_still_open() -> None:
    with SimulatorServer() as server:
        server.ask({"hold": 60}, path="/user")
        with httpx.Client(trust_env=False) as client, pytest.raises(httpx.ReadTimeout):
            client.get(f"{server.api_url}/user", timeout=0.2)
        peer = socket.create_connection(("127.0.0.1", server.port))
        server.ask({"hold": 60}, path="/user")
        peer.sendall(b"GET /api/user HTTP/1.1\r\nhost: x\r\n\r\n")
        time.sleep(0.1)
        began = time.monotonic()
    peer.close()
    assert time.monotonic() - began < 2
    assert server.world.log[-1].outcome == "cancelled"


def test_a_scenario_counts_down_and_goes(sim: SimulatorServer, client: httpx.Client) -> None:
    sim.ask({"refuse": "rest_server_error"}, times=2, path="/user")
    codes = [whoami(sim, client).status_code for _ in range(3)]
    assert codes == [500, 500, 200]
    assert sim.control("GET", "scenario") == []


def test_queued_scenarios_come_one_after_the_other(sim: SimulatorServer, client: httpx.Client) -> None:
    sim.ask({"refuse": "rest_server_error"}, path="/user")
    sim.ask({"refuse": "rest_not_found"}, path="/user")
    assert [whoami(sim, client).status_code for _ in range(3)] == [500, 404, 200]


def test_a_sticky_scenario_stays_until_it_is_deleted(sim: SimulatorServer, client: httpx.Client) -> None:
    sim.ask({"refuse": "rest_not_found"}, times=None, path="/us*")
    assert {whoami(sim, client).status_code for _ in range(4)} == {404}
    sim.control("DELETE", "scenario")
    assert whoami(sim, client).status_code == 200


@pytest.mark.parametrize(
    ("match", "hits"),
    [
        ({"account": "credits"}, True),
        ({"account": "legacy"}, False),
        ({"origin": "api", "method": "GET"}, True),
        ({"origin": "copilot"}, False),
        ({"method": "POST"}, False),
        ({"model": "gpt-4o"}, False),
        ({}, True),
    ],
)
def test_a_scenario_hits_what_it_matches(
    sim: SimulatorServer, client: httpx.Client, match: dict[str, str], hits: bool
) -> None:
    sim.control("POST", "scenario", {"match": match, "scenario": {"refuse": "rest_not_found"}})
    assert (whoami(sim, client).status_code == 404) is hits


def test_a_scenario_can_match_on_the_model(sim: SimulatorServer, client: httpx.Client) -> None:
    headers = {"authorization": f"Bearer {sim.token('credits')}", "editor-version": "v"}
    sim.ask({"refuse": "filtered"}, model="gpt-4o")
    bodies: list[dict[str, Any]] = [{"model": model, "messages": []} for model in ("gpt-9", "gpt-4o")]
    url = f"{sim.copilot_url}/chat/completions"
    codes = [client.post(url, json=body, headers=headers).status_code for body in bodies]
    assert codes == [400, 422]


def test_an_account_has_its_own_scenario(sim: SimulatorServer, client: httpx.Client) -> None:
    sim.control("POST", "account/credits", {"scenario": {"refuse": "rest_not_found"}})
    assert whoami(sim, client).status_code == 404
    assert whoami(sim, client, "legacy").status_code == 200


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("scenario", {"scenario": {"no_such_field": 1}}),
        ("scenario", {"scenario": {"refuse": "no_such_word"}}),
        ("scenario", {"match": {"weather": "fine"}, "scenario": {}}),
        ("scenario", {}),
        ("account/credits", {"state": "tired"}),
        ("account/credits", {"shoe_size": 9}),
        ("account/credits", {"github_tokens": []}),
        ("settings", {"volume": 11}),
        ("device/ABCD-1234/praise", {}),
    ],
)
def test_a_mistake_in_a_call_is_a_400(sim: SimulatorServer, client: httpx.Client, path: str, body: Any) -> None:
    answer = client.post(f"{sim.url}/_sim/{path}", json=body)
    assert answer.status_code == 400
    assert answer.text.startswith("simulator: ")


@pytest.mark.parametrize("path", ["nothing", "account/nobody", "token/steal"])
def test_an_unknown_call_is_a_404(sim: SimulatorServer, client: httpx.Client, path: str) -> None:
    assert client.get(f"{sim.url}/_sim/{path}").status_code == 404


def test_accounts_can_be_added_like_a_preset(sim: SimulatorServer, client: httpx.Client) -> None:
    made = sim.control("POST", "account/seat-7", {"like": "business", "entitlement": 5})
    assert (made["plan"], made["entitlement"], made["tier"]) == ("business", 5, "business")
    assert whoami(sim, client, "seat-7").json()["login"] == "seat-7"
    tokens = [account["github_token"] for account in sim.control("GET", "accounts")]
    assert len(set(tokens)) == len(tokens)


def test_reset_makes_the_world_as_it_was(sim: SimulatorServer, client: httpx.Client) -> None:
    before = sim.token("credits")
    sim.control("POST", "account/credits", {"state": "suspended"})
    sim.control("POST", "settings", {"token_ttl": 1, "contradictions": {"a": ["b"]}})
    sim.control("POST", "clock", {"skew": 99})
    sim.ask({"refuse": "rest_not_found"}, times=None)
    sim.control("POST", "reset")
    assert whoami(sim, client).status_code == 200
    assert sim.world.settings == Settings(public_origin=sim.url)
    assert sim.world.clock.skew == 0
    assert before not in sim.world.copilot_tokens


def test_two_worlds_make_the_same_ids() -> None:
    one, two = World(), World()
    assert [one.new_id("x_") for _ in range(3)] == [two.new_id("x_") for _ in range(3)]
    assert one.new_id() != one.new_id()
    assert World(seed="other").new_id() != World().new_id()
    assert one.accounts["credits"].github_token == two.accounts["credits"].github_token


def test_the_program_prints_where_it_is_and_serves() -> None:
    command = [sys.executable, "-m", "tests.simulator", "--port", "0", "--speed", "demo", "--auto-approve", "3"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as program:
        assert program.stdout is not None
        lines = dict(program.stdout.readline().strip().split("=", 1) for _ in range(3))
        origin = lines["BRIDGE_GITHUB_URL"].removesuffix("/github")
        settings = httpx.get(f"{origin}/_sim/settings", trust_env=False, timeout=10).json()
        program.terminate()
    assert lines["BRIDGE_COPILOT_URL"] == f"{origin}/copilot"
    assert settings["public_origin"] == origin
    assert settings["auto_approve_after"] == 3
    assert settings["delay_ms"] > 0
