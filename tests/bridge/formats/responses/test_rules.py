"""What goes upstream is held against every rule that the simulator knows of the real one."""

from __future__ import annotations

import json
from copy import deepcopy
from typing import Any

import pytest

from bridge.asked import Asked, Written
from bridge.formats.responses import read_request, write_request
from bridge.formats.responses.verbatim import edit_request, open_request
from bridge.target import Target, WireProfile
from tests.bridge.formats.responses.captured import CIPHER, CODEX_ADDITIONAL_TOOLS, CODEX_TOP_LEVEL
from tests.simulator.catalogue import Model
from tests.simulator.generate.response_rules import check_responses
from tests.simulator.generate.seals import Kind, Seals, digest
from tests.simulator.world import World

WORLD = World()
SEALS = Seals(WORLD.seed, "someone", 1)
BODIES = {"top-level": CODEX_TOP_LEVEL, "additional-tools": CODEX_ADDITIONAL_TOOLS}
TARGETS = {
    "copilot": ("gpt-5.5", WireProfile.COPILOT),
    "lite": ("gpt-6-sol", WireProfile.LITE),
    "foreign": ("grok-4.5", WireProfile.FOREIGN),
}

_OVER_THE_HUB = ("additional-tools", "foreign")


def model_of(name: str) -> Model:
    models = WORLD.models
    return next(model for model in (models.values() if isinstance(models, dict) else models) if model.id == name)


def target_of(model: Model, profile: WireProfile) -> Target:
    return Target(
        model.id, model.vendor, model.family or model.id, model.output, model.efforts, profile=profile, cache_key="key"
    )


def request(body: dict[str, Any]) -> Asked:
    """The request as it would be with ciphertext that this account was given."""
    sealed = SEALS.seal(Kind.CIPHER, digest("rs_1"), fill=320)
    return open_request(json.dumps(deepcopy(body)).replace(CIPHER, sealed).encode())


def checked(written: Written, model: Model) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(written.body)
    check_responses(body, model, SEALS, ())
    return body


# Custom tools for a model of another vendor go over the hub.
@pytest.mark.parametrize(
    ("name", "place"), [(name, place) for name in BODIES for place in TARGETS if (name, place) != _OVER_THE_HUB]
)
def test_what_codex_asks_is_taken_on_the_verbatim_road(name: str, place: str) -> None:
    model, profile = model_of(TARGETS[place][0]), TARGETS[place][1]
    written = edit_request(request(BODIES[name]), target_of(model, profile))
    body = checked(written, model)
    has_search = name == "top-level"
    assert written.dropped == (("web_search",) if has_search and profile is WireProfile.FOREIGN else ())
    moved = name == "top-level" and profile is WireProfile.LITE
    assert len(body["input"]) == len(BODIES[name]["input"]) + moved
    assert not any("id" in item for item in body["input"])
    assert sum(item.get("type") == "reasoning" for item in body["input"]) == 2
    assert body["prompt_cache_key"] == BODIES[name]["prompt_cache_key"]


@pytest.mark.parametrize("place", TARGETS)
def test_what_codex_asks_is_taken_over_the_hub(place: str) -> None:
    model, profile = model_of(TARGETS[place][0]), TARGETS[place][1]
    prompt = read_request(request(CODEX_TOP_LEVEL))
    assert prompt.dropped == ("tool_search",)
    body = checked(write_request(prompt, target_of(model, profile)), model)
    assert [item["type"] for item in body["input"] if item["type"] != "additional_tools"] == [
        "message",
        "message",
        "reasoning",
        "custom_tool_call",
        "custom_tool_call_output",
        "reasoning",
        "message",
        "message",
    ]
    assert body["instructions"].startswith("You are Codex")


def test_the_tools_of_an_item_are_the_tools_of_the_request() -> None:
    prompt = read_request(request(CODEX_ADDITIONAL_TOOLS))
    assert [(tool.namespace, tool.name, tool.kind.value) for tool in prompt.tools] == [
        ("functions", "exec", "custom"),
        ("functions", "wait", "function"),
        ("collaboration", "send_message", "function"),
    ]
    assert prompt.dropped == ()
