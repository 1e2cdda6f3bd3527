"""Which hosts belong to a GitHub host, and to which a bearer may be sent.

github.com and a data-residency tenant (TENANT.ghe.com) each have three origins: the site for sign-in, the REST
API, and the Copilot API. A Copilot bearer goes to `*.githubcopilot.com` for a github.com account, to exactly
`copilot-api.TENANT.ghe.com` for that tenant's account, or where the operator says; never to a host that merely
stands in an answer.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlsplit

GITHUB = "github.com"
GENERIC_COPILOT = "https://api.githubcopilot.com"
TENANT = re.compile(r"(?:(?:copilot-)?api\.)?([a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)\.ghe\.com")
RESERVED_TENANTS = frozenset({"api", "copilot-api", "copilot-proxy", "www"})
PUBLIC_API = re.compile(r"https://(?:[a-z0-9-]+\.)+githubcopilot\.com(?::443)?/?")
PROXY_HOST = re.compile(r"(copilot-)?proxy(\.[a-z0-9.-]+)")


@dataclass(frozen=True, slots=True)
class Origins:
    """Base addresses without a trailing slash; `operator` is the Copilot address somebody set, if anybody did."""

    github: str
    api: str
    copilot: str
    operator: str | None = None


class BaseSource(StrEnum):
    OPERATOR = "operator"
    ANSWER = "answer"
    DEFAULT = "default"


@dataclass(frozen=True, slots=True)
class ApiBase:
    """Where the Copilot API is, who said so, and the address that was not believed (empty if none)."""

    url: str
    source: BaseSource
    refused: str = ""


def normalise_host(text: str) -> str:
    """Return `github.com` or `TENANT.ghe.com` for any usual spelling; raises ValueError with a sentence."""
    name = text.strip().lower()
    if name.startswith("http://"):
        raise ValueError("A GitHub host is reached by https only.")
    name = name.removeprefix("https://").removesuffix("/")
    if name in {GITHUB, "api.github.com", "www.github.com"}:
        return GITHUB
    found = TENANT.fullmatch(name)
    if found is None or found[1] in RESERVED_TENANTS:
        raise ValueError("A GitHub host is github.com or TENANT.ghe.com, without a port, path or user name.")
    return f"{found[1]}.ghe.com"


def origins_for(host: str, overrides: Mapping[str, Mapping[str, str]] | None = None) -> Origins:
    """Return the three origins of a host.

    `overrides` maps a host to any of `github`, `api`, `copilot`; a `copilot` there is the operator's word and
    wins over what tokens say. Raises ValueError for a host or an override that makes no sense.
    """
    host = normalise_host(host)
    given = _overrides_of(host, overrides or {})
    default_copilot = GENERIC_COPILOT if host == GITHUB else f"https://copilot-api.{host}"
    return Origins(
        github=given.get("github", f"https://{host}"),
        api=given.get("api", f"https://api.{host}"),
        copilot=given.get("copilot", default_copilot),
        operator=given.get("copilot"),
    )


def api_base(host: str, token_endpoint: str | None, *, operator: str | None = None) -> ApiBase:
    """Return where to send a bearer of `host`: the operator's word, else the token's if allowed, else the default."""
    host = normalise_host(host)
    if operator:
        return ApiBase(operator.rstrip("/"), BaseSource.OPERATOR)
    default = GENERIC_COPILOT if host == GITHUB else f"https://copilot-api.{host}"
    if not token_endpoint:
        return ApiBase(default, BaseSource.DEFAULT)
    endpoint = token_endpoint.lower()
    if _may_receive_bearer(endpoint, host):
        return ApiBase(endpoint.rstrip("/").removesuffix(":443"), BaseSource.ANSWER)
    return ApiBase(default, BaseSource.DEFAULT, refused=token_endpoint)


def endpoint_from_token(token: str) -> str | None:
    """Return the API address a token string implies by its `proxy-ep` field, or None."""
    fields = token.partition(":")[0].split(";")
    pairs = (field.partition("=") for field in fields)
    proxy = next((value for name, _, value in pairs if name == "proxy-ep"), "")
    found = PROXY_HOST.fullmatch(proxy.lower())
    return f"https://{found[1] or ''}api{found[2]}" if found else None


def _may_receive_bearer(endpoint: str, host: str) -> bool:
    if host == GITHUB:
        return PUBLIC_API.fullmatch(endpoint) is not None
    tenant_api = f"https://copilot-api.{host}"
    return endpoint in {tenant_api, f"{tenant_api}/", f"{tenant_api}:443", f"{tenant_api}:443/"}


def _overrides_of(host: str, overrides: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    given: dict[str, str] = {}
    for name, urls in overrides.items():
        if normalise_host(name) != host:
            continue
        for origin, url in urls.items():
            if origin not in {"github", "api", "copilot"}:
                raise ValueError(f"{origin!r} is no origin of {name}; there are github, api and copilot.")
            given[origin] = _checked(url)
    return given


def _checked(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname or "@" in parts.netloc:
        raise ValueError("An origin is an http(s) address without a user name.")
    if parts.query or parts.fragment:
        raise ValueError("An origin has no query and no fragment.")
    return url.rstrip("/")
