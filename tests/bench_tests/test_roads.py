"""What the benchmark starts: the upstream, nginx, and the environment the gateway gets."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.bench.nginx import nginx_binary, running_nginx
from tests.bench.probe import faults_of
from tests.bench.processes import end, free_port, start
from tests.bench.upstream import running_upstream
from tests.bench.waiting import NotStartedError, wait_for
from tests.gateway import environment


def test_the_gateway_gets_nothing_of_its_callers_own_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("DATABASE_URL", "REDIS_URL", "API_KEY", "MODEL_MAPPING"):
        monkeypatch.setenv(name, "the caller's own")
    for name in ("DJANGO_SETTINGS_MODULE", "BRIDGE_ORIGINS", "OIDC_ISSUER", "SECRET_KEY", "HTTP_PROXY"):
        monkeypatch.setenv(name, "the caller's own")
    env = environment(tmp_path, "http://127.0.0.1:1")
    assert "the caller's own" not in env.values()
    assert env["BRIDGE_DATA_DIR"] == str(tmp_path)
    assert env["BRIDGE_COPILOT_URL"] == "http://127.0.0.1:1/copilot"


def test_the_upstream_ends_with_its_block() -> None:
    with running_upstream(None) as upstream:
        assert faults_of(upstream.direct) == []
    assert not Path(f"/proc/{upstream.pid}").exists()


@pytest.mark.skipif(nginx_binary() is None, reason="nginx is not installed")
def test_nginx_hands_on_what_the_upstream_says() -> None:
    binary = nginx_binary()
    assert binary is not None
    with running_upstream(None) as upstream, running_nginx(binary, upstream, None) as target:
        assert faults_of(target) == []


def test_a_server_that_ends_at_once_is_reported_with_its_last_words(tmp_path: Path) -> None:
    log = tmp_path / "log"
    process = start([sys.executable, "-c", "print('no such thing as a port')"], None, log=log)
    with pytest.raises(NotStartedError, match="no such thing as a port"):
        wait_for(f"http://127.0.0.1:{free_port()}/readyz", process, log, seconds=10)
    end(process)


def test_a_server_that_never_answers_is_given_up(tmp_path: Path) -> None:
    log = tmp_path / "log"
    process = start([sys.executable, "-c", "import time; time.sleep(30)"], None, log=log)
    with pytest.raises(NotStartedError, match="nothing answers"):
        wait_for(f"http://127.0.0.1:{free_port()}/readyz", process, log, seconds=0.3)
    end(process)
