"""Chromium, an installation with members, and a window that minds every error."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Sequence
from typing import Literal
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, expect, sync_playwright

from tests.bench.processes import ROOT
from tests.browser.installation import PASSWORD, Installation, running
from tests.simulator.server import SimulatorServer

RESULTS = ROOT / "test-results"
HINT = "Chromium is missing: `apt-get install chromium`, or set CHROMIUM to its path."
# Two cores may be shared by everything else that is tested.
PATIENCE_MS = 20_000
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
MEMBERS = ("success", "refused", "late", "copier", "reader", "keys", "phone", "policy", "again", "plain", "caller")


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    path = os.environ.get("CHROMIUM") or shutil.which("chromium")
    if path is None and os.environ.get("BRIDGE_CI") == "1":
        pytest.fail(HINT)
    if path is None:
        pytest.skip(HINT)
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def github() -> Iterator[SimulatorServer]:
    with SimulatorServer() as simulator:
        simulator.world.settings.device_interval = 1
        yield simulator


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory, github: SimulatorServer) -> Iterator[Installation]:
    with running(tmp_path_factory.mktemp("installation"), github) as gateway:
        gateway.make_members(json.dumps([{"username": name, "password": PASSWORD} for name in MEMBERS]))
        yield gateway


class Window:
    """One window of a visitor. What its pages complained of, or asked of foreign hosts, comes up at the end."""

    def __init__(self, context: BrowserContext, url: str) -> None:
        self.context = context
        self.url = url
        self.faults: list[str] = []
        context.on("console", self._hear)
        context.on("weberror", lambda error: self.faults.append(str(error.error)))
        context.on("request", self._see)
        self.page: Page = context.new_page()

    def open(self, path: str) -> Page:
        self.page.goto(f"{self.url}{path}")
        return self.page

    def sign_in(self, username: str, password: str = PASSWORD, *, lands: str = "/auth/device") -> Page:
        """Sign in on the way to the device page, and arrive at `lands`."""
        self.open("/auth/device")
        self.page.locator("#id_username").fill(username)
        self.page.locator("#id_password").fill(password)
        self.page.locator("#id_password").press("Enter")
        self.page.wait_for_url(f"{self.url}{lands}")
        return self.page

    def picture(self, name: str) -> None:
        """Keep a picture of the whole page, and see that nothing hangs over its edge."""
        RESULTS.mkdir(exist_ok=True)
        size = self.page.viewport_size
        assert size is not None
        self.page.screenshot(path=RESULTS / f"{name}-{size['width']}.png", full_page=True)
        width = self.page.evaluate("document.documentElement.scrollWidth")
        assert width <= size["width"], f"{name} is {width} px wide"

    def _hear(self, message: ConsoleMessage) -> None:
        # GitHub's page is not ours to judge.
        if message.type in ("error", "warning") and message.location["url"].startswith(self.url):
            self.faults.append(message.text)

    def _see(self, request: Request) -> None:
        if urlsplit(request.url).hostname != "127.0.0.1":
            self.faults.append(f"asked a foreign host: {request.url}")


class Windows:
    """Opens windows and closes them all."""

    def __init__(self, browser: Browser, url: str) -> None:
        self._browser = browser
        self._url = url
        self._opened: list[Window] = []

    def open(
        self,
        *,
        width: int = 1440,
        language: str = "en-GB",
        scheme: Literal["light", "dark"] = "light",
        permissions: Sequence[str] = (),
        scripts: bool = True,
    ) -> Window:
        height = 844 if width < 500 else 900
        context = self._browser.new_context(
            viewport={"width": width, "height": height},
            locale=language,
            color_scheme=scheme,
            permissions=permissions,
            java_script_enabled=scripts,
        )
        context.set_default_timeout(PATIENCE_MS)
        window = Window(context, self._url)
        self._opened.append(window)
        return window

    def close(self) -> None:
        for window in self._opened:
            window.context.close()
        assert [fault for window in self._opened for fault in window.faults] == []


@pytest.fixture
def windows(chromium: Browser, installation: Installation) -> Iterator[Windows]:
    opened = Windows(chromium, installation.url)
    yield opened
    opened.close()
