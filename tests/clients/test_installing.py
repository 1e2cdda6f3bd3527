"""The lock of the client programs, and what is said when they cannot be had."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest

from tests.clients.installing import HERE, InstallFailed, npm_programs

LOCK = HERE / "package-lock.json"


def stand_in(folder: Path, name: str, script: str) -> None:
    program = folder / name
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only folder on PATH; node is there, npm is up to the test."""
    folder = tmp_path / "tools"
    folder.mkdir()
    stand_in(folder, "node", "exit 0")
    monkeypatch.setenv("PATH", str(folder))
    return folder


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    folder = tmp_path / "cache"
    folder.mkdir()
    return folder


@pytest.mark.parametrize("name", ["package.json", "package-lock.json", ".npmrc"])
def test_no_file_of_the_lock_names_a_registry(name: str) -> None:
    text = (HERE / name).read_text()
    assert not re.search(r"https?://|registry\.", text)
    assert '"resolved"' not in text


def test_every_program_is_pinned_to_the_version_in_the_lock() -> None:
    wanted = json.loads((HERE / "package.json").read_text())
    pins = wanted["dependencies"] | wanted["optionalDependencies"]
    locked = json.loads(LOCK.read_text())["packages"]
    assert {name: locked[f"node_modules/{name}"]["version"] for name in pins} == pins
    assert all(re.fullmatch(r"\d+\.\d+\.\d+", version) for version in pins.values())


def test_every_locked_package_has_a_checksum() -> None:
    packages = json.loads(LOCK.read_text())["packages"]
    assert [name for name, package in packages.items() if name and not package.get("integrity")] == []


def test_without_npm_the_programs_are_skipped(tools: Path, cache: Path) -> None:
    found = npm_programs(cache)
    assert found.programs == ()
    assert [skip.reason for skip in found.skipped] == ["npm and node are not installed"]


def test_without_a_registry_the_programs_are_skipped_with_what_npm_said(tools: Path, cache: Path) -> None:
    stand_in(tools, "npm", "echo no route; exit 1")
    found = npm_programs(cache)
    assert found.programs == ()
    assert [skip.reason for skip in found.skipped] == ["npm cannot reach its registry: no route"]
    assert list(cache.iterdir()) == []


def test_a_lock_that_does_not_install_is_a_failure_when_the_registry_answers(tools: Path, cache: Path) -> None:
    stand_in(tools, "npm", '[ "$1" = view ] || { echo out of sync; exit 1; }')
    with pytest.raises(InstallFailed, match="out of sync"):
        npm_programs(cache)


def test_what_is_installed_is_found_by_what_was_built_for_this_machine(tools: Path, cache: Path) -> None:
    claude = "node_modules/@anthropic-ai/claude-code-linux-x64"
    script = f"{shutil.which('mkdir', path='/usr/bin:/bin')} -p {claude}; : > {claude}/claude"
    stand_in(tools, "npm", script)
    found = npm_programs(cache)
    assert [program.name for program in found.programs] == ["claude"]
    assert [skip.name for skip in found.skipped] == ["codex", "opencode"]


def test_the_second_time_nothing_is_installed(tools: Path, cache: Path) -> None:
    stand_in(tools, "npm", "exit 0")
    npm_programs(cache)
    stand_in(tools, "npm", "exit 1")
    assert "registry" not in npm_programs(cache).skipped[0].reason
