"""The proof page: whether every request that was ever opened is accounted for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from itertools import islice
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _

from accounts.admin.dashboard import requests_link
from accounts.days import this_day
from accounts.models import UsageStatus
from accounts.reports.dimensions import Dimension
from accounts.reports.names import names_of
from accounts.reports.proof import Standing, budget_standings, standings, whole
from accounts.reports.viewer import Viewer

if TYPE_CHECKING:
    from collections.abc import Iterable

DAYS = 60
_BUDGETS = 200


@dataclass(frozen=True, slots=True)
class Account:
    """One line of the first equation with its name and the way to its requests."""

    name: str
    link: str
    standing: Standing


def proof_context() -> dict[str, Any]:
    """Return what the page shows: the installation, its last days, its members, its budgets."""
    since = this_day() - timedelta(days=DAYS - 1)
    by_member = standings(Dimension.MEMBER)
    budgets = list(islice(budget_standings(this_day()), _BUDGETS))
    days, members = _days(standings("day", since)), _members(by_member)
    together = whole(by_member)
    return {
        "whole": together,
        "open_link": requests_link(status__exact=UsageStatus.OPEN),
        "days": days,
        "members": members,
        "budgets": budgets,
        "shown_days": DAYS,
        "holds": together.holds and _hold(days) and _hold(members) and all(line.holds for line in budgets),
    }


def _hold(accounts: Iterable[Account]) -> bool:
    return all(account.standing.holds for account in accounts)


def _days(lines: list[Standing]) -> list[Account]:
    latest = sorted(lines, key=lambda line: line.subject, reverse=True)
    return [Account(str(line.subject), requests_link(day=line.subject), line) for line in latest]


def _members(lines: list[Standing]) -> list[Account]:
    names = names_of(Viewer.everything(), Dimension.MEMBER)
    found = [_member(line, names[line.subject].text if line.subject in names else "") for line in lines]
    return sorted(found, key=lambda account: account.name)


def _member(line: Standing, name: str) -> Account:
    if line.subject is None:
        return Account(_("without a member"), requests_link(member_id__isnull="True"), line)
    return Account(name or str(line.subject), requests_link(member__id__exact=line.subject), line)
