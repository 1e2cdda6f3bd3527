"""The API describes itself: without a warning, with every address, and without anything from other hosts."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client

from tests.accounts.api.world import ask, routes, session_of
from tests.accounts.rows import a_member

pytestmark = pytest.mark.django_db


@pytest.fixture
def client() -> Client:
    return session_of(a_member("mo"))


def schema(client: Client) -> dict[str, Any]:
    answer = ask(client, "get", "/api/schema/", accept="application/json")
    assert answer["Content-Type"].startswith("application/vnd.oai.openapi+json") or "json" in answer["Content-Type"]
    told: dict[str, Any] = answer.json()
    return told


def test_the_schema_is_valid_and_complete_without_a_warning(tmp_path: Any) -> None:
    call_command("spectacular", "--validate", "--fail-on-warn", "--file", str(tmp_path / "schema.yml"))
    assert (tmp_path / "schema.yml").stat().st_size > 10_000


def test_every_address_with_rows_is_described(client: Client) -> None:
    described = {re.sub(r"\{[^}]+\}", "<pk>", path) for path in schema(client)["paths"]}
    described_not = {"/api/", "/api/schema/", "/api/docs/", "/api/no/such/place/"}
    assert {f"/{route.pattern}" for route in routes()} - described_not == described


def test_the_schema_names_filters_orders_amounts_and_ways_in(client: Client) -> None:
    told = schema(client)
    named = {parameter["name"] for parameter in told["paths"]["/api/usage/"]["get"]["parameters"]}
    assert {"since", "until", "member", "min_credits", "session", "cursor", "limit", "ordering"} <= named
    cost = told["components"]["schemas"]["Record"]["properties"]["cost"]
    assert set(cost["properties"]) == {"nano", "credits"}
    assert "2^53" in cost["description"]
    assert {"bearer", "x-api-key", "session"} == set(told["components"]["securitySchemes"])


def test_the_schema_shows_no_secret_to_read(client: Client) -> None:
    schemas = schema(client)["components"]["schemas"]
    readable = {name: set(told.get("properties", {})) for name, told in schemas.items() if not name.endswith("Request")}
    for name, columns in readable.items():
        assert not columns & {"password", "digest", "github_token", "copilot_token", "private_key"}, name
        assert "secret" not in columns or name == "IssuedKey"


def test_the_docs_take_nothing_from_other_hosts(client: Client) -> None:
    answer = client.get("/api/docs/")
    page = answer.content.decode()
    assert answer.status_code == 200
    sources = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert sources
    assert [source for source in sources if not source.startswith("/static/")] == []
    for source in sources:
        assert client.get(source).status_code == 200, source


def test_the_docs_send_a_visitor_to_sign_in() -> None:
    answer = Client().get("/api/docs/")
    assert (answer.status_code, answer["location"]) == (302, "/signin?next=/api/docs/")
