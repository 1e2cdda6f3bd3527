"""`manage.py serve` says in one sentence why it cannot, and takes what the environment says."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from tests.gateway import Gateway


@pytest.fixture
def installation(tmp_path: Path) -> Gateway:
    made = Gateway(tmp_path, "http://127.0.0.1:9")
    made.manage("setup")
    return made


def test_a_port_that_is_taken_is_said_in_one_sentence(installation: Gateway) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        done = installation.run("serve", "--port", str(port))
    assert done.returncode == 1
    assert f"127.0.0.1:{port} cannot be listened on" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("MODEL_MAPPING", "{bad", "accounts.E001"),
        ("API_KEY", "github-copilot-openai-api-key", "accounts.E002"),
        ("WEB_CONCURRENCY", "2", "accounts.E006"),
        ("BRIDGE_PROFILE", '{"nonsense": "1"}', "accounts.E008"),
    ],
)
def test_a_setting_that_makes_no_sense_keeps_it_from_starting(
    installation: Gateway, name: str, value: str, said: str
) -> None:
    installation.environment[name] = value
    done = installation.run("serve", "--port", str(installation.port))
    assert done.returncode == 1
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_a_database_without_its_tables_keeps_it_from_starting(tmp_path: Path) -> None:
    done = Gateway(tmp_path, "http://127.0.0.1:9").run("serve")
    assert done.returncode != 0
    assert "migrat" in done.stderr + done.stdout
