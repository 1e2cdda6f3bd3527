"""Installs the client programs at their pinned versions, once, into a cache folder.

The programs of the npm registry come by the lock file beside this one, without their install scripts: their programs
are packages of their own, one for each platform. aider comes into a virtual environment, by its version.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from bridge.dialect import Dialect
from tests.clients.aider import VERSION, aiders
from tests.clients.claude_code import ClaudeCode
from tests.clients.codex import Codex
from tests.clients.opencode import Opencode
from tests.clients.program import Program

HERE = Path(__file__).parent
_LOCKED = ("package.json", "package-lock.json", ".npmrc")
_PROBE = "@openai/codex"
_INSTALL_SECONDS = 900
_PROBE_SECONDS = 60
_TAIL = 1500


class InstallFailed(Exception):
    """A package could be had and would not install: the lock is wrong."""


@dataclass(frozen=True, slots=True)
class Skipped:
    """A program that is not there, and why."""

    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class Found:
    programs: tuple[Program, ...]
    skipped: tuple[Skipped, ...]


def cache_folder() -> Path:
    """`BRIDGE_CLIENTS_DIR`, or a folder in the user's cache."""
    if named := os.environ.get("BRIDGE_CLIENTS_DIR"):
        return Path(named).resolve()
    caches = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(caches) / "copilot-bridge-clients"


def install(cache: Path) -> Found:
    """All programs that can be had. Raises InstallFailed."""
    cache.mkdir(parents=True, exist_ok=True)
    by_npm, by_pip = npm_programs(cache), pip_programs(cache)
    return Found(by_npm.programs + by_pip.programs, by_npm.skipped + by_pip.skipped)


def npm_programs(cache: Path) -> Found:
    """Claude Code, Codex CLI and opencode. Raises InstallFailed."""
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        return Found((), (Skipped("claude, codex, opencode", "npm and node are not installed"),))
    folder = cache / f"npm-{_digest()}"
    refusal = "" if folder.is_dir() else _npm_refusal(npm, cache, folder)
    if refusal:
        return Found((), (Skipped("claude, codex, opencode", refusal),))
    return _natives(folder / "node_modules")


def _npm_refusal(npm: str, cache: Path, folder: Path) -> str:
    """Install into `folder` and return nothing, or why the registry cannot be reached."""
    for old in cache.glob("npm-*"):
        shutil.rmtree(old)
    making = cache / f"npm-making-{os.getpid()}"
    making.mkdir()
    for name in _LOCKED:
        shutil.copy(HERE / name, making)
    done = _run([npm, "ci"], making, _INSTALL_SECONDS)
    if done.returncode == 0:
        making.rename(folder)
        return ""
    shutil.rmtree(making)
    if _run([npm, "view", _PROBE, "version"], cache, _PROBE_SECONDS).returncode != 0:
        return f"npm cannot reach its registry: {done.stdout[-_TAIL:].strip()}"
    raise InstallFailed(f"npm ci failed though the registry answers:\n{done.stdout[-_TAIL:]}")


def _natives(modules: Path) -> Found:
    """The programs built for this machine; npm has left out those of other platforms."""
    programs: list[Program] = []
    skipped: list[Skipped] = []
    if claude := _first(modules, "@anthropic-ai/claude-code-*/claude"):
        programs.append(ClaudeCode(claude))
    else:
        skipped.append(Skipped("claude", "it is not built for this platform"))
    if codex := _first(modules, ".bin/codex"):
        programs.append(Codex(codex))
    else:
        skipped.append(Skipped("codex", "it is not built for this platform"))
    if opencode := _first(modules, "opencode-*/bin/opencode"):
        programs += [Opencode(opencode, door) for door in Dialect]
    else:
        skipped.append(Skipped("opencode", "only its build for Linux on x86-64 is locked"))
    return Found(tuple(programs), tuple(skipped))


def pip_programs(cache: Path) -> Found:
    """aider."""
    folder = cache / f"aider-{VERSION}-{sys.version_info.major}.{sys.version_info.minor}"
    aider = folder / "bin" / "aider"
    if not (folder / "installed").exists():
        shutil.rmtree(folder, ignore_errors=True)
        made = _run([sys.executable, "-m", "venv", str(folder)], cache, _INSTALL_SECONDS)
        pip = [str(folder / "bin" / "pip"), "install", "--quiet", "--disable-pip-version-check"]
        done = _run([*pip, f"aider-chat=={VERSION}"], cache, _INSTALL_SECONDS) if made.returncode == 0 else made
        if done.returncode != 0:
            return Found((), (Skipped("aider", f"pip will not install it here: {done.stdout[-_TAIL:].strip()}"),))
        (folder / "installed").touch()
    return Found(aiders(aider), ())


def _run(command: list[str], folder: Path, seconds: float) -> subprocess.CompletedProcess[str]:
    """What the command came to; one that takes too long counts as failed."""
    try:
        return subprocess.run(
            command,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=seconds,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return subprocess.CompletedProcess(command, 1, f"{command[0]} was still at it after {seconds} s", "")


def _first(modules: Path, pattern: str) -> Path | None:
    return next(iter(sorted(modules.glob(pattern))), None)


def _digest() -> str:
    return hashlib.sha256(b"".join((HERE / name).read_bytes() for name in _LOCKED)).hexdigest()[:12]
