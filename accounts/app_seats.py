"""Seats of an organisation's GitHub App: the organisation pays, nobody signs in, the whole team is served.

EXPERIMENTAL: GitHub announced apps with the permission "Copilot Requests: write" and documents the way to their tokens;
how Copilot takes such a token is inferred. Every page and command that makes such a seat says so.

The app's client id, the id of its installation and its private key take the place of a GitHub token. The key is stored
encrypted and never shown; adding the app again replaces it.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.database import in_thread
from accounts.models import Seat, SeatKind, SeatState, Serves
from accounts.seats import Connected, known_host
from accounts.serving import refuse_unaccepted, warning_for
from accounts.stores import token_columns
from bridge.copilot.app_tokens import check_private_key, fetch_app_token, fetch_installation
from bridge.copilot.stores import AppCredential
from bridge.errors import BadRequest

if TYPE_CHECKING:
    from collections.abc import Callable

    from accounts.github import GitHub
    from bridge.copilot.app_tokens import Installation
    from bridge.copilot.tokens import CopilotToken

EXPERIMENTAL = gettext_lazy(
    "Experimental: GitHub does not document how Copilot takes the tokens of an app; what is done here is inferred and "
    "may stop working."
)
# Iv23liAbCdEf, Iv1.0123456789abcdef, or the number of the app, which GitHub takes as well.
_CLIENT_ID = re.compile(r"[0-9A-Za-z.]{1,80}")


@dataclass(frozen=True, slots=True)
class AppWish:
    """The app that is to be added. The private key is PEM text; `risk_accepted` as for any other seat."""

    client_id: str
    installation: int
    private_key: str = field(repr=False)
    host: str = "github.com"
    label: str = ""
    risk_accepted: bool = False


async def connect_app(github: GitHub, wish: AppWish, *, now: Callable[[], float] = time.time) -> Connected:
    """Ask GitHub for the installation and its first token, and keep the app as a seat, new or with a new key.

    Raises BadRequest for what cannot be right, RiskNotAccepted when another seat serves the team already, TokenRefused
    when GitHub refuses the app, and the transient errors of `bridge.errors`.
    """
    host = known_host(wish.host)
    app = _credential(wish)
    origins = github.origins(host)
    where = await fetch_installation(github.http, origins, github.profile, app, now=now)
    token = await fetch_app_token(github.http, origins, github.profile, app, host=host, now=now)
    seat = await in_thread(_keep)(wish, app, host, where, token)
    sentence = _("The app is connected; %(account)s pays for it and it serves the team.") % {"account": seat.account}
    return Connected(seat, f"{sentence} {EXPERIMENTAL}", await in_thread(warning_for)(seat))


def _credential(wish: AppWish) -> AppCredential:
    client_id, key = wish.client_id.strip(), wish.private_key.strip()
    if not _CLIENT_ID.fullmatch(client_id):
        raise BadRequest("A client id is one word such as Iv23liAbCdEf.", param="client_id")
    if not 0 < wish.installation < 2**63:
        raise BadRequest("The id of an installation is a whole number.", param="installation")
    check_private_key(key)
    return AppCredential(client_id, wish.installation, key)


def _keep(wish: AppWish, app: AppCredential, host: str, where: Installation, token: CopilotToken) -> Seat:
    with transaction.atomic():
        seat = _existing(host, where) or Seat(host=host)
        if not wish.risk_accepted and (seat.pk is None or seat.state == SeatState.DISABLED):
            teams = list(seat.teams.all()) if seat.pk else []
            refuse_unaccepted(None, Serves.TEAM, teams, besides=seat.pk)
        seat.github_id, seat.login, seat.kind = where.id, where.login, SeatKind.APP
        seat.owner, seat.serves, seat.github_token = None, Serves.TEAM, None
        seat.app_id, seat.installation_id, seat.private_key = app.client_id, app.installation, app.private_key
        seat.label = wish.label or seat.label
        seat.state, seat.state_reason, seat.state_until = SeatState.ACTIVE, "", None
        for name, value in token_columns(token).items():
            setattr(seat, name, value)
        seat.save()
    return seat


def _existing(host: str, where: Installation) -> Seat | None:
    """Return the seat of the same organisation; raises BadRequest when it is another kind of account."""
    same = Q(github_id=where.id) | Q(login__iexact=where.login)
    seats = list(Seat.objects.select_for_update().filter(same, host=host))
    if any(seat.kind != SeatKind.APP or seat.github_id != where.id for seat in seats):
        raise BadRequest(
            "Another GitHub account is connected here as %(account)s; change the login of that seat first.",
            {"account": seats[0].account},
        )
    return seats[0] if seats else None
