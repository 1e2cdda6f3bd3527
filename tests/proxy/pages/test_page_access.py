"""Who sees and changes what on the pages: every address of the URLconf and the console, none listed by hand.

A new page falls under these tests by itself. One whose address names a row of a kind that is not known here fails
until `ROWS_IN_ADDRESSES` says which resource it is of.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.contrib import admin
from django.db.models import Model
from django.urls import URLPattern, URLResolver, get_resolver
from pytest_django.fixtures import Settings

from tests.accounts.api.world import Rows, World, everything, make_world, text_of
from tests.accounts.console import one_of_each
from tests.proxy.pages.conftest import browser_of

pytestmark = pytest.mark.django_db

# The beginning of an address that names a row → the resource in the world's rows.
ROWS_IN_ADDRESSES = {
    "me/keys/": "keys",
    "me/requests/": "usage",
    "me/usage/": "usage",
    "me/conversations/": "conversations",
    "me/seats/": "seats",
    "me/budgets/": "budgets",
}
# What a visitor may open: the first page, signing in and out, the language, the icon.
OPEN = {"", "signin", "signout", "i18n/setlang", "favicon.ico", "admin/logout/"}
LEAVING = {"signout", "admin/logout/"}
FOREIGN = "xenia"
CONFIRMED = {"confirmed": "yes", "post": "yes", "reason": "x", "note": "x", "name": "x", "label": "x", "username": "x"}
PLACEHOLDER = re.compile(r"<[^>]+>")


@dataclass(frozen=True, slots=True)
class Page:
    pattern: str
    name: str

    @property
    def is_of_console(self) -> bool:
        return self.pattern.startswith("admin/")

    @property
    def names_a_row(self) -> bool:
        return bool(PLACEHOLDER.search(self.pattern))

    def address(self, rows: Rows) -> str:
        """The address of the portal's page for a row of `rows`."""
        if not self.names_a_row:
            return f"/{self.pattern}"
        resource = next((told for start, told in ROWS_IN_ADDRESSES.items() if self.pattern.startswith(start)), None)
        assert resource is not None, f"ROWS_IN_ADDRESSES does not say which row {self.pattern} names"
        return "/" + PLACEHOLDER.sub(str(rows.by_resource[resource].pk), self.pattern)


def pages() -> list[Page]:
    found = [Page(text, name) for text, name in _pages(get_resolver().url_patterns, "") if not text.startswith("api/")]
    return [page for page in found if "^" not in page.pattern and "(?P" not in page.pattern]


def _pages(patterns: list[Any], before: str) -> Iterator[tuple[str, str]]:
    for entry in patterns:
        text = before + str(entry.pattern)
        if isinstance(entry, URLResolver):
            yield from _pages(entry.url_patterns, text)
        elif isinstance(entry, URLPattern):
            yield text, entry.name or ""


PORTAL = [page for page in pages() if not page.is_of_console]
CONSOLE = [page for page in pages() if page.is_of_console]


@pytest.fixture
def made() -> dict[str, Model]:
    """A row of every kind in the console, of a member who is neither Mo nor Xenia."""
    return one_of_each()


@pytest.fixture
def world(made: dict[str, Model], settings: Settings) -> World:
    settings.BRIDGE_GITHUB_URL = settings.BRIDGE_GITHUB_API_URL = settings.BRIDGE_COPILOT_URL = "http://127.0.0.1:9"
    return make_world()


@pytest.fixture
def rows(made: dict[str, Model], world: World) -> dict[str, Model]:
    """A row of every kind in the console, by the model's name; Xenia's where she has one."""
    return made | {str(row._meta.model_name): row for row in world.xenia.by_resource.values()}


def console_addresses(rows: dict[str, Model]) -> list[tuple[Page, str]]:
    found = []
    for page in CONSOLE:
        model = page.pattern.split("/")[2] if page.pattern.startswith("admin/accounts/") else ""
        address = PLACEHOLDER.sub(str(rows[model].pk) if model in rows else "1", page.pattern)
        found.append((page, f"/{address}"))
    return found


def actions() -> list[tuple[str, str]]:
    """Every act on ticked rows, as (address of the list, name)."""
    return [
        (f"/admin/{model._meta.app_label}/{model._meta.model_name}/", str(getattr(act, "__name__", act)))
        for model, console in admin.site._registry.items()
        for act in (*(console.actions or ()), "delete_selected")
    ]


def posted(world: World) -> dict[str, str]:
    """What somebody might send to reach a foreign row whose id is not in the address."""
    ids = {name: str(world.xenia.by_resource[f"{name}s"].pk) for name in ("key", "seat", "budget", "member", "team")}
    return {**CONFIRMED, **ids, "id": ids["key"], "pk": ids["key"], "login": "1"}


def foreign(world: World) -> dict[str, Any]:
    return {
        name: type(row)._default_manager.filter(pk=row.pk).values().get()
        for name, row in world.xenia.by_resource.items()
        if name != "seats"
    } | {"seat": type(world.xenia.seat()).objects.values("state", "label", "serves").get(pk=world.xenia.seat().pk)}


def test_the_urlconf_was_read() -> None:
    assert {"", "me/keys", "me/explain", "auth/device"} <= {page.pattern for page in PORTAL}
    assert {"admin/", "admin/explain/", "admin/accounts/seat/"} <= {page.pattern for page in CONSOLE}


def test_an_outsider_is_sent_to_sign_in_and_sees_nothing(world: World, rows: dict[str, Model]) -> None:
    before = everything()
    asked = [(page, page.address(world.xenia)) for page in PORTAL] + console_addresses(rows)
    faults = []
    for page, address in asked:
        for answer in (browser_of().get(address), browser_of().post(address, CONFIRMED)):
            leads = answer.headers.get("location", "")
            is_turned_away = answer.status_code == 302 and leads.split("?")[0] in ("/signin", "/admin/login/")
            is_refused = answer.status_code in {403, 405}
            if FOREIGN in text_of(answer) or not (page.pattern in OPEN or is_turned_away or is_refused):
                faults.append((page.pattern, answer.status_code, leads))
    assert faults == []
    assert everything() == before


def test_a_member_sees_own_rows_only(world: World) -> None:
    browser = browser_of(world.mo.member)
    faults = []
    for page in PORTAL:
        if page.pattern in LEAVING:
            continue
        own, other = browser.get(page.address(world.mo)), browser.get(page.address(world.xenia))
        if own.status_code not in {200, 302, 405}:
            faults.append((page.pattern, "own", own.status_code))
        if page.names_a_row and other.status_code not in {404, 405}:
            faults.append((page.pattern, "foreign", other.status_code))
        if any(FOREIGN in text_of(answer) for answer in (own, other)):
            faults.append((page.pattern, "tells", own.status_code))
    assert faults == []


def test_a_member_changes_no_foreign_row(world: World) -> None:
    browser = browser_of(world.mo.member)
    before = foreign(world)
    faults = []
    for page in PORTAL:
        if page.pattern in LEAVING:
            continue
        answer = browser.post(page.address(world.xenia), posted(world))
        if page.names_a_row and answer.status_code not in {403, 404, 405}:
            faults.append((page.pattern, answer.status_code))
        if FOREIGN in text_of(answer) or foreign(world) != before:
            faults.append((page.pattern, answer.status_code))
    assert faults == []


def test_the_console_is_closed_to_members(world: World, rows: dict[str, Model]) -> None:
    browser = browser_of(world.mo.member)
    before = everything()
    faults = []
    for page, address in console_addresses(rows):
        if page.pattern in LEAVING:
            continue
        for answer in (browser.get(address), browser.post(address, posted(world))):
            is_turned_away = answer.status_code == 302 and answer["location"].startswith("/admin/login/")
            if not is_turned_away and answer.status_code not in {403, 405}:
                faults.append((page.pattern, answer.status_code))
    assert faults == []
    assert everything() == before


def test_an_auditor_sees_everything_in_the_console(world: World, rows: dict[str, Model]) -> None:
    kinds = {str(model._meta.model_name) for model in admin.site._registry if model._meta.app_label == "accounts"}
    shown_as_reports = {"usageday", "usagesession"}
    assert kinds - set(rows) - shown_as_reports == set(), "one_of_each makes no row of these"
    browser = browser_of(world.auditor)
    faults = []
    for page, address in console_addresses(rows):
        if page.pattern in LEAVING or page.pattern.startswith("admin/auth/"):
            continue
        answer = browser.get(address)
        is_page = page.name.endswith(("_changelist", "_change")) and "password" not in page.name
        is_page |= not page.names_a_row and page.name in {"index", "console_explain"}
        if is_page and answer.status_code != 200:
            faults.append((page.pattern, answer.status_code))
        if answer.status_code >= 500:
            faults.append((page.pattern, answer.status_code))
    assert faults == []


def test_an_auditor_changes_nothing_in_the_console(world: World, rows: dict[str, Model]) -> None:
    browser = browser_of(world.auditor)
    before = everything()
    faults = []
    for page, address in console_addresses(rows):
        if page.pattern in LEAVING:
            continue
        answer = browser.post(address, posted(world))
        if answer.status_code >= 500:
            faults.append((page.pattern, "", answer.status_code))
    for address, act in actions():
        row = rows.get(address.split("/")[3])
        ticked = {"action": act, "_selected_action": [str(row.pk) if row else "1"], **CONFIRMED}
        answer = browser.post(address, ticked)
        if answer.status_code >= 500:
            faults.append((address, act, answer.status_code))
    assert faults == []
    after = everything()
    assert [table for table in before if before[table] != after[table]] == []
