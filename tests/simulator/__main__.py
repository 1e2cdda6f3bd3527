"""`python -m tests.simulator --port P`: the simulated GitHub and Copilot, until interrupted."""

from __future__ import annotations

import argparse
import asyncio
import sys

from tests.simulator.server import configured, listen
from tests.simulator.world import Settings, World

DEMO_TTFT_MS = 400.0
DEMO_DELAY_MS = 35.0


def main() -> None:
    """Serve one world on a loopback port."""
    options = _options().parse_args()
    try:
        bound = listen(options.host, options.port)
    except OSError as error:
        raise SystemExit(f"The simulator cannot listen on {options.host}:{options.port} ({error.strerror}).") from error
    origin = options.public_origin or f"http://{options.host}:{bound.getsockname()[1]}"
    is_demo = options.speed == "demo"
    settings = Settings(
        public_origin=None if options.real_hosts else origin,
        auto_approve_after=options.auto_approve,
        auto_approve_account=options.auto_approve_account,
        device_interval=options.device_interval,
        ttft_ms=DEMO_TTFT_MS if is_demo else 0.0,
        delay_ms=DEMO_DELAY_MS if is_demo else 0.0,
    )
    sys.stdout.write(
        f"BRIDGE_GITHUB_URL={origin}/github\nBRIDGE_GITHUB_API_URL={origin}/api\nBRIDGE_COPILOT_URL={origin}/copilot\n"
    )
    sys.stdout.flush()
    asyncio.run(configured(World(settings=settings)).serve(sockets=[bound]))


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.simulator", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0 takes any free port")
    parser.add_argument(
        "--speed", choices=("test", "demo"), default="test", help="demo: the pace of a person's reading"
    )
    parser.add_argument(
        "--auto-approve", type=int, default=0, metavar="N", help="approve a device login at its N-th poll"
    )
    parser.add_argument("--auto-approve-account", default="credits", metavar="LOGIN")
    parser.add_argument("--device-interval", type=int, default=5, metavar="SECONDS")
    parser.add_argument("--public-origin", metavar="URL", help="where clients reach this server, when not at host:port")
    parser.add_argument("--real-hosts", action="store_true", help="tokens name the real API hosts")
    return parser


if __name__ == "__main__":
    main()
