"""Telling people that a budget passed a mark: by webhook, by mail, by whatever is configured; each warning once.

A warning is claimed by a conditional update of its next try, so that of several processes one tells it. What cannot
be delivered is tried again with growing pauses, and the reason stands in the row.
"""

from __future__ import annotations

import asyncio
import logging
import smtplib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import date, timedelta

import httpx
from django.conf import settings
from django.core.mail import send_mail
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import override

from accounts.database import in_thread
from accounts.models import BudgetWarning, Member, Role
from accounts.models.usage_record import NANO_PER_CREDIT

logger = logging.getLogger(__name__)

POLL_SECONDS = 5.0
FIRST_PAUSE = timedelta(seconds=30)
LONGEST_PAUSE = timedelta(hours=6)
TRIES = 12
_FAULT_LIMIT = 500


@dataclass(frozen=True, slots=True)
class Told:
    """A warning as it is told; money in nano-AIU, `resets_on` is the first day of the next period."""

    id: int
    percent: int
    whose: str
    scope: str
    span: str
    hard: bool
    spent_nano: int
    limit_nano: int
    resets_on: date
    readers: tuple[tuple[str, str], ...]

    def text(self) -> str:
        """The warning as a sentence, in the language that is active."""
        words = {
            "whose": self.whose,
            "percent": self.percent,
            "spent": _credits(self.spent_nano),
            "limit": _credits(self.limit_nano),
            "reset": self.resets_on.isoformat(),
        }
        if self.percent >= 100 and self.hard:
            text = _("The budget of %(whose)s is used up: %(spent)s of %(limit)s credits. It resets on %(reset)s.")
            return text % words
        return _("The budget of %(whose)s passed %(percent)s %%: %(spent)s of %(limit)s credits.") % words

    def payload(self) -> dict[str, object]:
        """The webhook's JSON body; `text` is what chat programs show."""
        with override("en"):
            text = self.text()
        return {
            "event": "budget.warning",
            "text": text,
            "percent": self.percent,
            "budget": {"for": self.whose, "scope": self.scope, "span": self.span, "hard": self.hard},
            "spent_nano": self.spent_nano,
            "limit_nano": self.limit_nano,
            "spent_credits": _credits(self.spent_nano),
            "limit_credits": _credits(self.limit_nano),
            "resets_on": self.resets_on.isoformat(),
        }


class Teller:
    """Tells what is to be told, for as long as the process runs; `http` posts the webhook."""

    def __init__(self, http: httpx.AsyncClient, *, poll_seconds: float = POLL_SECONDS) -> None:
        self._http = http
        self._poll_seconds = poll_seconds

    async def run(self) -> None:
        ways = self._ways()
        while ways:
            await asyncio.sleep(self._poll_seconds)
            for warning in await in_thread(claim_due)():
                await self._tell(warning, ways)

    def _ways(self) -> list[Callable[[Told], Awaitable[None]]]:
        ways: list[Callable[[Told], Awaitable[None]]] = []
        if settings.BRIDGE_WEBHOOK_URL:
            ways.append(self._post)
        if settings.EMAIL_URL:
            ways.append(_mail)
        return ways

    async def _tell(self, warning: Told, ways: list[Callable[[Told], Awaitable[None]]]) -> None:
        faults: list[str] = []
        for way in ways:
            try:
                await way(warning)
            except (httpx.HTTPError, OSError, smtplib.SMTPException) as fault:
                # Not the fault's own words: they may hold the address, and that may hold a secret.
                faults.append(f"{way.__name__.strip('_')}: {_name_of(fault)}")
                logger.warning("A budget warning could not be told: %s", faults[-1])
        if len(faults) == len(ways):
            await in_thread(note_fault)(warning.id, "; ".join(faults))
        else:
            await in_thread(note_told)(warning.id, "; ".join(faults))

    async def _post(self, warning: Told) -> None:
        answer = await self._http.post(settings.BRIDGE_WEBHOOK_URL, json=warning.payload())
        answer.raise_for_status()


def claim_due() -> list[Told]:
    """Take the warnings that are due, each for this process alone until its next try."""
    now = timezone.now()
    claimed = []
    for warning in BudgetWarning.objects.filter(told_at=None, tries__lt=TRIES).order_by("id")[:50]:
        if warning.next_try_at is not None and warning.next_try_at > now:
            continue
        pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2**warning.tries)
        mine = BudgetWarning.objects.filter(pk=warning.pk, told_at=None, tries=warning.tries)
        if mine.update(tries=warning.tries + 1, next_try_at=now + pause):
            claimed.append(_told(warning.pk))
    return claimed


def note_told(warning: int, fault: str = "") -> None:
    BudgetWarning.objects.filter(pk=warning).update(told_at=timezone.now(), fault=fault[:_FAULT_LIMIT])


def note_fault(warning: int, fault: str) -> None:
    BudgetWarning.objects.filter(pk=warning).update(fault=fault[:_FAULT_LIMIT])


async def _mail(warning: Told) -> None:
    await in_thread(_send)(warning)


def _send(warning: Told) -> None:
    for address, language in warning.readers:
        with override(language or settings.LANGUAGE_CODE):
            subject = _("A budget passed %(percent)s %%") % {"percent": warning.percent}
            send_mail(subject, warning.text(), None, [address])


def _told(pk: int) -> Told:
    related = ("period__budget__team", "period__budget__member", "period__budget__key__member")
    warning = BudgetWarning.objects.select_related(*related).get(pk=pk)
    period, budget = warning.period, warning.period.budget
    concerned = budget.member or (budget.key.member if budget.key else None)
    return Told(
        id=warning.pk,
        percent=warning.percent,
        whose=budget.whose,
        scope=budget.scope,
        span=budget.span,
        hard=budget.hard,
        spent_nano=warning.spent_nano,
        limit_nano=warning.limit_nano,
        resets_on=period.end,
        readers=_readers(concerned),
    )


def _readers(concerned: Member | None) -> tuple[tuple[str, str], ...]:
    """The owners, and the member whose budget it is: each with an address, in their language."""
    owners = Member.objects.filter(role=Role.OWNER, is_active=True)
    people = {member.pk: member for member in (*owners, *([concerned] if concerned else []))}
    return tuple((member.email, member.language) for member in people.values() if member.email and member.is_active)


def _name_of(fault: Exception) -> str:
    if isinstance(fault, httpx.HTTPStatusError):
        return f"HTTP {fault.response.status_code}"
    return type(fault).__name__


def _credits(nano: int) -> str:
    return f"{nano // NANO_PER_CREDIT}.{nano % NANO_PER_CREDIT // 1_000_000:03d}"
