"""`python -m tests.simulator.seat URL LOGIN`: wait for a running simulator and print an account's GitHub token."""

from __future__ import annotations

import sys
import time

import httpx

WAIT_SECONDS = 15.0


def github_token(url: str, login: str, *, wait: float = WAIT_SECONDS) -> str:
    """The token of the simulated account; raises SystemExit with a sentence when there is no simulator there."""
    deadline = time.monotonic() + wait
    while True:
        try:
            answer = httpx.get(f"{url}/_sim/account/{login}", timeout=2)
            answer.raise_for_status()
            return str(answer.json()["github_token"])
        except httpx.HTTPError as error:
            if time.monotonic() > deadline:
                raise SystemExit(f"The simulator at {url} does not answer: {error}") from error
            time.sleep(0.1)


if __name__ == "__main__":
    print(github_token(sys.argv[1], sys.argv[2]))
