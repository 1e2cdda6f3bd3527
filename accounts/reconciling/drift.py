"""Why GitHub and the ledger may disagree about a seat: likely causes, the largest first, and words for them.

Drift is what GitHub's counter moved less what the ledger counted. No cause is proven; each comes with the most it could
account for:

    outside      traffic that did not pass here, e.g. an editor; what no lag explains
    lag          requests that ended so shortly before a reading that its figure may not hold them
    open         requests still under way at the last reading: GitHub may have counted them already
    abandoned    requests that a crash cut short: what they cost nobody told
    unpriced     answers of models without a price
    estimated    requests whose cost GitHub did not report: computed or estimated here
    promotion    a discount shows in reported figures only; computed ones are too high by as much
    returned     GitHub's counter moved less than the ledger: credits given back, or figures that lag for longer

and the rest says how far the comparison goes: `reset`, `pruned`, `legacy`, `free`, `coarse`, `not_fresh`, `unlimited`,
`no_readings`. Amounts are billionths of the unit.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from django.utils import formats, timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext_lazy as _

from accounts.models import QuotaUnit, Reconciliation

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django.utils.functional import _StrOrPromise

NANO = 1_000_000_000
_SHOWN = Decimal("0.001")


class Cause(StrEnum):
    OUTSIDE = "outside"
    LAG = "lag"
    OPEN = "open"
    ABANDONED = "abandoned"
    UNPRICED = "unpriced"
    ESTIMATED = "estimated"
    PROMOTION = "promotion"
    RETURNED = "returned"
    RESET = "reset"
    PRUNED = "pruned"
    NO_READINGS = "no_readings"
    UNLIMITED = "unlimited"
    NOT_FRESH = "not_fresh"
    COARSE = "coarse"
    LEGACY = "legacy"
    FREE = "free"


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of the time between two readings. Amounts in billionths of the unit.

    `late_before` and `late_until` were settled shortly before the first and the last reading. `discounted` is what the
    rate card made of the rows that GitHub reported as `reported`; `computed` are rows of the rate card alone.
    """

    late_before: int = 0
    late_until: int = 0
    open_rows: int = 0
    open_reserved: int = 0
    abandoned: int = 0
    abandoned_reserved: int = 0
    unpriced: int = 0
    stand_in: int = 0
    stand_in_rows: int = 0
    computed: int = 0
    discounted: int = 0
    reported: int = 0


def likely_causes(drift: int, tolerance: int, evidence: Evidence) -> list[dict[str, Any]]:
    """Return the causes of a drift, the largest first; none when it is within the tolerance."""
    if abs(drift) <= tolerance:
        return []
    found = _of_more(drift, evidence) if drift > 0 else _of_less(-drift, evidence)
    if evidence.stand_in_rows:
        found.append(_cause(Cause.ESTIMATED, min(evidence.stand_in, abs(drift)), requests=evidence.stand_in_rows))
    order = list(Cause)
    return sorted(found, key=lambda cause: (-cause["nano"], order.index(cause["code"])))


def _of_more(drift: int, evidence: Evidence) -> list[dict[str, Any]]:
    """GitHub counted more."""
    found = []
    late = min(evidence.late_before, drift)
    if late:
        found.append(_cause(Cause.LAG, late))
    if evidence.open_rows:
        found.append(_cause(Cause.OPEN, min(evidence.open_reserved, drift), requests=evidence.open_rows))
    if evidence.abandoned:
        found.append(_cause(Cause.ABANDONED, min(evidence.abandoned_reserved, drift), requests=evidence.abandoned))
    if evidence.unpriced:
        found.append(_cause(Cause.UNPRICED, 0, requests=evidence.unpriced))
    if drift > late:
        found.append(_cause(Cause.OUTSIDE, drift - late))
    return found


def _of_less(drift: int, evidence: Evidence) -> list[dict[str, Any]]:
    """GitHub counted less."""
    found = []
    late = min(evidence.late_until, drift)
    if late:
        found.append(_cause(Cause.LAG, late))
    if evidence.discounted > evidence.reported and evidence.computed:
        saved = evidence.computed * (evidence.discounted - evidence.reported) // evidence.discounted
        found.append(_cause(Cause.PROMOTION, min(saved, drift)))
    if drift > late:
        found.append(_cause(Cause.RETURNED, drift - late))
    return found


def note(code: Cause, **params: Any) -> dict[str, Any]:
    """Return what is no cause but says how far the comparison goes."""
    return _cause(code, 0, **params)


def sentence(cause: Mapping[str, Any], unit: str) -> str:
    """Return a stored cause in words; a code that this version does not know stands for itself."""
    known = _SENTENCES.get(str(cause.get("code")))
    if known is None:
        return str(cause.get("code"))
    values = dict.fromkeys(("amount", "requests", "resolution", "at", "since"), "") | dict(cause)
    for name in ("nano", "resolution"):
        if isinstance(values.get(name), int):
            values["amount" if name == "nano" else name] = amount(values[name], unit)
    for name in ("at", "since"):
        values[name] = _moment(values[name])
    return str(known) % values


def verdict(row: Reconciliation) -> str:
    """Return in one sentence how GitHub and the ledger stand."""
    if row.drift_nano is None:
        return str(_("It could not be compared."))
    if row.agrees:
        return str(_("GitHub and the ledger agree."))
    more = _("GitHub counted %(amount)s more than the ledger.")
    less = _("GitHub counted %(amount)s less than the ledger.")
    return str(more if row.drift_nano > 0 else less) % {"amount": amount(abs(row.drift_nano), row.unit)}


def amount(nano: int, unit: str) -> str:
    """Return an amount with its unit in words; one too small to be shown is told from nothing."""
    shown = (Decimal(nano) / NANO).quantize(_SHOWN, ROUND_HALF_UP)
    figure = formats.number_format(shown, decimal_pos=3, use_l10n=True, force_grouping=True)
    if nano and not shown:
        figure = f"< {formats.number_format(_SHOWN)}"
    return f"{figure} {QuotaUnit(unit).label}"


def _moment(text: Any) -> str:
    at = parse_datetime(text) if isinstance(text, str) and text else None
    return "" if at is None else formats.date_format(timezone.localtime(at), "SHORT_DATETIME_FORMAT")


def _cause(code: Cause, nano: int, **params: Any) -> dict[str, Any]:
    return {"code": code.value, "nano": nano, **params}


_SENTENCES: dict[str, _StrOrPromise] = {
    Cause.OUTSIDE: _(
        "Traffic outside the gateway, up to %(amount)s: somebody used this account in an editor, on github.com or with "
        "another program."
    ),
    Cause.LAG: _(
        "GitHub's figures lag: requests of the last minutes before a reading, up to %(amount)s, may be missing in it."
    ),
    Cause.OPEN: _(
        "Requests still under way at the last reading: %(requests)s, for which up to %(amount)s is held back."
    ),
    Cause.ABANDONED: _(
        "Abandoned requests, whose cost is not known: %(requests)s, for which up to %(amount)s was held back."
    ),
    Cause.UNPRICED: _("Answers of models without a price, counted as nothing: %(requests)s."),
    Cause.ESTIMATED: _(
        "Requests whose cost GitHub did not report and the gateway computed or estimated: %(requests)s, up to "
        "%(amount)s of the difference."
    ),
    Cause.PROMOTION: _(
        "A promotion: GitHub charged less than the rate card says where it reported the cost; for the other requests "
        "that makes up to %(amount)s."
    ),
    Cause.RETURNED: _(
        "GitHub's counter moved less, by up to %(amount)s: credits were given back, or its figures lag for longer."
    ),
    Cause.RESET: _(
        "The allowance began anew on %(at)s. What was used between %(since)s and then cannot be compared: "
        "%(requests)s requests of %(amount)s."
    ),
    Cause.PRUNED: _("Requests deleted from the ledger within these days: %(requests)s. They are missing in its sum."),
    Cause.NO_READINGS: _("GitHub's counter was not read twice in this time."),
    Cause.UNLIMITED: _("GitHub counts nothing for this account: its allowance is unlimited."),
    Cause.NOT_FRESH: _("GitHub could not be asked just now; its last known figures were taken."),
    Cause.COARSE: _("GitHub's figures are rounded to %(resolution)s; a smaller difference cannot be seen."),
    Cause.LEGACY: _("This seat is on a plan with premium requests; these are compared, not credits."),
    Cause.FREE: _("This seat is on a free plan; its chat messages are compared, not credits."),
}
