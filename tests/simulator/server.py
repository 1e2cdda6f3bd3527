"""The simulator as a running server, in a thread of the test or of the demo.

    with SimulatorServer() as sim:
        github_token = sim.world.accounts["credits"].github_token
        httpx.get(f"{sim.api_url}/user", headers={"authorization": f"token {github_token}"})

The world's tokens name this server's own address as their API endpoint unless `public_origin` says otherwise.
"""

from __future__ import annotations

import asyncio
import socket
import threading
from types import TracebackType
from typing import Any, Self

import httpx
import uvicorn

from tests.simulator.app import Simulator
from tests.simulator.line import LineProtocol
from tests.simulator.world import World


def listen(host: str = "127.0.0.1", port: int = 0) -> socket.socket:
    """Return a listening TCP socket; port 0 takes any free one.

    The protocol is named because asyncio sets TCP_NODELAY only where it is: without it every answer waits 40 ms.
    """
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    bound.bind((host, port))
    bound.listen(1024)
    return bound


def configured(world: World) -> uvicorn.Server:
    """Return a uvicorn server for the world, not yet running."""
    config = uvicorn.Config(
        Simulator(world),
        http=LineProtocol,
        ws="none",
        loop="asyncio",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=1,
    )
    return uvicorn.Server(config)


class SimulatorServer:
    """Runs a world in a thread with its own event loop on a loopback port; use it as a context manager."""

    def __init__(self, world: World | None = None, *, port: int = 0, public_origin: str | None = "own") -> None:
        self.world = world or World()
        self._socket = listen(port=port)
        self.port: int = self._socket.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.world.settings.public_origin = self.url if public_origin == "own" else public_origin
        self._server = configured(self.world)
        self._client = httpx.Client(trust_env=False, timeout=30)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = threading.Thread(target=self._run, name="simulator", daemon=True)

    @property
    def github_url(self) -> str:
        """Where github.com is."""
        return f"{self.url}/github"

    @property
    def api_url(self) -> str:
        """Where api.github.com is."""
        return f"{self.url}/api"

    @property
    def copilot_url(self) -> str:
        """Where the Copilot API for all tiers is."""
        return f"{self.url}/copilot"

    def start(self) -> None:
        """Start the thread; the socket listens already, so requests may be sent at once."""
        self._thread.start()

    def stop(self) -> None:
        """Break what is still open, stop the server and wait for its thread."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._abort_all)
        self._server.should_exit = True
        self._thread.join(timeout=10)
        self._client.close()
        self._socket.close()

    def control(self, method: str, path: str, body: Any = None) -> Any:
        """Call the control API and return its JSON. Raises httpx.HTTPStatusError for a refusal."""
        answer = self._client.request(method, f"{self.url}/_sim/{path.lstrip('/')}", json=body)
        answer.raise_for_status()
        return answer.json()

    def ask(self, scenario: dict[str, Any], *, times: int | None = 1, **match: str) -> None:
        """Post a scenario: for the next `times` requests that match (None: for all of them)."""
        self.control("POST", "scenario", {"match": match, "times": times, "scenario": scenario})

    def token(self, login: str) -> str:
        """Exchange the account's GitHub token and return the Copilot token."""
        url = f"{self.url}{self._tenant(login)}/api/copilot_internal/v2/token"
        bearer = f"token {self.world.accounts[login].github_token}"
        answer = self._client.get(url, headers={"authorization": bearer})
        answer.raise_for_status()
        token: str = answer.json()["token"]
        return token

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _tenant(self, login: str) -> str:
        tier = self.world.accounts[login].tier
        return f"/ghe/{tier.removeprefix('ghe:')}" if tier.startswith("ghe:") else ""

    def _run(self) -> None:
        asyncio.run(self._serve())

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        await self._server.serve(sockets=[self._socket])

    def _abort_all(self) -> None:
        for connection in list(self._server.server_state.connections):
            if isinstance(connection, LineProtocol):
                connection.transport.abort()
