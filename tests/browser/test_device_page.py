"""A member connects a GitHub account in a real browser: success, refusals, copying, languages, sizes, keyboard."""

from __future__ import annotations

import re
import time
from typing import Literal

import httpx
import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import Window, Windows
from tests.browser.installation import Installation
from tests.simulator.server import SimulatorServer

CODE = re.compile(r"[A-Z0-9]{4}-[A-Z0-9]{4}")
NO_CLIPBOARD = "Object.defineProperty(Navigator.prototype, 'clipboard', { get: () => undefined, configurable: true })"
POLICY = "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"


def start(page: Page) -> str:
    """Send the form and return the code that is shown."""
    page.locator("form.connect button.wide").click()
    shown = page.locator("#user-code").inner_text()
    assert CODE.fullmatch(shown)
    return shown


def decide(window: Window, code: str, account: str, button: str = "approve") -> None:
    """Do on GitHub's page what a person does, in the tab that the link opens."""
    with window.context.expect_page() as opened:
        window.page.locator("#verify").click()
    tab = opened.value
    assert tab.evaluate("window.opener") is None
    tab.locator("#user_code").fill(code)
    tab.locator("#account").select_option(account)
    tab.locator(f"#{button}").click()
    tab.locator("#result").wait_for()
    tab.close()


def call(url: str, key: str, body: str) -> httpx.Response:
    """Send a request with a new key, which a running server learns of within a second (more on a busy machine)."""
    headers = {"authorization": f"Bearer {key}", "content-type": "application/json"}
    end = time.monotonic() + 10
    while True:
        answer = httpx.post(url, content=body, headers=headers, trust_env=False)
        if answer.status_code != 401 or time.monotonic() > end:
            return answer
        time.sleep(0.2)


def test_the_owner_of_a_fresh_installation_chooses_a_password_first(
    windows: Windows, installation: Installation
) -> None:
    found = re.search(r"password\s+(\S+)", installation.greeting)
    assert found is not None
    window = windows.open()
    window.open("/")
    window.picture("welcome")
    window.open("/signin")
    window.picture("signin")
    page = window.sign_in("owner", found[1], lands="/password")
    window.picture("password")
    page.locator("#id_old_password").fill(found[1])
    page.locator("#id_new_password1").fill("gateway passphrase of ours")
    page.locator("#id_new_password2").fill("gateway passphrase of ours")
    page.locator("#id_new_password2").press("Enter")
    expect(page.locator(".flash")).to_have_text("Your password is changed.")
    window.picture("home-of-a-new-owner")
    page.locator("nav a", has_text="API keys").click()
    expect(page.locator(".row-title")).to_contain_text("First key")
    window.picture("keys")


def test_an_approved_code_turns_into_success_without_a_reload(windows: Windows) -> None:
    window = windows.open()
    page = window.sign_in("success")
    window.picture("device-form")
    code = start(page)
    expect(page.locator("#wait-words")).to_have_text("Waiting for your approval on GitHub …")
    expect(page.locator("#remaining")).to_have_text(re.compile(r"1[45]:\d\d"))
    window.picture("device-waiting")
    page.reload()
    expect(page.locator("#user-code")).to_have_text(code)
    decide(window, code, "credits")
    title = page.locator("#outcome-title")
    expect(title).to_have_text("credits is connected")
    expect(title).to_be_focused()
    expect(page).to_have_title("credits is connected · Copilot Bridge")
    page.reload()
    expect(page.locator("#outcome-title")).to_have_text("credits is connected")
    window.picture("device-connected")
    page.goto(f"{window.url}/")
    expect(page.locator(".row-title")).to_have_text("credits")


def test_the_first_request_appears_on_the_first_page(windows: Windows, installation: Installation) -> None:
    window = windows.open()
    page = window.sign_in("caller")
    decide(window, start(page), "pro")
    expect(page.locator("#outcome-title")).to_have_text("pro is connected")
    key = installation.manage("issuekey", "caller", "--name", "laptop").strip()
    page.goto(f"{window.url}/")
    command = page.locator("#curl").inner_text()
    assert f"{window.url}/v1/chat/completions" in command
    body = re.search(r"-d '(.*)'", command)
    assert body is not None
    answer = call(f"{window.url}/v1/chat/completions", key, body[1])
    assert answer.status_code == 200, answer.text
    page.reload()
    expect(page.locator("tbody tr")).to_have_count(1)
    expect(page.locator("tbody .model")).to_have_text("claude-sonnet-4.5")
    expect(page.locator("tbody .badge")).to_have_text("settled")
    expect(page.locator(".step.done")).to_have_count(3)
    window.picture("home")


@pytest.mark.parametrize(
    ("account", "button", "title"),
    [
        ("legacy", "deny", "The request was declined on GitHub"),
        ("noseat", "approve", "This account has no Copilot seat"),
        ("suspended", "approve", "GitHub has suspended Copilot for this account"),
    ],
)
def test_a_refusal_is_shown_with_what_to_do_and_a_way_to_start_again(
    windows: Windows, account: str, button: str, title: str
) -> None:
    window = windows.open()
    page = window.sign_in("refused")
    first = start(page)
    decide(window, first, account, button)
    expect(page.locator("#outcome-title")).to_have_text(title)
    window.picture(f"device-{account}")
    page.locator(".outcome .button").click()
    assert start(page) != first
    page.locator(".cancel button").click()
    expect(page.locator("form.connect")).to_be_visible()


def test_an_expired_code_is_said_and_a_new_one_is_had(windows: Windows, github: SimulatorServer) -> None:
    window = windows.open()
    page = window.sign_in("late")
    code = start(page)
    github.control("POST", f"device/{code}/expire")
    expect(page.locator("#outcome-title")).to_have_text("The code has expired")
    window.picture("device-expired")
    page.locator(".outcome .button").click()
    assert start(page) != code


def test_a_gateway_that_does_not_answer_is_named_and_asked_again(windows: Windows, github: SimulatorServer) -> None:
    window = windows.open()
    page = window.sign_in("again")
    code = start(page)
    page.route("**/auth/device/status", lambda route: route.fulfill(status=502, body="bad gateway"))
    expect(page.locator("#notice")).to_have_text("The gateway does not answer. This page keeps trying.")
    window.picture("device-lost")
    page.unroute("**/auth/device/status")
    github.control("POST", f"device/{code}/approve", {"account": "legacy"})
    expect(page.locator("#outcome-title")).to_have_text("legacy is connected")
    window.faults = [fault for fault in window.faults if "502" not in fault]


def test_two_windows_show_the_same_attempt_and_both_learn_its_end(windows: Windows) -> None:
    window = windows.open()
    page = window.sign_in("again")
    start(page)
    second = window.context.new_page()
    second.goto(f"{window.url}/auth/device")
    expect(second.locator("#user-code")).to_have_text(page.locator("#user-code").inner_text())
    second.locator(".cancel button").click()
    expect(page.locator("form.connect")).to_be_visible()


@pytest.mark.parametrize("modern", [True, False], ids=["clipboard", "no-clipboard"])
def test_the_code_is_copied_with_and_without_the_clipboard_api(windows: Windows, *, modern: bool) -> None:
    window = windows.open(permissions=["clipboard-read", "clipboard-write"])
    if not modern:
        window.context.add_init_script(NO_CLIPBOARD)
    page = window.sign_in("copier")
    if not page.locator("#user-code").is_visible():
        start(page)
    code = page.locator("#user-code").inner_text()
    button = page.locator(".code-line button")
    button.click()
    expect(button).to_have_text("Copied")
    expect(page.locator("#announce")).to_have_text("Copied")
    with window.context.expect_page() as opened:
        page.locator("#verify").click()
    opened.value.locator("#user_code").press("Control+v")
    expect(opened.value.locator("#user_code")).to_have_value(code)


def test_the_pages_speak_chinese_to_a_chinese_browser_and_english_when_switched(windows: Windows) -> None:
    window = windows.open(language="zh-CN")
    window.open("/")
    expect(window.page.locator("html")).to_have_attribute("lang", "zh-hans")
    window.picture("zh-welcome")
    page = window.sign_in("reader")
    window.picture("zh-device-form")
    code = start(page)
    expect(page.locator("#wait-words")).to_contain_text("等待")
    window.picture("zh-device-waiting")
    decide(window, code, "noseat")
    expect(page.locator("#outcome-title")).to_contain_text("Copilot")
    window.picture("zh-device-noseat")
    page.goto(f"{window.url}/")
    window.picture("zh-home")
    page.get_by_role("button", name="English").click()
    expect(page.locator("html")).to_have_attribute("lang", "en")
    expect(page.locator("h1")).to_have_text("Hello, reader")


def test_everything_is_reached_and_used_with_the_keyboard_alone(windows: Windows, github: SimulatorServer) -> None:
    window = windows.open()
    page = window.sign_in("keys")
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.locator("input[name=site]").first).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(page.locator("#id_tenant")).to_be_visible()
    page.keyboard.press("ArrowUp")
    expect(page.locator("#id_tenant")).to_be_hidden()
    page.keyboard.press("Tab")
    expect(page.locator("form.connect button.wide")).to_be_focused()
    page.keyboard.press("Enter")
    page.locator("#user-code").wait_for()
    reached = []
    for _ in range(14):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("(document.activeElement.id || document.activeElement.textContent).trim()"))
    assert "Copy" in reached
    assert "verify" in reached
    assert reached.index("Copy") < reached.index("verify") < reached.index("Cancel")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_shows_every_page_without_scrolling_sideways(
    windows: Windows, scheme: Literal["light", "dark"]
) -> None:
    window = windows.open(width=390, scheme=scheme)
    window.open("/")
    window.picture(f"{scheme}-welcome")
    window.open("/signin")
    window.picture(f"{scheme}-signin")
    page = window.sign_in("phone")
    window.picture(f"{scheme}-device-form")
    code = start(page)
    window.picture(f"{scheme}-device-waiting")
    decide(window, code, "business")
    expect(page.locator("#outcome-title")).to_have_text("business is connected")
    window.picture(f"{scheme}-device-connected")
    for name, path in (("home", "/"), ("keys", "/me/keys"), ("missing", "/auth/missing"), ("password", "/password")):
        window.open(path)
        window.picture(f"{scheme}-{name}")
    window.faults = [fault for fault in window.faults if "404" not in fault]


def test_the_dark_pages_are_kept_as_pictures_too(windows: Windows) -> None:
    window = windows.open(scheme="dark")
    page = window.sign_in("late")
    if not page.locator("#user-code").is_visible():
        start(page)
    window.picture("dark-device-waiting")
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert background == "rgb(14, 16, 21)"


def test_whoever_wants_less_motion_gets_less(windows: Windows) -> None:
    page = windows.open().sign_in("late")
    if not page.locator("#user-code").is_visible():
        start(page)
    turn = "getComputedStyle(document.querySelector('.spinner')).animationDuration"
    assert page.evaluate(turn) == "0.9s"
    page.emulate_media(reduced_motion="reduce")
    assert page.evaluate(turn) == "6s"


def test_the_pages_work_under_a_strict_content_security_policy(windows: Windows, github: SimulatorServer) -> None:
    def guard(route: Route) -> None:
        answer = route.fetch(max_redirects=0)
        route.fulfill(response=answer, headers=answer.headers | {"content-security-policy": POLICY})

    window = windows.open()
    window.context.route(f"{window.url}/**", guard)
    page = window.sign_in("policy")
    code = start(page)
    github.control("POST", f"device/{code}/approve", {"account": "enterprise"})
    expect(page.locator("#outcome-title")).to_have_text("enterprise is connected")
    assert page.evaluate("getComputedStyle(document.querySelector('.outcome')).display") == "flex"


def test_without_scripts_the_page_works_by_its_links(windows: Windows, github: SimulatorServer) -> None:
    window = windows.open(scripts=False)
    page = window.sign_in("plain")
    code = start(page)
    github.control("POST", f"device/{code}/approve", {"account": "direct"})
    page.wait_for_timeout(2500)
    page.get_by_text("check now").click()
    expect(page.locator("#outcome-title")).to_have_text("direct is connected")
