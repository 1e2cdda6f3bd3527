"""The image, the compose file and .env.example: what they say holds, as far as that shows without an engine."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from proxy.management.commands.serve import GRACEFUL_SECONDS
from proxy.version import VERSION
from tests.bench.processes import ROOT
from tests.compose_file import Value, read_compose
from tests.container import Container, Dockerfile, build
from tests.setting_names import setting_names
from tests.simulator.server import SimulatorServer

# Settings whose line in .env.example is an example: they have no default, or it is made of others.
EXAMPLES = frozenset(
    {
        "API_KEY",
        "ALLOWED_HOSTS",
        "BRIDGE_COPILOT_URL",
        "BRIDGE_ENCRYPTION_KEYS",
        "BRIDGE_GITHUB_API_URL",
        "BRIDGE_GITHUB_URL",
        "BRIDGE_ORIGINS",
        "BRIDGE_RECOVER_CALLS",
        "BRIDGE_WEBHOOK_URL",
        "DATABASE_URL",
        "EMAIL_FROM",
        "EMAIL_URL",
        "MODEL_MAPPING",
        "REDIS_URL",
        "SECRET_KEY",
        "TRUSTED_PROXIES",
    }
)
# Django's own settings that are made of those.
MADE_OF_EXAMPLES = frozenset(
    {
        "CHANNEL_LAYERS",
        "DATABASES",
        "DEFAULT_FROM_EMAIL",
        "EMAIL_BACKEND",
        "EMAIL_FILE_PATH",
        "EMAIL_HOST",
        "EMAIL_HOST_PASSWORD",
        "EMAIL_HOST_USER",
        "EMAIL_PORT",
        "EMAIL_USE_TLS",
        "SECURE_PROXY_SSL_HEADER",
        "SERVER_EMAIL",
    }
)


@pytest.fixture(scope="module")
def dockerfile() -> Dockerfile:
    return Dockerfile.read()


@pytest.fixture(scope="module")
def service() -> dict[str, Value]:
    services = read_compose(ROOT / "docker-compose.yml")["services"]
    assert isinstance(services, dict)
    bridge = services["bridge"]
    assert isinstance(bridge, dict)
    return bridge


@pytest.fixture(scope="module")
def simulator() -> Iterator[SimulatorServer]:
    with SimulatorServer() as server:
        yield server


@pytest.fixture(scope="module")
def image(dockerfile: Dockerfile, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(dockerfile, tmp_path_factory.mktemp("image") / "app")


def test_the_image_is_a_slim_python_of_one_minor_version(dockerfile: Dockerfile) -> None:
    assert re.fullmatch(r"python:3\.\d+-slim", dockerfile.one("FROM"))


def test_the_image_runs_as_a_user_who_is_not_root(dockerfile: Dockerfile) -> None:
    words = [word for word, _ in dockerfile.instructions]
    user, _, group = dockerfile.one("USER").partition(":")
    assert int(user) > 0
    assert int(group) > 0
    assert any(f"useradd --uid {user} " in step for step in dockerfile.all("RUN"))
    assert words.index("USER") > max(place for place, word in enumerate(words) if word in {"RUN", "COPY"})


def test_the_image_installs_the_locked_packages_by_their_hashes(dockerfile: Dockerfile) -> None:
    (install,) = [step for step in dockerfile.all("RUN") if "pip" in step]
    assert "--require-hashes" in install
    assert "-r requirements.txt" in install


def test_the_build_sees_what_it_copies_and_nothing_else(dockerfile: Dockerfile) -> None:
    first, *others = [
        line for line in (ROOT / ".dockerignore").read_text().splitlines() if line and not line.startswith("#")
    ]
    assert first == "*"
    let_in = {line[1:] for line in others if line.startswith("!")}
    assert let_in == {source for source, _ in dockerfile.copies}
    assert {line for line in others if not line.startswith("!")} == {"**/__pycache__", "**/*.pyc"}
    assert not [source for source in let_in if not (ROOT / source).exists()]


def test_the_published_port_leads_to_the_one_that_is_served(dockerfile: Dockerfile, service: dict[str, Value]) -> None:
    assert dockerfile.one("EXPOSE") == dockerfile.environment["PORT"] == "8000"
    assert dockerfile.environment["HOST"] == "0.0.0.0"
    assert service["ports"] == ["${PUBLISH_ADDRESS:-127.0.0.1}:43953:8000"]
    assert dockerfile.environment["PUBLIC_URL"] == "http://127.0.0.1:43953"


def test_the_compose_file_keeps_the_images_environment_whatever_env_says(
    dockerfile: Dockerfile, service: dict[str, Value]
) -> None:
    kept = service["environment"]
    assert isinstance(kept, dict)
    image = dockerfile.environment
    assert kept == {name: image[name] for name in ("HOST", "PORT", "BRIDGE_DATA_DIR")} | {
        "PUBLIC_URL": f"${{PUBLIC_URL:-{image['PUBLIC_URL']}}}"
    }
    assert service["env_file"] == [{"path": ".env", "required": "false"}]
    assert set(kept) <= setting_names()


def test_a_volume_holds_the_data_and_belongs_to_the_user(dockerfile: Dockerfile, service: dict[str, Value]) -> None:
    folder = dockerfile.environment["BRIDGE_DATA_DIR"]
    assert dockerfile.one("VOLUME") == folder
    assert service["volumes"] == [f"data:{folder}"]
    assert read_compose(ROOT / "docker-compose.yml")["volumes"] == {"data": None}
    (made,) = [step for step in dockerfile.all("RUN") if "install -d" in step]
    assert f"install -d -m 0700 -o bridge -g bridge {folder}" in made


def test_stopping_waits_longer_than_streams_may_take_to_end(service: dict[str, Value]) -> None:
    assert int(str(service["stop_grace_period"]).removesuffix("s")) > GRACEFUL_SECONDS


def test_a_rebuilt_image_knows_the_key_and_the_seat_of_the_old_one(
    dockerfile: Dockerfile, simulator: SimulatorServer, tmp_path: Path
) -> None:
    volume = tmp_path / "volume"
    volume.mkdir(mode=0o700)

    first = Container(build(dockerfile, tmp_path / "first"), volume, simulator.url)
    files = contents(first.image)
    try:
        key = re.findall(r"brg_\w+", first.start())[0]
        token = simulator.world.accounts["credits"].github_token
        added = first.run("python", "manage.py", "addseat", "--owner", "owner", said=f"{token}\n")
        assert added.returncode == 0, added.stderr
        first.wait_ready()
        assert "Hello" in ask(first, key)
        for page in ("/signin", "/static/pages/site.css"):
            assert httpx.get(f"{first.url}{page}").status_code == 200
    finally:
        first.stop()
    assert "Finished server process" in first.log.read_text(), "the signal did not reach the server"
    assert contents(first.image) == files, "the program wrote beside its volume"

    second = Container(build(dockerfile, tmp_path / "second"), volume, simulator.url)
    try:
        said = second.start()
        assert "Hello" in ask(second, key)
    finally:
        second.stop()
    assert "password" not in said
    assert not re.search(r"brg_\w+", said)


def test_the_health_check_tells_a_serving_container_from_one_that_is_not(
    image: Path, simulator: SimulatorServer, tmp_path: Path
) -> None:
    container = Container(image, tmp_path / "volume", simulator.url)
    container.volume.mkdir(mode=0o700)
    check = container.dockerfile.health_command
    assert container.run(*check).returncode == 1
    try:
        container.start()
        well = container.run(*check)
    finally:
        container.stop()
    assert well.returncode == 0, well.stderr


def test_env_example_has_a_line_for_every_setting_and_all_are_commented_out() -> None:
    text = (ROOT / ".env.example").read_text()
    assert not [line for line in text.splitlines() if line and not line.startswith("#")]
    names = re.findall(r"^# ([A-Z_]+)=", text, re.MULTILINE)
    assert sorted(names) == sorted(setting_names())


def test_env_example_shows_the_defaults_and_examples_that_are_valid(dockerfile: Dockerfile, tmp_path: Path) -> None:
    image = build(dockerfile, tmp_path / "app")
    plain = settings_of(image)
    (image / ".env").write_text(uncommented_example())
    check = manage(image, "check", "--fail-level", "WARNING")
    assert check.returncode == 0, check.stderr
    example = settings_of(image)
    different = {name for name in plain.keys() | example.keys() if plain.get(name) != example.get(name)}
    assert different
    assert different <= EXAMPLES | MADE_OF_EXAMPLES


def test_the_version_is_the_same_everywhere() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    released = re.findall(r"^## \[(\d+\.\d+\.\d+)\]", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert project["version"] == VERSION == released[0]
    assert project["license"] == "MIT"
    assert (ROOT / "LICENSE").read_text().startswith("MIT License\n")


def ask(container: Container, key: str) -> str:
    """What a model answers to a greeting, through the container's door."""
    answer = httpx.post(
        f"{container.url}/v1/chat/completions",
        headers={"authorization": f"Bearer {key}"},
        json={"model": "gpt-4o", "messages": [{"role": "user", "content": "Say Hello"}]},
        timeout=30,
    )
    assert answer.status_code == 200, answer.text
    content: str = answer.json()["choices"][0]["message"]["content"]
    return content


def contents(folder: Path) -> set[Path]:
    return {path.relative_to(folder) for path in folder.rglob("*")}


def uncommented_example() -> str:
    """The lines of .env.example that set something, as if they were not commented out."""
    return "\n".join(re.findall(r"^# ([A-Z_]+=.*)$", (ROOT / ".env.example").read_text(), re.MULTILINE))


def settings_of(image: Path) -> dict[str, str]:
    """Every setting of the project with its value in Python's words, without addresses in memory."""
    shown = manage(image, "diffsettings", "--all")
    assert shown.returncode == 0, shown.stderr
    text = re.sub(r" at 0x[0-9a-f]+", "", shown.stdout)
    return dict(line.removeprefix("### ").split(" = ", 1) for line in text.splitlines() if " = " in line)


def manage(image: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run `manage.py` in the image's folder with an empty environment: what counts is its .env, if it has one."""
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=image,
        env={"PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
