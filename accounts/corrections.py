"""The act of correction: the one way in which what was measured is changed.

One transaction locks the row, writes it, keeps each old value beside the new one, moves the roll-ups and budgets along
and appends to the trail. Who stands in a row stays: member, key, team, seat, model and day are facts of the request,
not measurements. Open rows are the ledger's own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from django.core.exceptions import PermissionDenied, ValidationError
from django.utils.translation import gettext as _

from accounts.ledger.booked import Booked
from accounts.ledger.books import open_books
from accounts.models import Correction, CostSource, Member, UsageRecord, UsageStatus
from accounts.trail import acting, append
from accounts.trail_hash import plain

if TYPE_CHECKING:
    from collections.abc import Mapping
    from uuid import UUID

    from django.db.models import Field

PERMISSION = "accounts.correct_usagerecord"
TOKENS = ("input_tokens", "cached_tokens", "cache_write_tokens", "output_tokens", "reasoning_tokens")
MONEY = ("nano_reported", "nano_computed", "premium_thousandths")
CORRECTABLE = ("status", "http_status", "error_code", "stop_reason", *TOKENS, *MONEY, "cost_source")
LARGEST = 2**63 - 1
LONGEST_REASON = 2000
_COST = {"nano_reported", "nano_computed", "cost_source"}


def correct(record_id: UUID, changes: Mapping[str, Any], reason: str, by: Member) -> list[Correction]:
    """Correct the named columns of one ended request and return what was kept of it, one row per column.

    Raises PermissionDenied when `by` may not correct, UsageRecord.DoesNotExist when there is no such row, and
    ValidationError (by column where one is at fault) when a value cannot be, nothing changes or no reason is given.
    """
    if not by.has_perm(PERMISSION):
        raise PermissionDenied(_("You may not correct what was measured."))
    with open_books() as books:
        record = UsageRecord.objects.select_for_update().get(pk=record_id)
        new = proposed(record, changes)
        why = _reason(reason)
        before = Booked.of(record)
        kept = [
            Correction(
                record=record.pk, column=name, old=_text(getattr(record, name)), new=_text(value), reason=why,
                by=by, by_name=by.get_username(),
            )
            for name, value in new.items()
        ]  # fmt: skip
        for name, value in new.items():
            setattr(record, name, value)
        UsageRecord.objects.as_ledger().filter(pk=record.pk).update(**new)
        books.move(before, Booked.of(record))
        Correction.objects.bulk_create(kept)
        told = {line.column: {"old": line.old, "new": line.new} for line in kept}
        with acting(by):
            append("usage.corrected", record, told, why)
    return kept


def proposed(record: UsageRecord, changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return the columns that would change, with clean values. Raises ValidationError as `correct` does."""
    if record.is_open:
        raise ValidationError(_("This request is still open; it can be corrected when it has ended."))
    faults: dict[str, ValidationError] = {}
    clean: dict[str, Any] = {}
    for name, value in changes.items():
        try:
            clean[name] = _clean(name, value)
        except ValidationError as fault:
            faults[name] = fault
    if faults:
        raise ValidationError(faults)
    new = {name: value for name, value in clean.items() if value != getattr(record, name)}
    if not new:
        raise ValidationError(_("Nothing would change."))
    if _COST & set(new):
        _check_cost(record, new)
    return new


def _clean(name: str, value: Any) -> Any:
    if name not in CORRECTABLE:
        raise ValidationError(_("The column %(name)s cannot be corrected.") % {"name": name})
    field = cast("Field[Any, Any]", UsageRecord._meta.get_field(name))
    if value == "" and field.null:
        value = None
    if isinstance(value, bool | float):
        raise ValidationError(_("A whole number is needed."))
    clean = field.clean(value, None)
    if isinstance(clean, str):
        clean = plain(clean, LONGEST_REASON)
    if name in (*TOKENS, *MONEY) and clean is not None and not 0 <= clean <= LARGEST:
        raise ValidationError(_("A number from 0 to %(largest)s is needed.") % {"largest": LARGEST})
    if clean == UsageStatus.OPEN:
        raise ValidationError(_("A request that has ended is not opened again."))
    return clean


def _check_cost(record: UsageRecord, new: Mapping[str, Any]) -> None:
    """The source must fit the figures: what GitHub reported counts, and nothing else counts beside it."""
    reported, computed, source = (
        new.get(name, getattr(record, name)) for name in ("nano_reported", "nano_computed", "cost_source")
    )
    if (reported is not None) != (source == CostSource.REPORTED):
        text = _("The source of cost is 'reported by GitHub' exactly when there is a reported figure.")
        raise ValidationError({"cost_source": text})
    if computed is None and source in {CostSource.COMPUTED, CostSource.ESTIMATED}:
        raise ValidationError({"nano_computed": _("A computed or estimated cost needs a computed figure.")})


def _reason(text: str) -> str:
    reason = text.strip()
    if not reason:
        raise ValidationError({"reason": _("A reason is needed.")})
    if len(reason) > LONGEST_REASON:
        raise ValidationError({"reason": _("At most %(limit)d characters.") % {"limit": LONGEST_REASON}})
    return plain(reason, LONGEST_REASON)


def _text(value: Any) -> str:
    return "" if value is None else str(value)
