"""Model names as clients write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.copilot.names import match, nearest, normalise

LIVE = [
    "claude-3.5-sonnet",
    "claude-haiku-4.5",
    "claude-opus-4.5",
    "claude-opus-4.6",
    "claude-opus-4.6-1m",
    "claude-opus-41",
    "claude-sonnet-5",
    "gpt-4",
    "gpt-4-0613",
    "gpt-4.1",
    "gpt-41-copilot",
    "gpt-4o-2024-08-06",
    "gpt-4o-2024-11-20",
    "gpt-5-mini",
    "gpt-5.1-codex",
    "gemini-2.5-pro",
    "MAI-Code-1.1-Flash",
]


@pytest.mark.parametrize(
    ("name", "live"),
    [
        ("claude-3-5-sonnet-20241022", "claude-3.5-sonnet"),
        ("claude-3-5-sonnet-latest", "claude-3.5-sonnet"),
        ("claude-opus-4-5-20251101", "claude-opus-4.5"),
        ("claude-opus-4-5", "claude-opus-4.5"),
        ("Claude-Haiku-4-5-20251001", "claude-haiku-4.5"),
        ("claude-sonnet-5[1m]", "claude-sonnet-5"),
        ("claude-opus-4-6[1m]", "claude-opus-4.6-1m"),
        ("claude-opus-4-6", "claude-opus-4.6"),
        ("claude-opus-4-1-20250805", "claude-opus-41"),
        ("gpt-5-1-codex", "gpt-5.1-codex"),
        ("github_copilot/gpt-5-1-codex", "gpt-5.1-codex"),
        ("copilot/gemini-2-5-pro", "gemini-2.5-pro"),
        ("gpt-4o", "gpt-4o-2024-11-20"),
        ("gpt-4o-latest", "gpt-4o-2024-11-20"),
        ("mai-code-1-1-flash", "MAI-Code-1.1-Flash"),
        (" gpt-5-mini ", "gpt-5-mini"),
    ],
)
def test_spelling_is_forgiven(name: str, live: str) -> None:
    assert match(name, LIVE) == live


@pytest.mark.parametrize("live", LIVE)
def test_a_live_id_is_never_changed(live: str) -> None:
    assert match(live, LIVE) == live


@pytest.mark.parametrize(
    "name",
    [
        "claude-opus-4.7",
        "claude-sonnet-4-5",
        "gpt-5",
        "gpt-5.1",
        "gpt-4o-2024-05-13",
        "gpt-5.1-codex-max",
        "claude-opus",
        "",
        "-",
    ],
)
def test_another_version_or_family_is_never_chosen(name: str) -> None:
    assert match(name, LIVE) is None


def test_a_dated_id_that_is_live_beats_its_undated_sibling() -> None:
    assert match("gpt-4-0613", LIVE) == "gpt-4-0613"
    assert match("gpt-4o-2024-08-06", LIVE) == "gpt-4o-2024-08-06"


@given(st.one_of(st.text(), st.from_regex(r"(copilot/)?[a-z]+(-\d){0,5}(-latest|\[1m\]|-20241022)*", fullmatch=True)))
def test_normalising_twice_changes_nothing(name: str) -> None:
    once = normalise(name)
    assert normalise(once) == once


def test_the_nearest_names_are_named_best_first() -> None:
    assert nearest("claude-opus-4-7", LIVE)[0] in {"claude-opus-4.5", "claude-opus-4.6"}
    assert len(nearest("claude-opus-4-7", LIVE)) == 3
    assert nearest("mai-code-1.1-flush", LIVE)[0] == "MAI-Code-1.1-Flash"
    assert nearest("zzzzzzzz", LIVE) == []
