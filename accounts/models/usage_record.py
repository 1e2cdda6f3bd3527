"""The usage ledger: one row per request, opened before the upstream call and settled after it.

The id is made by the process, ordered by time, and is the request id that the caller saw. Money is
integer nano-AIU (1 credit = 10⁹ nano-AIU = $0.01). Names of member, key, team and seat are copied, so the
row tells its story whatever became of them. Texts that come from outside have no length limit here: a
long one must never keep a row from settling.

What was measured is written by the ledger and changed by the act of correction alone: everybody else may write
`editable_fields` only, and deletes nothing.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn, Self

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models.api_key import ApiKey
from accounts.models.member import Member
from accounts.models.seat import Seat
from accounts.models.team import Team

if TYPE_CHECKING:
    from collections.abc import Iterable

NANO_PER_CREDIT = 1_000_000_000


class UsageStatus(models.TextChoices):
    OPEN = "open", _("open")
    SETTLED = "settled", _("settled")
    REFUSED = "refused", _("refused")
    FAILED = "failed", _("failed")
    CANCELLED = "cancelled", _("cancelled")
    ABANDONED = "abandoned", _("abandoned")


class CostSource(models.TextChoices):
    REPORTED = "reported", _("reported by GitHub")
    COMPUTED = "computed", _("computed from the rate card")
    ESTIMATED = "estimated", _("estimated")


class UsageRecordQuerySet(models.QuerySet["UsageRecord"]):
    _is_ledgers = False

    def as_ledger(self) -> Self:
        """The same rows for those who keep the books: the ledger, its pruning and the act of correction."""
        opened = self.all()
        opened._is_ledgers = True
        return opened

    def update(self, **values: Any) -> int:
        self._check(values)
        return super().update(**values)

    def bulk_update(self, objs: Iterable[UsageRecord], fields: Iterable[str], batch_size: int | None = None) -> int:
        names = list(fields)
        self._check(names)
        return super().bulk_update(objs, names, batch_size)

    def delete(self) -> tuple[int, dict[str, int]]:
        if not self._is_ledgers:
            raise _not_yours()
        return super().delete()

    def _check(self, names: Iterable[str]) -> None:
        if not self._is_ledgers and not set(names) <= set(UsageRecord.editable_fields):
            raise _not_yours()

    def _clone(self) -> Self:
        clone: Self = super()._clone()  # type: ignore[misc] # Django's own hook, which the stubs do not know
        clone._is_ledgers = self._is_ledgers
        return clone


class UsageRecord(models.Model):
    editable_fields: ClassVar[tuple[str, ...]] = ("note", "tag", "cost_centre")

    id = models.UUIDField(_("request id"), primary_key=True, editable=False)
    instance = models.UUIDField(_("instance"))
    opened_at = models.DateTimeField(_("opened"))
    settled_at = models.DateTimeField(_("settled"), null=True, blank=True)
    day = models.DateField(_("day"))
    status = models.CharField(_("status"), max_length=16, choices=UsageStatus, default=UsageStatus.OPEN)

    # Without an index of their own: the indexes below begin with them.
    member = models.ForeignKey(
        Member,
        on_delete=models.PROTECT,
        null=True,
        db_index=False,
        related_name="+",
        verbose_name=_("member"),
    )
    key = models.ForeignKey(
        ApiKey,
        on_delete=models.PROTECT,
        null=True,
        db_index=False,
        related_name="+",
        verbose_name=_("API key"),
    )
    team = models.ForeignKey(
        Team, on_delete=models.PROTECT, null=True, db_index=False, related_name="+", verbose_name=_("team")
    )
    seat = models.ForeignKey(
        Seat, on_delete=models.PROTECT, null=True, db_index=False, related_name="+", verbose_name=_("seat")
    )
    member_name = models.TextField(_("member's name"), blank=True)
    key_name = models.TextField(_("key's name"), blank=True)
    team_name = models.TextField(_("team's name"), blank=True)
    seat_name = models.TextField(_("seat's name"), blank=True)

    door = models.CharField(_("door"), max_length=32)
    client = models.TextField(_("client program"), blank=True)
    ip = models.GenericIPAddressField(_("address"), null=True, blank=True)
    requested_model = models.TextField(_("requested model"), blank=True)
    served_model = models.TextField(_("served model"), blank=True)
    route = models.TextField(_("route"), blank=True)
    upstream_format = models.CharField(_("upstream format"), max_length=32, blank=True)
    streamed = models.BooleanField(_("streamed"), default=False)
    initiator = models.CharField(_("initiator"), max_length=16, blank=True)
    session = models.TextField(_("conversation"), blank=True)
    program = models.CharField(_("client program, without its version"), max_length=40, blank=True)
    reserved_nano = models.BigIntegerField(
        _("reserved nano-AIU"), default=0, help_text=_("What budgets held back for it while it was open.")
    )

    http_status = models.PositiveSmallIntegerField(_("HTTP status"), null=True, blank=True)
    error_code = models.TextField(_("error"), blank=True)
    stop_reason = models.TextField(_("stop reason"), blank=True)
    input_tokens = models.BigIntegerField(_("input tokens"), default=0)
    cached_tokens = models.BigIntegerField(_("cached tokens"), default=0)
    cache_write_tokens = models.BigIntegerField(_("cache-write tokens"), default=0)
    output_tokens = models.BigIntegerField(_("output tokens"), default=0)
    reasoning_tokens = models.BigIntegerField(_("reasoning tokens"), default=0)
    nano_reported = models.BigIntegerField(_("reported nano-AIU"), null=True, blank=True)
    nano_computed = models.BigIntegerField(_("computed nano-AIU"), null=True, blank=True)
    cost_source = models.CharField(_("source of cost"), max_length=16, choices=CostSource, blank=True)
    premium_thousandths = models.BigIntegerField(_("thousandths of a premium request"), null=True, blank=True)
    first_byte_ms = models.BigIntegerField(_("first byte, ms"), null=True, blank=True)
    total_ms = models.BigIntegerField(_("total, ms"), null=True, blank=True)
    attempts = models.PositiveIntegerField(_("attempts"), default=0)
    dropped = models.TextField(_("dropped in translation"), blank=True)
    upstream_id = models.TextField(_("upstream request id"), blank=True)

    note = models.TextField(_("note"), blank=True)
    tag = models.CharField(_("tag"), max_length=120, blank=True)
    cost_centre = models.CharField(_("cost centre"), max_length=120, blank=True)

    objects = models.Manager.from_queryset(UsageRecordQuerySet)()

    class Meta:
        base_manager_name = "objects"
        verbose_name = _("usage record")
        verbose_name_plural = _("usage records")
        permissions = [("correct_usagerecord", "Can correct what was measured")]
        ordering = ["-day", "-id"]
        indexes = [
            models.Index(fields=["day", "id"], name="usage_by_day"),
            models.Index(fields=["member", "day"], name="usage_by_member_and_day"),
            models.Index(fields=["key", "day"], name="usage_by_key_and_day"),
            models.Index(fields=["team", "day"], name="usage_by_team_and_day"),
            models.Index(fields=["seat", "day"], name="usage_by_seat_and_day"),
            models.Index(fields=["instance"], condition=Q(status="open"), name="usage_open"),
            models.Index(fields=["session", "id"], condition=~Q(session=""), name="usage_by_session"),
        ]

    def __str__(self) -> str:
        return str(self.id)

    @property
    def nano(self) -> int | None:
        """The cost in nano-AIU: as the upstream reported it, else as computed; None when unknown."""
        return self.nano_computed if self.nano_reported is None else self.nano_reported

    @property
    def credits(self) -> Decimal | None:
        """The same in credits, exact."""
        return None if self.nano is None else Decimal(self.nano) / NANO_PER_CREDIT

    @property
    def is_open(self) -> bool:
        return self.status == UsageStatus.OPEN

    def save(self, *args: Any, update_fields: Iterable[str] | None = None, **options: Any) -> None:
        names = None if update_fields is None else frozenset(update_fields)
        if not self._state.adding and (names is None or not names <= set(self.editable_fields)):
            raise _not_yours()
        super().save(*args, update_fields=names, **options)

    def delete(self, *args: Any, **options: Any) -> NoReturn:
        raise _not_yours()


def _not_yours() -> TypeError:
    return TypeError("What was measured is written by the ledger and corrected by accounts.corrections alone.")
