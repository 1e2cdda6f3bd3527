"""Days, weeks and months of the ledger: one time zone per installation decides them; weeks begin on Monday."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from django.utils import timezone


def this_day() -> date:
    """Return today in the installation's time zone, the one that decides the day of a ledger row."""
    return day_at(timezone.now())


def day_at(at: datetime) -> date:
    """Return the day of the installation that a moment lies in."""
    return timezone.localtime(at, timezone.get_default_timezone()).date()


def start_of(span: str, day: date) -> date:
    """Return the first day of the `week` or `month` that a day lies in; of any other span, the day."""
    match span:
        case "week":
            return day - timedelta(days=day.weekday())
        case "month":
            return day.replace(day=1)
        case _:
            return day


def end_of(span: str, start: date) -> date:
    """Return the first day after the span that begins on `start`."""
    match span:
        case "week":
            return start + timedelta(days=7)
        case "month":
            return (start + timedelta(days=31)).replace(day=1)
        case _:
            return start + timedelta(days=1)
