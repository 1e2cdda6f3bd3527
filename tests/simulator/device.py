"""github.com as the device flow sees it: the code, the poll, and the page where a person types the code.

Errors of the flow come with HTTP 200. Without `Accept: application/json` every answer is form-encoded.
"""

from __future__ import annotations

from html import escape
from urllib.parse import parse_qsl, urlencode

from tests.simulator import rest_errors
from tests.simulator.accounts import Account, is_known_client
from tests.simulator.tokens import DeviceGrant, GrantState
from tests.simulator.wire import TYPE_JSON, Refusal, Request, Wire, encode
from tests.simulator.world import World

GRANT_TYPE = "urn:ietf:params:oauth:grant-type:device_code"
FORM = "application/x-www-form-urlencoded; charset=utf-8"
HTML = "text/html; charset=utf-8"
_DOCS = "https://docs.github.com/developers/apps/authorizing-oauth-apps#error-codes-for-the-device-flow"
_LETTERS = "BCDFGHJKLMNPQRSTVWXZ23456789"
_SAYS = {
    "authorization_pending": "The authorization request is still pending.",
    "slow_down": "Too many requests have been made in the same timeframe.",
    "expired_token": "The `device_code` has expired.",
    "access_denied": "The authorization request was denied.",
    "incorrect_device_code": "The device_code provided is not valid.",
    "unsupported_grant_type": "The grant type must be urn:ietf:params:oauth:grant-type:device_code.",
    "incorrect_client_credentials": "The client_id and/or client_secret passed are incorrect.",
}


async def handle(world: World, request: Request, wire: Wire) -> None:
    """Answer one request to github.com (or a tenant's web host)."""
    match request.method, request.path:
        case "POST", "/login/device/code":
            await _answer(wire, request, _begin(world, request))
        case "POST", "/login/oauth/access_token":
            await _answer(wire, request, _poll(world, request))
        case "GET", "/login/device":
            await wire.respond(200, _page(world, request), content_type=HTML)
        case "POST", "/login/device":
            await wire.respond(200, _decided(world, request), content_type=HTML)
        case _:
            raise Refusal(404, b"Not Found", content_type=HTML)


def decide(
    world: World, user_code: str, state: GrantState, login: str = "", *, tenant: str | None = None
) -> DeviceGrant:
    """Approve, deny or expire a pending grant. Raises Refusal(404) for an unknown code or account."""
    grant = world.grants.get(user_code.strip().upper())
    if grant is None or (tenant is not None and grant.tenant != tenant):
        raise Refusal(404, b"There is no such code.\n")
    if state is GrantState.APPROVED:
        grant.login = world.account(login).login
    grant.state = state
    return grant


def _begin(world: World, request: Request) -> dict[str, object]:
    fields = _fields(request)
    client = fields.get("client_id", "")
    if not is_known_client(client):
        raise Refusal(404, encode({"error": "Not Found"}), content_type=TYPE_JSON)
    settings = world.settings
    grant = DeviceGrant(
        device_code=world.new_id(length=40),
        user_code=_user_code(world.new_id()),
        client_id=client,
        tenant=_tenant(request),
        scope=fields.get("scope", ""),
        expires_at=world.time() + settings.device_ttl,
        interval=settings.device_interval,
    )
    world.grants[grant.user_code] = grant
    return {
        "device_code": grant.device_code,
        "user_code": grant.user_code,
        "verification_uri": _verification_uri(world, grant.tenant),
        "expires_in": settings.device_ttl,
        "interval": grant.interval,
    }


def _poll(world: World, request: Request) -> dict[str, object]:
    fields = _fields(request)
    if fields.get("grant_type") != GRANT_TYPE:
        return _error("unsupported_grant_type")
    code = fields.get("device_code", "")
    grant = next((grant for grant in world.grants.values() if grant.device_code == code), None)
    if grant is None or grant.tenant != _tenant(request) or grant.state is GrantState.USED:
        return _error("incorrect_device_code")
    if fields.get("client_id") != grant.client_id:
        return _error("incorrect_client_credentials")
    return _progress(world, grant)


def _progress(world: World, grant: DeviceGrant) -> dict[str, object]:
    now, before = world.time(), grant.polled_at
    grant.polled_at = now
    grant.polls += 1
    if grant.state is GrantState.EXPIRED or now > grant.expires_at:
        return _error("expired_token")
    if grant.state is GrantState.DENIED:
        return _error("access_denied")
    if before is not None and now - before < grant.interval:
        grant.interval += 5
        return {**_error("slow_down"), "interval": grant.interval}
    if 0 < world.settings.auto_approve_after <= grant.polls and grant.state is GrantState.PENDING:
        decide(world, grant.user_code, GrantState.APPROVED, world.settings.auto_approve_account)
    if grant.state is GrantState.PENDING:
        return _error("authorization_pending")
    grant.state = GrantState.USED
    token = world.account(grant.login).issue(grant.client_id, world.seed)
    scope = "" if token.kind == "ghu" else grant.scope or "read:user"
    return {"access_token": token.value, "token_type": "bearer", "scope": scope}


def _error(code: str) -> dict[str, object]:
    return {"error": code, "error_description": _SAYS[code], "error_uri": _DOCS}


async def _answer(wire: Wire, request: Request, body: dict[str, object]) -> None:
    if "application/json" in request.headers.get("accept", ""):
        await wire.respond(200, encode(body), content_type=TYPE_JSON)
    else:
        await wire.respond(200, urlencode(body), content_type=FORM)


def _fields(request: Request) -> dict[str, str]:
    if "json" in request.headers.get("content-type", ""):
        body = request.json()
        if not isinstance(body, dict):
            raise rest_errors.rest(400, "Problems parsing JSON")
        return {name: str(value) for name, value in body.items()}
    return dict(parse_qsl(request.body.decode(errors="replace"))) | request.query


def _tenant(request: Request) -> str:
    return request.tier.removeprefix("ghe:")


def _verification_uri(world: World, tenant: str) -> str:
    origin = world.settings.public_origin
    if origin:
        return f"{origin}/ghe/{tenant}/github/login/device" if tenant else f"{origin}/github/login/device"
    return f"https://{tenant}.ghe.com/login/device" if tenant else "https://github.com/login/device"


def _user_code(digits: str) -> str:
    letters = [_LETTERS[int(digits[at : at + 2], 16) % len(_LETTERS)] for at in range(0, 16, 2)]
    return f"{''.join(letters[:4])}-{''.join(letters[4:])}"


# --- the page --------------------------------------------------------------------------------------------------------


def _page(world: World, request: Request) -> str:
    code = escape(request.query.get("user_code", ""), quote=True)
    choices = "".join(_option(account) for account in _choices(world, _tenant(request)))
    return _frame(
        "Device Activation",
        f"""<form method="post">
<p><label for="user_code">Code shown on your device</label>
<input id="user_code" name="user_code" value="{code}" placeholder="ABCD-1234" autocomplete="off" required></p>
<p><label for="account">Sign in as</label> <select id="account" name="account">{choices}</select></p>
<p><button id="approve" name="action" value="approve">Authorize</button>
<button id="deny" name="action" value="deny">Cancel</button></p>
</form>""",
    )


def _decided(world: World, request: Request) -> str:
    fields = _fields(request)
    approved = fields.get("action") == "approve"
    state = GrantState.APPROVED if approved else GrantState.DENIED
    grant = world.grants.get(fields.get("user_code", "").strip().upper())
    if grant is None or grant.tenant != _tenant(request) or grant.state is not GrantState.PENDING:
        raise Refusal(404, _frame("No such code", "<p>Check the code and try again.</p>").encode(), {}, HTML)
    decide(world, grant.user_code, state, fields.get("account", ""), tenant=grant.tenant)
    said = "Congratulations, you're all set!" if approved else "The request was denied."
    return _frame("Device Activation", f'<p id="result">{said}</p>')


def _choices(world: World, tenant: str) -> list[Account]:
    tier = f"ghe:{tenant}"
    return [
        account
        for account in world.accounts.values()
        if (account.tier == tier if tenant else not account.tier.startswith("ghe:"))
    ]


def _option(account: Account) -> str:
    login = escape(account.login, quote=True)
    return f'<option value="{login}">{login} ({escape(account.plan)}, {account.state})</option>'


def _frame(title: str, body: str) -> str:
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title} · simulated GitHub</title>'
        '<meta name="viewport" content="width=device-width"><style>body{font:16px/1.5 sans-serif;max-width:34em;'
        "margin:4em auto;padding:0 1em}input,select,button{font:inherit;padding:.3em .6em}</style></head>"
        f"<body><h1>{title}</h1>{body}</body></html>"
    )
