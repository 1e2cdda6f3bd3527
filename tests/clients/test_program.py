"""Starting client programs: whose environment they get, and how they end."""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

import pytest

from bridge.dialect import Dialect
from tests.clients.claude_code import ClaudeCode
from tests.clients.codex import Codex
from tests.clients.opencode import Opencode
from tests.clients.program import Command, Model, Place, execute


@pytest.fixture
def place(tmp_path: Path) -> Place:
    home, project = tmp_path / "home", tmp_path / "project"
    home.mkdir()
    project.mkdir()
    return Place(home, project, "http://127.0.0.1:1", "brg_key", Model("m", Dialect.CHAT))


def python(script: str, *, said: str = "") -> Command:
    return Command((sys.executable, "-c", script), {}, said)


def test_a_program_gets_nothing_of_the_callers_own_logins(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "own")
    monkeypatch.setenv("OPENAI_API_KEY", "own")
    environment = place.environment({"GATEWAY_KEY": place.key})
    assert "own" not in environment.values()
    assert environment["HOME"] == str(place.home)
    assert environment["NO_PROXY"].startswith("127.0.0.1")


def test_a_command_does_not_show_its_environment(place: Place) -> None:
    assert place.key not in repr(Command(("claude",), place.environment({"KEY": place.key})))


def test_what_a_program_says_and_how_it_ends_is_kept(place: Place) -> None:
    ended = execute(python("print(input()); raise SystemExit(3)", said="hello"), place.project, 20)
    assert (ended.status, ended.said) == (3, "hello\n")


def test_a_program_that_takes_too_long_is_ended_with_its_children(place: Place) -> None:
    child = "import os, time, sys; sys.stdout.write(f'{os.getpid()}\\n'); sys.stdout.flush(); time.sleep(60)"
    script = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])"
    ended = execute(python(script), place.project, 2)
    assert ended.status is None
    assert ended.seconds < 15
    deadline = time.monotonic() + 5
    while _is_running(int(ended.said)):
        assert time.monotonic() < deadline, "the child still runs"
        time.sleep(0.05)


def test_claude_code_resumes_by_its_own_switch(place: Place) -> None:
    claude = ClaudeCode(Path("/claude"))
    claude.prepare(place)
    assert "--continue" not in claude.ask(place, "hi", again=False).arguments
    resumed = claude.ask(place, "hi", again=True)
    assert "--continue" in resumed.arguments
    assert resumed.standard_input == "hi"
    assert resumed.environment["ANTHROPIC_BASE_URL"] == place.url


def test_codex_resumes_the_last_conversation(place: Place) -> None:
    codex = Codex(Path("/codex"))
    codex.prepare(place)
    assert codex.ask(place, "hi", again=True).arguments[-3:] == ("resume", "--last", "hi")
    assert f'base_url = "{place.url}/v1"' in (place.home / ".codex" / "config.toml").read_text()


@pytest.mark.parametrize("door", list(Dialect))
def test_opencode_takes_the_provider_of_its_door(place: Place, door: Dialect) -> None:
    Opencode(Path("/opencode"), door).prepare(place)
    settings = json.loads((place.project / "opencode.json").read_text())
    package = {"chat": "openai-compatible", "responses": "openai", "messages": "anthropic"}[door]
    assert settings["provider"]["gateway"]["npm"] == f"@ai-sdk/{package}"


def _is_running(pid: int) -> bool:
    """Whether the process is there and not merely waiting to be collected."""
    try:
        os.kill(pid, 0)
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (ProcessLookupError, FileNotFoundError):
        return False
