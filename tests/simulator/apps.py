"""GitHub Apps of the simulated world: who has installed them, and the tokens their private keys are good for.

An installation's token is good for an hour and is a bearer of the Copilot API; what it spends is billed to the account
that installed the app. That Copilot takes it so is inferred from what GitHub announced.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import jwt

from tests.simulator import rest_errors
from tests.simulator.tokens import CopilotToken
from tests.simulator.wire import TYPE_JSON, Request, Wire, encode

if TYPE_CHECKING:
    from tests.simulator.accounts import Account
    from tests.simulator.world import World

TOKEN_SECONDS = 3600
LONGEST_STATEMENT = 600


@dataclass(slots=True)
class Installation:
    """An app at one account, with what the account has granted."""

    client_id: str
    number: int
    login: str
    public_key: str
    permissions: dict[str, str] = field(default_factory=lambda: {"copilot_requests": "write", "metadata": "read"})
    suspended: bool = False
    removed: bool = False
    issued: int = 0


def install(
    world: World, login: str, public_key: str, *, client_id: str = "Iv23liSIMAPP", number: int = 77
) -> Installation:
    """Install an app at an account and return the installation."""
    world.installations[number] = Installation(client_id, number, login, public_key)
    return world.installations[number]


async def handle(world: World, request: Request, wire: Wire) -> None:
    """Answer a call below /app/installations/ID."""
    _, _, _, number, *rest = request.path.split("/")
    found = world.installations.get(int(number)) if number.isdecimal() else None
    client = _signed_by(world, request)
    if found is None or found.removed or found.client_id != client:
        raise rest_errors.rest_not_found()
    account = world.account(found.login)
    wire.record.account = account.login
    match request.method, rest:
        case "GET", []:
            status, body = 200, _described(found, account)
        case "POST", ["access_tokens"]:
            status, body = 201, _token(world, request, found, account)
        case _:
            raise rest_errors.rest_not_found()
    await wire.respond(status, encode(body), content_type=TYPE_JSON)


def _signed_by(world: World, request: Request) -> str:
    """Return the client id of the app that signed; raises the 401 of GitHub's own words."""
    scheme, _, statement = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        raise rest_errors.rest(401, "A JSON web token could not be decoded")
    for app in world.installations.values():
        try:
            claims = jwt.decode(
                statement,
                app.public_key,
                algorithms=["RS256"],
                issuer=app.client_id,
                options={"verify_exp": False, "verify_iat": False, "require": ["iss", "iat", "exp"]},
            )
        except jwt.PyJWTError:
            continue
        _check_times(claims, world.time())
        return app.client_id
    raise rest_errors.rest(401, "A JSON web token could not be decoded")


def _check_times(claims: dict[str, Any], now: float) -> None:
    if claims["iat"] > now:
        raise rest_errors.rest(
            401, "'Issued at' claim ('iat') must be an Integer representing the time that the assertion was issued"
        )
    if claims["exp"] <= now:
        raise rest_errors.rest(
            401,
            "'Expiration time' claim ('exp') must be a numeric value representing the future "
            "time at which the assertion expires",
        )
    if claims["exp"] > now + LONGEST_STATEMENT:
        raise rest_errors.rest(401, "'Expiration time' claim ('exp') is too far in the future")


def _described(found: Installation, account: Account) -> dict[str, Any]:
    return {
        "id": found.number,
        "account": {"login": account.login, "id": account.id, "type": "Organization"},
        "app_slug": "copilot-gateway",
        "permissions": found.permissions,
        "suspended_at": None,
    }


def _token(world: World, request: Request, found: Installation, account: Account) -> dict[str, Any]:
    if found.suspended:
        raise rest_errors.rest(403, "This installation has been suspended")
    wanted: dict[str, str] = request.json().get("permissions", {}) if request.body else found.permissions
    if any(found.permissions.get(name) != level for name, level in wanted.items()):
        raise rest_errors.rest(422, "The permissions requested are not granted to this installation.")
    found.issued += 1
    expires_at = world.time() + TOKEN_SECONDS
    value = f"ghs_{world.digest('installation', found.number, found.issued)[:36]}"
    world.copilot_tokens[value] = CopilotToken(value, account.login, account.tier, expires_at)
    return {
        "token": value,
        "expires_at": datetime.fromtimestamp(expires_at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "permissions": wanted,
        "repository_selection": "all",
    }
