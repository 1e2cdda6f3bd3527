"""How much may be spent: credits per day, week or month for the installation, a team, a member or a key.

A soft budget warns, a hard one refuses. What is spent and reserved in one period stands in a `BudgetPeriod`,
which the ledger's writer keeps equal to the rows, in the transaction that writes them:

    settled_nano  = Σ cost of the rows in scope whose day lies in the period and that have ended
    reserved_nano = Σ reservation of those that are open
"""

from __future__ import annotations

from decimal import Decimal
from typing import ClassVar

from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models.api_key import ApiKey
from accounts.models.member import Member
from accounts.models.scoping import names_its_row
from accounts.models.team import Team
from accounts.models.usage_record import NANO_PER_CREDIT
from accounts.models.watched import Watched, WatchedQuerySet


class BudgetScope(models.TextChoices):
    INSTALLATION = "installation", _("installation")
    TEAM = "team", _("team")
    MEMBER = "member", _("member")
    KEY = "key", _("API key")


class BudgetSpan(models.TextChoices):
    """Days are those of the installation's time zone; weeks begin on Monday."""

    DAY = "day", _("day")
    WEEK = "week", _("week")
    MONTH = "month", _("month")


class Budget(Watched):
    scope = models.CharField(_("for"), max_length=16, choices=BudgetScope, default=BudgetScope.INSTALLATION)
    team = models.ForeignKey(
        Team, on_delete=models.PROTECT, null=True, blank=True, related_name="budgets", verbose_name=_("team")
    )
    member = models.ForeignKey(
        Member, on_delete=models.PROTECT, null=True, blank=True, related_name="budgets", verbose_name=_("member")
    )
    key = models.ForeignKey(
        ApiKey, on_delete=models.PROTECT, null=True, blank=True, related_name="budgets", verbose_name=_("API key")
    )
    span = models.CharField(_("per"), max_length=8, choices=BudgetSpan, default=BudgetSpan.MONTH)
    limit_nano = models.BigIntegerField(_("limit in nano-AIU"), validators=[MinValueValidator(0)])
    hard = models.BooleanField(_("hard"), default=True, help_text=_("A hard budget refuses, a soft one only warns."))
    active = models.BooleanField(_("active"), default=True)
    note = models.TextField(_("note"), blank=True)
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)

    objects = models.Manager.from_queryset(WatchedQuerySet)()

    class Meta:
        verbose_name = _("budget")
        verbose_name_plural = _("budgets")
        ordering = ["scope", "id"]
        constraints = [
            models.CheckConstraint(
                condition=names_its_row("installation"),
                name="budget_scope_names_its_row",
                violation_error_message=_("Name exactly what the scope asks for: a team, a member or a key."),
            ),
            models.CheckConstraint(condition=Q(limit_nano__gte=0), name="budget_limit_is_not_negative"),
        ]

    def __str__(self) -> str:
        return f"{self.whose}: {self.credits.normalize():f} / {self.get_span_display()}"

    @property
    def whose(self) -> str:
        """Whom the budget limits, in words."""
        subject = self.team or self.member or self.key
        return str(subject) if subject is not None else str(BudgetScope.INSTALLATION.label)

    @property
    def subject_id(self) -> int | None:
        """The id of the team, member or key; None for the installation."""
        return self.team_id or self.member_id or self.key_id

    @property
    def credits(self) -> Decimal:
        return Decimal(self.limit_nano) / NANO_PER_CREDIT

    def clean(self) -> None:
        """What a budget counts never changes: its periods are sums over that."""
        super().clean()
        if self._state.adding:
            return
        counted = ("scope", "team_id", "member_id", "key_id", "span")
        before = Budget.objects.filter(pk=self.pk).values(*counted).first()
        if before is not None and before != {name: getattr(self, name) for name in counted}:
            raise ValidationError(_("Whom and what a budget counts cannot be changed; make a new one."))


class BudgetPeriod(models.Model):
    """One period of one budget, made by the ledger's writer when the period's first request opens."""

    budget = models.ForeignKey(Budget, on_delete=models.CASCADE, related_name="periods", verbose_name=_("budget"))
    start = models.DateField(_("first day"))
    end = models.DateField(_("first day after it"))
    settled_nano = models.BigIntegerField(_("settled nano-AIU"), default=0)
    reserved_nano = models.BigIntegerField(_("reserved nano-AIU"), default=0)

    class Meta:
        verbose_name = _("budget period")
        verbose_name_plural = _("budget periods")
        ordering = ["-start", "budget"]
        constraints = [models.UniqueConstraint(fields=["budget", "start"], name="budget_period_once")]

    def __str__(self) -> str:
        return f"{self.budget} · {self.start}"

    @property
    def spent_nano(self) -> int:
        return self.settled_nano + self.reserved_nano


class BudgetWarning(models.Model):
    """That a period passed a mark; made once for each, then told by webhook or mail if one is configured."""

    MARKS: ClassVar[tuple[int, ...]] = (80, 100)

    period = models.ForeignKey(
        BudgetPeriod, on_delete=models.CASCADE, related_name="warnings", verbose_name=_("budget period")
    )
    percent = models.PositiveSmallIntegerField(_("percent"))
    spent_nano = models.BigIntegerField(_("spent nano-AIU"))
    limit_nano = models.BigIntegerField(_("limit in nano-AIU"))
    at = models.DateTimeField(_("at"), default=timezone.now)
    told_at = models.DateTimeField(_("told"), null=True, blank=True)
    tries = models.PositiveIntegerField(_("tries"), default=0)
    next_try_at = models.DateTimeField(_("next try"), null=True, blank=True)
    fault = models.TextField(_("why it could not be told"), blank=True)

    class Meta:
        verbose_name = _("budget warning")
        verbose_name_plural = _("budget warnings")
        ordering = ["-at", "-id"]
        constraints = [models.UniqueConstraint(fields=["period", "percent"], name="budget_warning_once")]

    def __str__(self) -> str:
        return f"{self.period} · {self.percent} %"
