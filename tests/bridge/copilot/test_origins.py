"""Which hosts belong together, and where a bearer may go."""

from __future__ import annotations

import pytest

from bridge.copilot.origins import (
    BaseSource,
    Origins,
    api_base,
    endpoint_from_token,
    normalise_host,
    origins_for,
)


@pytest.mark.parametrize(
    ("text", "host"),
    [
        ("github.com", "github.com"),
        (" https://github.com/ ", "github.com"),
        ("api.github.com", "github.com"),
        ("octo.ghe.com", "octo.ghe.com"),
        ("https://Octo.GHE.com", "octo.ghe.com"),
        ("https://api.octo.ghe.com/", "octo.ghe.com"),
        ("copilot-api.octo.ghe.com", "octo.ghe.com"),
        ("my-org2.ghe.com\n", "my-org2.ghe.com"),
    ],
)
def test_usual_spellings_of_a_host_are_understood(text: str, host: str) -> None:
    assert normalise_host(text) == host


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ghe.com",
        "api.ghe.com",
        "copilot-api.ghe.com",
        "a.b.ghe.com",
        "octo.ghe.com:8443",
        "octo.ghe.com/path",
        "octo.ghe.com?x=1",
        "me@octo.ghe.com",
        "http://octo.ghe.com",
        "ftp://octo.ghe.com",
        "octo.ghe.com.evil.example",
        "-octo.ghe.com",
        "octo_x.ghe.com",
        "github.com.evil.example",
        "о\u0441to.ghe.com",
    ],
)
def test_anything_else_is_no_host(text: str) -> None:
    with pytest.raises(ValueError, match="A GitHub host is"):
        normalise_host(text)


def test_the_three_origins_of_github() -> None:
    assert origins_for("github.com") == Origins(
        "https://github.com", "https://api.github.com", "https://api.githubcopilot.com"
    )


def test_the_three_origins_of_a_tenant() -> None:
    assert origins_for("api.octo.ghe.com") == Origins(
        "https://octo.ghe.com", "https://api.octo.ghe.com", "https://copilot-api.octo.ghe.com"
    )


def test_overrides_count_for_their_host_only() -> None:
    overrides = {"github.com": {"api": "http://127.0.0.1:9/api/", "copilot": "http://127.0.0.1:9/copilot"}}
    here = origins_for("github.com", overrides)
    assert here.api == "http://127.0.0.1:9/api"
    assert here.github == "https://github.com"
    assert here.operator == here.copilot == "http://127.0.0.1:9/copilot"
    assert origins_for("octo.ghe.com", overrides).operator is None


@pytest.mark.parametrize(
    "urls",
    [{"apj": "https://x.example"}, {"api": "x.example"}, {"api": "https://a:b@x.example"}, {"api": "https://x/?q"}],
)
def test_an_override_that_makes_no_sense_is_refused(urls: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="origin"):
        origins_for("github.com", {"github.com": urls})


@pytest.mark.parametrize(
    "endpoint",
    [
        "https://api.individual.githubcopilot.com",
        "https://api.business.githubcopilot.com/",
        "https://api.githubcopilot.com:443",
    ],
)
def test_a_token_may_name_a_copilot_host(endpoint: str) -> None:
    found = api_base("github.com", endpoint)
    assert found.source is BaseSource.ANSWER
    assert found.url == endpoint.removesuffix("/").removesuffix(":443")


@pytest.mark.parametrize(
    "endpoint",
    [
        "http://api.business.githubcopilot.com",
        "https://api.business.githubcopilot.com.evil.example",
        "https://evil.example/api.githubcopilot.com",
        "https://evilgithubcopilot.com",
        "https://githubcopilot.com",
        "https://user@api.githubcopilot.com",
        "https://evil.example\\@api.githubcopilot.com",
        "https://evil.example#.githubcopilot.com",
        "https://api.githubcopilot.com:8443",
        "https://api.githubcopilot.com/path",
        "https://copilot-api.octo.ghe.com",
        "https://api.githubcopilot.com\n",
    ],
)
def test_a_foreign_host_never_gets_the_bearer(endpoint: str) -> None:
    found = api_base("github.com", endpoint)
    assert found.url == "https://api.githubcopilot.com"
    assert found.source is BaseSource.DEFAULT
    assert found.refused == endpoint


def test_a_tenants_bearer_stays_with_the_tenant() -> None:
    own = "https://copilot-api.octo.ghe.com"
    assert api_base("octo.ghe.com", own).source is BaseSource.ANSWER
    for foreign in ("https://copilot-api.other.ghe.com", "https://api.business.githubcopilot.com"):
        found = api_base("octo.ghe.com", foreign)
        assert found.url == own
        assert found.refused == foreign


def test_the_operator_has_the_last_word() -> None:
    found = api_base("github.com", "https://api.business.githubcopilot.com", operator="http://127.0.0.1:1/copilot/")
    assert found.url == "http://127.0.0.1:1/copilot"
    assert found.source is BaseSource.OPERATOR


@pytest.mark.parametrize(
    ("token", "endpoint"),
    [
        (
            "tid=a;proxy-ep=proxy.business.githubcopilot.com;chat=1:mac",
            "https://api.business.githubcopilot.com",
        ),
        ("proxy-ep=copilot-proxy.octo.ghe.com:mac", "https://copilot-api.octo.ghe.com"),
        ("tid=a;exp=1:proxy-ep=proxy.x.githubcopilot.com", None),
        ("proxy-ep=evil.example/proxy.", None),
        ("opaque", None),
    ],
)
def test_the_token_string_implies_an_address(token: str, endpoint: str | None) -> None:
    assert endpoint_from_token(token) == endpoint
