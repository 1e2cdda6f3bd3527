"""Roll-ups of the ledger, kept by its writer in the transaction that writes the rows; they stay when rows are pruned.

`UsageDay`: per day, member, key, team, seat, model and client program. `opened` is counted when a row opens, the six
states when it takes them, `pruned` when rows go; so for any part of the table

    opened = open rows + settled + refused + failed + cancelled + abandoned
    rows in the ledger = opened - pruned

`UsageSession`: per conversation and key, so that the dearest conversations are found without reading the ledger.
"""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models.api_key import ApiKey
from accounts.models.member import Member
from accounts.models.seat import Seat
from accounts.models.team import Team


class Sums(models.Model):
    """The columns that add up. `nano` is what counts: as reported, else as computed; `nano_stand_in` is the part of it
    that GitHub did not report."""

    settled = models.BigIntegerField(_("settled"), default=0)
    refused = models.BigIntegerField(_("refused"), default=0)
    failed = models.BigIntegerField(_("failed"), default=0)
    cancelled = models.BigIntegerField(_("cancelled"), default=0)
    abandoned = models.BigIntegerField(_("abandoned"), default=0)
    input_tokens = models.BigIntegerField(_("input tokens"), default=0)
    cached_tokens = models.BigIntegerField(_("cached tokens"), default=0)
    cache_write_tokens = models.BigIntegerField(_("cache-write tokens"), default=0)
    output_tokens = models.BigIntegerField(_("output tokens"), default=0)
    reasoning_tokens = models.BigIntegerField(_("reasoning tokens"), default=0)
    nano = models.BigIntegerField(_("nano-AIU"), default=0)
    nano_stand_in = models.BigIntegerField(_("nano-AIU not reported"), default=0)
    premium_thousandths = models.BigIntegerField(_("thousandths of a premium request"), default=0)

    class Meta:
        abstract = True


class UsageDay(Sums):
    """`slot` is the day and the other keys as one text: unique where some of them are empty, too."""

    slot = models.CharField(_("slot"), max_length=500, unique=True)
    day = models.DateField(_("day"))
    member = models.ForeignKey(
        Member, on_delete=models.PROTECT, null=True, db_index=False, related_name="+", verbose_name=_("member")
    )
    key = models.ForeignKey(
        ApiKey, on_delete=models.PROTECT, null=True, db_index=False, related_name="+", verbose_name=_("API key")
    )
    team = models.ForeignKey(
        Team, on_delete=models.PROTECT, null=True, db_index=False, related_name="+", verbose_name=_("team")
    )
    seat = models.ForeignKey(
        Seat, on_delete=models.PROTECT, null=True, db_index=False, related_name="+", verbose_name=_("seat")
    )
    model = models.CharField(_("model"), max_length=200, blank=True)
    program = models.CharField(_("client program"), max_length=40, blank=True)
    opened = models.BigIntegerField(_("opened"), default=0)
    pruned = models.BigIntegerField(_("pruned"), default=0)
    total_ms = models.BigIntegerField(_("total, ms"), default=0)

    class Meta:
        verbose_name = _("usage of a day")
        verbose_name_plural = _("usage by day")
        ordering = ["-day", "id"]
        indexes = [
            models.Index(fields=["day"], name="usage_day_by_day"),
            models.Index(fields=["member", "day"], name="usage_day_by_member"),
            models.Index(fields=["key", "day"], name="usage_day_by_key"),
            models.Index(fields=["team", "day"], name="usage_day_by_team"),
            models.Index(fields=["seat", "day"], name="usage_day_by_seat"),
        ]

    def __str__(self) -> str:
        return self.slot


class UsageSession(Sums):
    """`slot` is key and conversation as one text; times are those of the first and the last row that opened."""

    slot = models.CharField(_("slot"), max_length=200, unique=True)
    session = models.CharField(_("conversation"), max_length=120)
    member = models.ForeignKey(
        Member, on_delete=models.PROTECT, null=True, db_index=False, related_name="+", verbose_name=_("member")
    )
    key = models.ForeignKey(
        ApiKey, on_delete=models.PROTECT, null=True, db_index=False, related_name="+", verbose_name=_("API key")
    )
    team = models.ForeignKey(
        Team, on_delete=models.PROTECT, null=True, db_index=False, related_name="+", verbose_name=_("team")
    )
    program = models.CharField(_("client program"), max_length=40, blank=True)
    first_day = models.DateField(_("first day"))
    last_day = models.DateField(_("last day"))
    opened = models.BigIntegerField(_("opened"), default=0)

    class Meta:
        verbose_name = _("conversation")
        verbose_name_plural = _("conversations")
        ordering = ["-last_day", "-id"]
        indexes = [
            models.Index(fields=["last_day", "nano"], name="session_by_day"),
            models.Index(fields=["member", "last_day"], name="session_by_member"),
        ]

    def __str__(self) -> str:
        return self.session
