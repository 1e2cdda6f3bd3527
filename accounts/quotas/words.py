"""What is left of a seat, said to people: amounts with their unit, limits with their resets, forecasts with their day.

Days and times are those of the installation's time zone, in which budgets and ledger days are counted as well.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from django.utils import formats, timezone
from django.utils.translation import gettext as _

from accounts.quotas.levels import percent_left

if TYPE_CHECKING:
    from accounts.quotas.forecast import Forecast
    from bridge.copilot.quota import Quota

_PREMIUM = ("premium_interactions", "premium_models")


def unit_of(quota: Quota) -> str:
    """Return what the allowance counts, in words; empty when GitHub did not say."""
    if quota.name == "chat":
        return _("chat messages")
    if quota.name not in _PREMIUM or quota.token_based is None:
        return ""
    return _("credits") if quota.token_based else _("premium requests")


def left_in_words(quota: Quota) -> str:
    """Return how much is left: of how much, in which unit, in percent, and what was used beyond; empty when unknown."""
    if quota.unlimited:
        return _("unlimited")
    percent = percent_left(quota)
    share = "" if percent is None else f"{rounded(percent)} %"
    if quota.remaining is None or not quota.entitlement:
        return share
    unit = unit_of(quota)
    values = {"left": rounded(quota.remaining), "total": rounded(quota.entitlement), "unit": unit}
    words = (_("%(left)s of %(total)s %(unit)s") if unit else _("%(left)s of %(total)s")) % values
    words = f"{words} ({share})" if share else words
    if quota.overage_count > 0:
        return _("%(left)s, and %(over)s beyond it") % {"left": words, "over": rounded(quota.overage_count)}
    return words


def window_in_words(quota: Quota, now: datetime) -> str:
    """Return how much is left of the five-hour or weekly limit and when it resets; empty when that is not known."""
    percent = percent_left(quota)
    if percent is None or quota.unlimited:
        return ""
    name = _("5-hour limit") if quota.name == "session" else _("weekly limit")
    values = {"name": name, "percent": rounded(percent)}
    if quota.reset_at is None:
        return _("%(name)s: %(percent)s %% left") % values
    if quota.reset_at <= now.timestamp():
        return _("%(name)s: reset since it was last seen") % values
    return _("%(name)s: %(percent)s %% left, resets %(time)s") % (values | {"time": time_of(quota.reset_at)})


def forecast_in_words(found: Forecast | None) -> str:
    """Return when an allowance runs out at its present pace; empty when that is not known."""
    if found is None:
        return ""
    if found.empty_at is not None:
        return _("at this pace empty on %(day)s") % {"day": day_of(found.empty_at)}
    if found.reset_at is None:
        return ""
    return _("lasts until the reset on %(day)s") % {"day": day_of(found.reset_at)}


def day_of(seconds: float) -> str:
    return formats.date_format(_local(seconds), "DATE_FORMAT")


def time_of(seconds: float) -> str:
    return formats.date_format(_local(seconds), "DATETIME_FORMAT")


def rounded(number: float) -> str:
    """Return a figure without its fraction, as people read it."""
    return formats.number_format(round(number), use_l10n=True, force_grouping=True)


def _local(seconds: float) -> datetime:
    return timezone.localtime(datetime.fromtimestamp(seconds, UTC), timezone.get_default_timezone())
