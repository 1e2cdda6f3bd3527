"""The model list, policies, the auto mode, and which model may be asked where."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.simulator.server import SimulatorServer

EDITOR = {"editor-version": "vscode/1.104.3"}


class Seat:
    """One account with a running token."""

    def __init__(self, sim: SimulatorServer, client: httpx.Client, login: str = "credits", **headers: str) -> None:
        tenant = sim.world.accounts[login].kind
        token = sim.world.accounts[login].github_token if tenant == "gho" else sim.token(login)
        self.url = sim.copilot_url
        self.client = client
        self.headers = {"authorization": f"Bearer {token}", **EDITOR, **headers}

    def get(self, path: str) -> httpx.Response:
        return self.client.get(f"{self.url}{path}", headers=self.headers)

    def post(self, path: str, body: Any, **headers: str) -> httpx.Response:
        return self.client.post(f"{self.url}{path}", json=body, headers={**self.headers, **headers})

    def entries(self) -> dict[str, dict[str, Any]]:
        return {entry["id"]: entry for entry in self.get("/models").json()["data"]}

    def ask(self, model: str, path: str = "/chat/completions", **headers: str) -> httpx.Response:
        body = {"model": model, "messages": [{"role": "user", "content": "hello"}]}
        return self.post(path, body, **headers)


def error(answer: httpx.Response) -> dict[str, Any]:
    body: dict[str, Any] = answer.json()["error"]
    return body


def test_the_list_has_sorted_keys_and_no_quota_headers(sim: SimulatorServer, client: httpx.Client) -> None:
    answer = Seat(sim, client).get("/models")
    entry = next(item for item in answer.json()["data"] if item["id"] == "claude-opus-4.6")
    assert list(entry) == sorted(entry)
    assert answer.json()["object"] == "list"
    assert not [name for name in answer.headers if "quota" in name or "ratelimit" in name]


def test_entries_are_as_uneven_as_the_real_ones(sim: SimulatorServer, client: httpx.Client) -> None:
    entries = Seat(sim, client).entries()
    assert "supported_endpoints" not in entries["gpt-4o"]
    assert "policy" not in entries["gpt-4o"]
    assert entries["experimental-7"] == {"id": "experimental-7", "object": "model", "vendor": "Unheard-of Labs"}
    assert entries["trajectory-compaction"]["capabilities"]["limits"] is None
    assert entries["text-embedding-3-small"]["capabilities"]["type"] == "embeddings"
    assert "billing" not in entries["text-embedding-3-small"]
    assert entries["gpt-5.6-terra"]["supported_endpoints"] == ["/responses", "ws:/responses"]
    assert entries["claude-opus-4.8"]["warning_messages"][0]["code"] == "model_retirement"


def test_a_credit_account_sees_prices_in_credits(sim: SimulatorServer, client: httpx.Client) -> None:
    billing = Seat(sim, client).entries()["claude-opus-4.6"]["billing"]
    assert billing["token_prices"] == {
        "batch_size": 1_000_000,
        "default": {
            "cache_price": 50, "cache_write_price": 625, "context_max": 936_000,
            "input_price": 500, "output_price": 2500,
        },
    }  # fmt: skip
    assert "multiplier" not in billing


def test_a_long_tier_is_listed_beside_the_first(sim: SimulatorServer, client: httpx.Client) -> None:
    prices = Seat(sim, client).entries()["gpt-6-sol"]["billing"]["token_prices"]
    assert prices["default"]["context_max"] == 272_000
    assert prices["long_context"] == {
        "cache_price": 40, "cache_write_price": 500, "context_max": 922_000, "input_price": 400, "output_price": 1500,
    }  # fmt: skip


def test_a_legacy_account_sees_multipliers(sim: SimulatorServer, client: httpx.Client) -> None:
    entries = Seat(sim, client, "legacy").entries()
    assert entries["claude-sonnet-4.6"]["billing"]["multiplier"] == 1
    assert entries["gpt-4.1"]["billing"] == {"is_premium": False, "multiplier": 0}
    assert "token_prices" not in entries["claude-sonnet-4.6"]["billing"]
    assert entries["gpt-4.1"]["is_chat_fallback"] is True


def test_the_plan_filters_the_list(sim: SimulatorServer, client: httpx.Client) -> None:
    free, pro, plus = (set(Seat(sim, client, login).entries()) for login in ("free", "pro", "credits"))
    assert "claude-haiku-4.5" in free
    assert "claude-sonnet-4.6" not in free
    assert "claude-sonnet-4.6" in pro
    assert "gpt-6-sol" not in pro
    assert "gpt-6-sol" in plus


def test_the_integration_id_filters_the_list(sim: SimulatorServer, client: httpx.Client) -> None:
    editor = Seat(sim, client, **{"copilot-integration-id": "vscode-chat"}).entries()
    terminal = Seat(sim, client, **{"copilot-integration-id": "copilot-developer-cli"}).entries()
    direct = Seat(sim, client, "direct").entries()
    assert "text-embedding-3-small-inference" in editor
    assert "text-embedding-3-small-inference" not in terminal
    assert "gpt-6-astra" in terminal
    assert "gpt-6-astra" not in direct


def test_an_account_can_be_kept_to_some_models(sim: SimulatorServer, client: httpx.Client) -> None:
    sim.control("POST", "account/credits", {"models": ["gpt-4o"]})
    seat = Seat(sim, client)
    assert set(seat.entries()) == {"gpt-4o", "experimental-7", "trajectory-compaction"}
    assert error(seat.ask("gpt-5-mini"))["code"] == "model_not_supported"


def test_the_list_changes_between_calls(sim: SimulatorServer, client: httpx.Client) -> None:
    seat = Seat(sim, client)
    wishes = {"without": ["gpt-4o"], "add": [{"id": "brand-new"}], "change": {"gpt-5.4": {"preview": True}}}
    sim.ask({"models": wishes}, path="/models")
    first, second = seat.entries(), seat.entries()
    assert "gpt-4o" not in first
    assert first["brand-new"] == {"id": "brand-new"}
    assert first["gpt-5.4"]["preview"] is True
    assert "gpt-4o" in second
    assert "brand-new" not in second


def test_one_model_can_be_read_alone(sim: SimulatorServer, client: httpx.Client) -> None:
    seat = Seat(sim, client)
    assert seat.get("/models/gpt-4o").json() == seat.entries()["gpt-4o"]
    assert seat.get("/models/nothing").status_code == 404


def test_a_policy_must_be_accepted_before_the_first_use(sim: SimulatorServer, client: httpx.Client) -> None:
    seat = Seat(sim, client)
    assert seat.entries()["grok-4.6"]["policy"]["state"] == "unconfigured"
    assert error(seat.ask("grok-4.6"))["code"] == "model_not_supported"
    assert seat.post("/models/grok-4.6/policy", {"state": "enabled"}).json()["state"] == "enabled"
    assert seat.entries()["grok-4.6"]["policy"]["state"] == "enabled"
    assert seat.ask("grok-4.6").status_code == 200


def test_a_policy_of_the_organization_is_not_the_members_to_accept(sim: SimulatorServer, client: httpx.Client) -> None:
    seat = Seat(sim, client, "orgpolicy")
    answer = seat.post("/models/claude-opus-5.5/policy", {"state": "enabled"})
    assert answer.status_code == 403
    assert "organization policy" in answer.text
    assert error(seat.ask("claude-opus-5.5"))["code"] == "model_not_supported"


@pytest.mark.parametrize("body", [{"state": "maybe"}, {}, [1]])
def test_a_policy_has_two_states(sim: SimulatorServer, client: httpx.Client, body: Any) -> None:
    assert Seat(sim, client).post("/models/grok-4.6/policy", body).status_code == 400


@pytest.mark.parametrize("model", ["nothing", "experimental-7", "GPT-4o"])
def test_an_unknown_model_is_not_supported(sim: SimulatorServer, client: httpx.Client, model: str) -> None:
    answer = Seat(sim, client).ask(model)
    assert answer.status_code == 400
    assert answer.text == (
        '{"error":{"code":"model_not_supported","message":"The requested model is not supported.",'
        '"param":"model","type":"invalid_request_error"}}\n'
    )


def test_a_completion_model_is_not_for_chat(sim: SimulatorServer, client: httpx.Client) -> None:
    assert error(Seat(sim, client).ask("gpt-41-copilot"))["message"] == "Model is not supported for this request."


def test_a_model_of_another_integrator_is_named_as_such(sim: SimulatorServer, client: httpx.Client) -> None:
    said = error(Seat(sim, client, "direct").ask("gpt-6-astra", "/responses"))["message"]
    assert 'not available for integrator "opencode"' in said


@pytest.mark.parametrize(
    ("model", "path", "message"),
    [
        ("grok-4.7", "/v1/messages", 'model "grok-4.7" is not accessible via the /v1/messages endpoint'),
        ("gpt-5.5", "/chat/completions", 'model "gpt-5.5" is not accessible via the /chat/completions endpoint'),
        ("gpt-4o", "/responses", "model gpt-4o is not supported via Responses API."),
        ("gpt-4o", "/v1/responses", "model gpt-4o is not supported via Responses API."),
        ("gpt-4o", "/v1/messages", 'model "gpt-4o" is not accessible via the /v1/messages endpoint'),
        ("gpt-4o", "/embeddings", 'model "gpt-4o" is not accessible via the /embeddings endpoint'),
    ],
)  # fmt: skip
def test_a_model_is_refused_where_it_is_not_offered(
    sim: SimulatorServer, client: httpx.Client, model: str, path: str, message: str
) -> None:
    refused = error(Seat(sim, client).ask(model, path))
    assert refused == {"code": "unsupported_api_for_model", "message": message}


def test_the_list_can_be_made_to_lie(sim: SimulatorServer, client: httpx.Client) -> None:
    sim.control("POST", "settings", {"contradictions": {"gpt-5.4": ["/chat/completions"]}})
    seat = Seat(sim, client)
    assert "/chat/completions" in seat.entries()["gpt-5.4"]["supported_endpoints"]
    assert error(seat.ask("gpt-5.4"))["code"] == "unsupported_api_for_model"


def test_images_need_their_header_also_deep_inside_tool_results(sim: SimulatorServer, client: httpx.Client) -> None:
    picture = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AAAA"}}
    result = {"type": "tool_result", "tool_use_id": "t", "content": [picture]}
    body = {"model": "claude-sonnet-4.6", "max_tokens": 9, "messages": [{"role": "user", "content": [result]}]}
    refused = Seat(sim, client).post("/v1/messages", body)
    assert refused.status_code == 400
    assert "Copilot-Vision-Request" in refused.text


def test_text_about_images_needs_no_vision_header(sim: SimulatorServer, client: httpx.Client) -> None:
    content = 'write {"type":"image_url"} and "image" please'
    answer = Seat(sim, client).post(
        "/chat/completions", {"model": "gpt-4o", "messages": [{"role": "user", "content": content}]}
    )
    assert answer.status_code == 200


@pytest.mark.parametrize("content", [b"", b"nonsense", b"[1]"])
def test_a_body_that_is_no_object_is_a_bad_request(sim: SimulatorServer, client: httpx.Client, content: bytes) -> None:
    seat = Seat(sim, client)
    answer = client.post(f"{seat.url}/chat/completions", content=content, headers=seat.headers)
    assert (answer.status_code, answer.text) == (400, "Bad Request\n")


def test_the_auto_mode_gives_a_token_bound_to_the_account(sim: SimulatorServer, client: httpx.Client) -> None:
    seat, other = Seat(sim, client), Seat(sim, client, "legacy")
    session = seat.post("/models/session", {"auto_mode": {"model_hints": ["auto"]}}).json()
    assert session["selected_model"] in session["available_models"]
    assert session["discounted_costs"][session["selected_model"]] == 0.1
    assert session["expires_at"] > sim.world.time()
    own = {"copilot-session-token": session["session_token"]}
    assert seat.ask(session["selected_model"], **own).status_code == 200
    refused = other.ask(session["selected_model"], **own)
    assert (refused.status_code, refused.text) == (401, "Invalid auto-mode selector\n")


def test_the_router_needs_the_session_token(sim: SimulatorServer, client: httpx.Client) -> None:
    seat = Seat(sim, client)
    session = seat.post("/models/session", {"auto_mode": {"model_hints": ["auto"]}}).json()
    body = {"prompt": "Prove it.", "available_models": ["a", "b"]}
    said = seat.post("/models/session/intent", body, **{"copilot-session-token": session["session_token"]}).json()
    assert said["predicted_label"] == "needs_reasoning"
    assert said["candidate_models"] == ["a", "b"]
    assert seat.post("/models/session/intent", body).status_code == 401
