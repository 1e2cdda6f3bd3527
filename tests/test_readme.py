"""The README keeps its word: its commands, names, paths and doors are there, and its examples run."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest
from django.conf import settings
from django.core.management import get_commands
from django.urls import URLPattern, get_resolver, resolve

from bridge.errors import BridgeError
from tests.bench.processes import ROOT
from tests.gateway import Gateway
from tests.setting_names import setting_names
from tests.simulator.server import SimulatorServer

README = (ROOT / "README.md").read_text()
SHIPPED_ADDRESS = "http://127.0.0.1:43953"
OURS = ("accounts", "proxy")
# Names in capitals that are neither settings nor the gateway's: of the script, of the compose file, of clients.
OTHER_NAMES = frozenset(
    {
        "KEY",
        "PYTHON",
        "SIMULATOR_PORT",
        "PUBLISH_ADDRESS",
        "ANTHROPIC_BASE_URL",
        "ANTHROPIC_AUTH_TOKEN",
        "ANTHROPIC_MODEL",
    }
)
# What an installation makes.
MADE_LATER = frozenset({".venv", ".env", "data/", "data-demo/"})
CHUNK_MILLISECONDS = 40


def section(title: str) -> str:
    """The text below the heading, up to the next one of the same rank."""
    found = re.search(rf"^## {re.escape(title)}\n(.*?)(?=^## |\Z)", README, re.MULTILINE | re.DOTALL)
    assert found, f"the README has no section {title}"
    return found[1]


def rows(title: str) -> list[list[str]]:
    """The cells of every row of the section's table."""
    lines = [line for line in section(title).splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines[2:]]


def fence(language: str, containing: str) -> str:
    """The one block of code that holds `containing`."""
    blocks = re.findall(rf"^```{language}\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
    (block,) = [block for block in blocks if containing in block]
    return str(block)


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """Serving in front of an upstream that writes a chunk every CHUNK_MILLISECONDS."""
    with SimulatorServer() as simulator:
        simulator.world.settings.delay_ms = CHUNK_MILLISECONDS
        installation = Gateway(tmp_path_factory.mktemp("gateway"), simulator.url)
        installation.set_up(simulator.world.accounts["credits"].github_token)
        installation.serve()
        yield installation
        installation.stop()


def test_every_setting_has_its_row_and_no_row_is_of_another() -> None:
    names = [name for first, *_ in rows("Configuration") for name in re.findall(r"`([A-Z_]+)`", first)]
    assert sorted(names) == sorted(setting_names())


def test_every_command_has_its_row_and_no_row_is_of_another() -> None:
    described = [first.strip("`").split()[0] for first, *_ in rows("Commands")]
    assert sorted(described) == sorted(name for name, app in get_commands().items() if app in OURS)


def test_every_option_in_the_commands_table_is_one_of_the_command() -> None:
    for usage, *_ in rows("Commands"):
        name, *words = usage.strip("`").replace("\\|", "|").split()
        done = subprocess.run(
            [sys.executable, "manage.py", name, "--help"],
            cwd=ROOT,
            env={"PATH": os.environ["PATH"], "BRIDGE_DATA_DIR": str(settings.BRIDGE_DATA_DIR), "COLUMNS": "200"},
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        for option in [word.strip("[]") for word in words if "--" in word]:
            assert re.search(rf"{option}\b", done.stdout), f"{name} has no {option}"


def test_every_command_that_is_mentioned_exists() -> None:
    assert set(re.findall(r"manage\.py (\w+)", README)) <= set(get_commands())
    script = (ROOT / "run").read_text()
    for word in re.findall(r"\./run (?!\|)(\w+)", README):
        assert f"\n    {word})\n" in script, f"./run has no {word}"


def test_by_hand_has_every_step_of_the_script() -> None:
    steps = re.compile(
        r"manage\.py (?:setup|serve|addseat)|-m (?:venv|tests\.[\w.]+)|--require-hashes|--speed \w+|BRIDGE_\w+"
    )
    taken = set(steps.findall((ROOT / "run").read_text()))
    assert len(taken) > 8
    assert taken <= set(steps.findall(section("By hand")))


def test_every_name_in_capitals_is_known() -> None:
    named = set(re.findall(r"\b[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+\b|(?<=export )[A-Z]+|\b[A-Z]+(?==/)", README))
    assert "BRIDGE_DATA_DIR" in named
    assert named <= setting_names() | OTHER_NAMES


def test_every_path_that_is_mentioned_exists() -> None:
    quoted = set(re.findall(r"`(\.?[\w.-]+/[\w./-]*|\.[\w.]+|[\w-]+\.(?:py|md|yml|toml|in))`", README))
    links = set(re.findall(r"\]\(([^)#:]+)\)", README))
    paths = {path for path in quoted | links if not path.startswith("./run")} - MADE_LATER
    assert "proxy/relay.py" in paths
    assert not [path for path in paths if not (ROOT / path).exists()]


def test_every_link_within_the_page_leads_to_a_heading() -> None:
    headings = {title.lower().replace(" ", "-") for title in re.findall(r"^#+ (.+)$", README, re.MULTILINE)}
    assert set(re.findall(r"\]\(#([^)]+)\)", README)) <= headings


def test_every_door_of_the_table_is_there_and_every_api_door_has_its_row() -> None:
    named = {path for first, *_ in rows("Doors") for path in re.findall(r"`(?:GET |POST |DELETE )?(/[^`]*)`", first)}
    doors = {str(entry.pattern) for entry in get_resolver("proxy.doors").url_patterns if isinstance(entry, URLPattern)}
    missing = {door for door in doors - {""} if f"v1/{door}" not in doors}  # those without /v1 are said in a sentence
    assert {f"/{re.sub('<(?:path:name|str:response_id)>', '{id}', door)}" for door in missing} <= named
    for path in named:
        api = path.startswith("/v1/") or path in {"/healthz", "/readyz"}
        assert resolve(path, "proxy.doors" if api else None)


def test_every_fault_of_the_table_is_one_of_the_tree_with_its_status() -> None:
    known: dict[str, set[int]] = {}
    for fault in descendants(BridgeError):
        known.setdefault(fault.code, set()).add(fault.status)
    for _, statuses, codes in rows("Faults"):
        pairs = list(zip(re.findall(r"\d+", statuses), re.findall(r"`(\w+)`", codes), strict=True))
        assert pairs
        for status, code in pairs:
            assert int(status) in known[code]


def test_the_curl_example_streams_chunk_by_chunk(gateway: Gateway) -> None:
    if shutil.which("curl") is None:
        assert os.environ.get("BRIDGE_CI") != "1", "curl is not installed"
        pytest.skip("curl is not installed: the README's first request was not tried")
    arrived = timed_lines(placed(fence("sh", "curl -N"), gateway))
    chunks = [moment for moment, line in arrived if line.startswith("data: {")]
    assert arrived[-1][1] == "data: [DONE]"
    assert len(chunks) > 3
    assert chunks[-1] - chunks[0] > (len(chunks) - 1) * CHUNK_MILLISECONDS / 1000 / 2


def test_the_sdk_example_prints_an_answer(gateway: Gateway) -> None:
    code = placed(fence("python", "OpenAI("), gateway)
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={"PATH": os.environ["PATH"], "KEY": gateway.key, "NO_PROXY": "127.0.0.1"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()


def placed(example: str, gateway: Gateway) -> str:
    """The example with the test gateway's address and key in place of the shipped and the invented one."""
    assert SHIPPED_ADDRESS in example
    return example.replace(SHIPPED_ADDRESS, gateway.url).replace("brg_your_key", gateway.key)


def timed_lines(script: str) -> list[tuple[float, str]]:
    """What the shell prints, but for empty lines, each with the moment it came."""
    environment = {"PATH": os.environ["PATH"], "NO_PROXY": "127.0.0.1"}
    with subprocess.Popen(["sh", "-c", script], env=environment, stdout=subprocess.PIPE, text=True) as shell:
        assert shell.stdout is not None
        return [(time.monotonic(), line.rstrip("\n")) for line in shell.stdout if line.strip()]


def descendants(cls: type[BridgeError]) -> Iterator[type[BridgeError]]:
    yield cls
    for below in cls.__subclasses__():
        yield from descendants(below)
